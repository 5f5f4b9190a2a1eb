"""KITTI's object benchmark in 2D: easy, moderate and hard, 40 recall points.

After the benchmark's description (Geiger et al., CVPR 2012; 40 points since Simonelli et al., ICCV 2019): IoU above .7
for cars, .5 for others; a truth counts where it is higher than 40/25/25 px, occluded at most 0/1/2 and truncated at
most .15/.3/.5, else it takes a detection out and is never missed. `Van` beside `Car` and `Person_sitting` beside
`Pedestrian` are neighbours: not counted either. Detections lower than the limit do not count; unmatched ones of
which more than the IoU threshold lies in a region without class (DontCare) are no false positives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.overlap import iou_matrix, share_matrix
from hilgui.records import NO_CLASS, Detections, Moment, Truth

DIFFICULTIES = ("easy", "moderate", "hard")
MIN_HEIGHT_PX = (40.0, 25.0, 25.0)
MAX_OCCLUSION = (0.0, 0.25, 0.6)  # KITTI's words 0, 1, 2 as the shares that our reader gives them
MAX_TRUNCATION = (0.15, 0.3, 0.5)
POINTS = 40
IOU = {"car": 0.7}
IOU_OTHERS = 0.5
NOT_RESAMPLED = (
    "the benchmark chooses its score thresholds from all frames together: a resample would be judged by others; "
    "COCO's figures of the same frames have intervals"
)
NEIGHBOURS = {"car": ("van",), "pedestrian": ("person_sitting",), "person": ("person_sitting",)}


@dataclass(frozen=True, slots=True, eq=False)
class KittiFrame:
    """What one frame gives one class at one difficulty; overlaps are computed once."""

    scores: NDArray[np.float32]
    small: NDArray[np.bool_]  # detections that are too low to count
    ignored: NDArray[np.bool_]  # truths that take a detection out
    overlap: NDArray[np.float64]  # (detections, truths)
    covered: NDArray[np.float64]  # (detections,) largest share inside one region without class


def kitti_frame(
    detections: Detections,
    truth: Truth,
    number: int,
    neighbours: frozenset[int],
    level: int,
    truncation: NDArray[np.floating] | None = None,
) -> KittiFrame:
    """Sort out what counts; `truncation` is the share outside the picture by truth row, None where not known."""
    mine = detections.where(detections.classes == number)
    own = truth.classes == number
    kept = own | np.isin(truth.classes, list(neighbours))
    height = truth.boxes[:, 3] - truth.boxes[:, 1]
    hard = (height <= MIN_HEIGHT_PX[level]) | (np.nan_to_num(truth.occlusion) > MAX_OCCLUSION[level] + 1e-6)
    if truncation is not None:
        hard = hard | (np.nan_to_num(truncation) > MAX_TRUNCATION[level])
    ignored = ~own | hard | truth.ignore | truth.crowd
    regions = truth.boxes[truth.classes == NO_CLASS]
    small = (mine.boxes[:, 3] - mine.boxes[:, 1]) < MIN_HEIGHT_PX[level]
    covered = share_matrix(mine.boxes, regions).max(axis=1, initial=0.0)
    return KittiFrame(mine.scores, small, ignored[kept], iou_matrix(mine.boxes, truth.boxes[kept]), covered)


def kitti_ap(frames: list[KittiFrame], iou: float) -> tuple[float | None, int]:
    """Read average precision over 40 recall points, None without truths, and the truths that count."""
    truths = sum(int(np.count_nonzero(~frame.ignored)) for frame in frames)
    if not truths:
        return None, 0
    found = np.sort(np.concatenate([_true_scores(frame, iou) for frame in frames]))[::-1]
    precision = np.zeros(POINTS + 1)
    for place, threshold in enumerate(_thresholds(found, truths)):
        counts = np.array([_count(frame, iou, threshold) for frame in frames]).sum(axis=0)
        precision[place] = counts[0] / max(counts.sum(), 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[1:].mean()), truths


def _true_scores(frame: KittiFrame, iou: float) -> NDArray[np.float32]:
    """Give the scores of true positives where nothing is cut off: each truth takes its best scored detection."""
    taken = np.zeros(len(frame.scores), np.bool_)
    scores: list[np.float32] = []
    for column, is_ignored in enumerate(frame.ignored.tolist()):
        near = np.flatnonzero((frame.overlap[:, column] > iou) & ~taken)
        if not len(near):
            continue
        best = near[np.argmax(frame.scores[near])]
        taken[best] = True
        if not is_ignored and not frame.small[best]:
            scores.append(frame.scores[best])
    return np.array(scores, np.float32)


def _thresholds(scores: NDArray[np.float32], truths: int) -> list[float]:
    """Choose the scores at which recall comes nearest to 0, 1/40, 2/40 and so on."""
    chosen: list[float] = []
    recall = 0.0
    for place, score in enumerate(scores.tolist()):
        here = (place + 1) / truths
        beyond = (place + 2) / truths if place < len(scores) - 1 else here
        if beyond - recall < recall - here and place < len(scores) - 1:
            continue
        chosen.append(score)
        recall += 1.0 / POINTS
    return chosen[: POINTS + 1]


def _count(frame: KittiFrame, iou: float, threshold: float) -> tuple[int, int]:
    """Count true and false positives with a score of at least `threshold`: truths take their largest overlap."""
    shown = frame.scores >= np.float32(threshold)
    taken = ~shown
    true = 0
    for column, is_ignored in enumerate(frame.ignored.tolist()):
        near = np.flatnonzero((frame.overlap[:, column] > iou) & ~taken)
        if not len(near):
            continue
        tall = near[~frame.small[near]]
        best = tall[np.argmax(frame.overlap[tall, column])] if len(tall) else near[0]
        taken[best] = True
        true += not is_ignored and not frame.small[best]
    false = ~taken & ~frame.small & (frame.covered <= iou)
    return true, int(np.count_nonzero(false))


def _figure(value: float | None, truths: int) -> Figure:
    return Figure(value, truths, why_no_interval="" if value is None else NOT_RESAMPLED)


class KittiQuality:
    """Accumulates `kitti.easy.CLASS`, `kitti.moderate.CLASS`, `kitti.hard.CLASS` and their means over classes.

    Truncation counts where the labels tell it; runs of before did not keep it and are judged without.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        names = [name.casefold() for name in subject.vocabulary.names]
        self._neighbours = {
            number: frozenset(other for other, name in enumerate(names) if name in NEIGHBOURS.get(names[number], ()))
            for number in subject.judged
        }
        self._iou = {number: IOU.get(names[number], IOU_OTHERS) for number in subject.judged}
        self._frames: dict[tuple[str, int], list[KittiFrame]] = {
            (word, number): [] for word in DIFFICULTIES for number in subject.judged
        }

    def start_drive(self, name: str) -> None:
        """Go on: average precision knows no order."""

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference = moment.inferences.get(self._subject.role)
        if inference is None or moment.truth is None:
            return
        for level, word in enumerate(DIFFICULTIES):
            for number in self._subject.judged:
                frame = kitti_frame(
                    inference.detections, moment.truth, number, self._neighbours[number], level, moment.truth.truncation
                )
                self._frames[word, number].append(frame)

    def figures(self) -> dict[str, Figure]:
        """Read the figures."""
        figures: dict[str, Figure] = {}
        for word in DIFFICULTIES:
            read = {number: kitti_ap(self._frames[word, number], self._iou[number]) for number in self._subject.judged}
            known = [value for value, _ in read.values() if value is not None]
            total = sum(truths for _, truths in read.values())
            figures[f"kitti.{word}"] = _figure(float(np.mean(known)) if known else None, total)
            for number, (value, truths) in read.items():
                figures[f"kitti.{word}.{self._subject.vocabulary.name(number)}"] = _figure(value, truths)
        return figures

    def details(self) -> dict[str, Any]:
        """Give nothing more than numbers."""
        return {}
