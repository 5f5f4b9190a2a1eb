"""KITTI's object benchmark in 2D: easy, moderate and hard, 40 recall points.

After the benchmark's description (Geiger et al., CVPR 2012; 40 points since Simonelli et al., ICCV 2019): IoU above .7
for cars, .5 for others; a truth counts where it is higher than 40/25/25 px, occluded at most 0/1/2 and truncated at
most .15/.3/.5, else it takes a detection out and is never missed. `Van` beside `Car` and `Person_sitting` beside
`Pedestrian` are neighbours: not counted either. Detections lower than the limit do not count; unmatched ones of
which more than the IoU threshold lies in a region without class (DontCare) are no false positives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.clusters import clusters_of, resample
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.intervals import resampled
from hilgui.evaluation.kitti_rows import KittiFrame, KittiRows
from hilgui.evaluation.overlap import iou_matrix, share_matrix
from hilgui.records import NO_CLASS, Detections, Moment, Truth

DIFFICULTIES = ("easy", "moderate", "hard")
MIN_HEIGHT_PX = (40.0, 25.0, 25.0)
MAX_OCCLUSION = (0.0, 0.25, 0.6)  # KITTI's words 0, 1, 2 as the shares that our reader gives them
MAX_TRUNCATION = (0.15, 0.3, 0.5)
IOU = {"car": 0.7}
IOU_OTHERS = 0.5
NEIGHBOURS = {"car": ("van",), "pedestrian": ("person_sitting",), "person": ("person_sitting",)}


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


class KittiQuality:
    """Accumulates `kitti.easy.CLASS`, `kitti.moderate.CLASS`, `kitti.hard.CLASS` and their means over classes.

    Truncation counts where the labels tell it; runs of before did not keep it and are judged without.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._book = FrameBook(subject.scratch)
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
        """Go on: average precision knows no order, drives are what is resampled."""
        self._book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference = moment.inferences.get(self._subject.role)
        if inference is None or moment.truth is None:
            return
        self._book.add(moment.ref)
        for level, word in enumerate(DIFFICULTIES):
            for number in self._subject.judged:
                frame = kitti_frame(
                    inference.detections, moment.truth, number, self._neighbours[number], level, moment.truth.truncation
                )
                self._frames[word, number].append(frame)

    def figures(self) -> dict[str, Figure]:
        """Read the figures."""
        return self._figures(self._rows())

    def with_intervals(self) -> dict[str, Figure]:
        """Read the figures with their interval; each draw of drives or blocks chooses its own score thresholds."""
        rows, clusters = self._rows(), clusters_of(self._book)

        def read(draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
            values = resample(lambda weights: self._averages(rows, weights[clusters.of_frame]), draws)
            return dict(zip(self._names(), values.T, strict=True))

        return resampled(self._figures(rows), clusters, read)

    def details(self) -> dict[str, Any]:
        """Give nothing more than numbers."""
        return {}

    def _rows(self) -> dict[tuple[str, int], KittiRows]:
        return {key: KittiRows.of(frames, self._iou[key[1]]) for key, frames in self._frames.items()}

    def _names(self) -> list[str]:
        """Name the figures: of each difficulty the mean, then its classes."""
        classes = ["", *(f".{self._subject.vocabulary.name(number)}" for number in self._subject.judged)]
        return [f"kitti.{word}{name}" for word in DIFFICULTIES for name in classes]

    def _averages(self, rows: dict[tuple[str, int], KittiRows], weights: NDArray[np.int64]) -> NDArray[np.float64]:
        """Read the figures in the order of their names; NaN where there is nothing to find."""
        read = [[rows[word, number].average(weights) for number in self._subject.judged] for word in DIFFICULTIES]
        known = [[value for value in level if value is not None] for level in read]
        means = [float(np.mean(level)) if level else None for level in known]
        values = [value for mean, level in zip(means, read, strict=True) for value in (mean, *level)]
        return np.array(values, np.float64)

    def _figures(self, rows: dict[tuple[str, int], KittiRows]) -> dict[str, Figure]:
        values = self._averages(rows, np.ones(len(self._book.frames), np.int64))
        truths = [[int(rows[word, number].truths.sum()) for number in self._subject.judged] for word in DIFFICULTIES]
        counts = [count for level in truths for count in (sum(level), *level)]
        return {
            name: Figure(None if np.isnan(value) else float(value), count)
            for name, value, count in zip(self._names(), values, counts, strict=True)
        }
