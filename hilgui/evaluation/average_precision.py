"""Average precision as COCO defines it, frame by frame while the drive plays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.figures import ClassFigures, DetectionFigures
from hilgui.evaluation.match_rows import THRESHOLDS, MatchRows, match_block
from hilgui.records import Detections, Truth

RECALLS: NDArray[np.float64] = np.linspace(0.0, 1.0, 101)

_BLOCK_FRAMES = 128  # matched together; figures do not depend on it
_BLOCK_PAIRS = 1 << 20  # bounds the memory of a block when frames are crowded
_AT_50, _AT_75 = 0, 5  # positions in THRESHOLDS


class AveragePrecision:
    """Collects detections and truth of labelled frames; reads AP, AP50 and AP75 at any moment.

    IoU .50:.05:.95, 101 recall points (left `searchsorted` after the precision envelope), the best 100 detections
    per frame and class, stable order, crowds as pycocotools treats them: the figures equal pycocotools' to 1e-9.
    Reading in between changes nothing, and the last reading equals one over all frames at once.

    Beyond pycocotools: `ignore` of a truth is honoured. (pycocotools overwrites the field `ignore` with
    `iscrowd`; we take a truth out when either is set. Like its truths outside the area range, an ignored truth
    that is not a crowd takes out one detection at each threshold.) A region without class takes out every
    detection of which half lies inside and that matched nothing. Truths of classes that are not judged play no part.

    Not thread-safe: one thread owns it. Detections and truth must not change after `add`.
    """

    def __init__(self, judged: Sequence[int] | frozenset[int]) -> None:
        self._judged = sorted(set(judged))
        self._columns = _columns(self._judged)
        self._waiting: list[tuple[Detections, Truth]] = []
        self._pairs = 0
        self._parts: list[MatchRows] = []
        self._truths = np.zeros(len(self._judged), np.int64)
        self._frames = 0

    def add(self, detections: Detections, truth: Truth) -> None:
        """Take one labelled frame; scores down to .001 belong in, the operating threshold does not matter here."""
        self._waiting.append((detections, truth))
        self._frames += 1
        self._pairs += len(detections) * len(truth)
        if len(self._waiting) >= _BLOCK_FRAMES or self._pairs >= _BLOCK_PAIRS:
            self._match()

    def figures(self) -> DetectionFigures:
        """Read the figures over all frames so far."""
        self._match()
        rows = MatchRows.joined(self._parts)
        self._parts = [rows]
        order = np.lexsort((-rows.scores, rows.columns))
        ends = np.searchsorted(rows.columns[order], np.arange(len(self._judged)), side="right").tolist()
        per_class: dict[int, ClassFigures] = {}
        curves: list[NDArray[np.float64]] = []
        for number, truths, start, end in zip(self._judged, self._truths.tolist(), [0, *ends], ends, strict=False):
            if not truths:
                per_class[number] = ClassFigures(None, None, None, 0)
                continue
            picked = order[start:end]
            curves.append(_precision(rows.hits[picked], rows.ignored[picked], truths))
            per_class[number] = ClassFigures(*_means(curves[-1]), truths)
        mean, at_50, at_75 = _means(np.stack(curves, axis=1)) if curves else (None, None, None)
        return DetectionFigures(mean, at_50, at_75, per_class, self._frames, int(self._truths.sum()))

    def _match(self) -> None:
        if not self._waiting:
            return
        rows, truths = match_block(self._waiting, self._columns, len(self._judged))
        self._parts.append(rows)
        self._truths += truths
        self._waiting = []
        self._pairs = 0


def _columns(judged: list[int]) -> NDArray[np.int32]:
    """Map class number + 1 to its position among the judged; both ends stand for classes that are not."""
    columns = np.full(max(judged, default=-1) + 3, -1, np.int32)
    columns[np.asarray(judged, np.int64) + 1] = np.arange(len(judged))
    return columns


def _precision(hits: NDArray[np.uint16], ignored: NDArray[np.uint16], truths: int) -> NDArray[np.float64]:
    """Sample precision over recall: (thresholds, recall points) of one class, rows by falling score."""
    sampled = np.zeros((len(THRESHOLDS), len(RECALLS)))
    for level, curve in enumerate(sampled):
        bit = np.uint16(1 << level)
        hit = (hits & bit) != 0
        true = np.cumsum(hit, dtype=np.float64)
        false = np.cumsum(~hit & ((ignored & bit) == 0), dtype=np.float64)
        precision = true / (false + true + np.spacing(1))
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        place = np.searchsorted(true / truths, RECALLS, side="left")
        reached = np.searchsorted(place, len(envelope), side="left")
        curve[:reached] = envelope[place[:reached]]
    return sampled


def _means(curves: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(curves.mean()), float(curves[_AT_50].mean()), float(curves[_AT_75].mean())
