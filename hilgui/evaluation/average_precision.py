"""Average precision as COCO defines it, frame by frame while the drive plays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.figures import ClassFigures, DetectionFigures
from hilgui.evaluation.match_rows import RANGES, MatchRows, TruthRows, match_block
from hilgui.evaluation.nearest import Nearest, nearest
from hilgui.evaluation.ranked import RECALLS, Averages, RankedRows, known_mean
from hilgui.evaluation.row_log import RowLog
from hilgui.evaluation.scored_rows import Scored, ScoredRows, scored_rows
from hilgui.records import Detections, Truth

__all__ = ["COCO_FIGURES", "RECALLS", "AveragePrecision"]

COCO_FIGURES = (
    "map_50_95",
    "map_50",
    "map_75",
    "map_small",
    "map_medium",
    "map_large",
    "ar_1",
    "ar_10",
    "ar_100",
    "ar_small",
    "ar_medium",
    "ar_large",
)
"""The twelve figures that pycocotools prints, in its order."""

CocoFigures = dict[str, tuple[float | None, int]]
"""Each of the twelve with the truths that it rests on."""

_BLOCK_FRAMES = 512  # matched together; figures do not depend on it
_BLOCK_PAIRS = 1 << 20  # bounds the memory of a block when frames are crowded


class AveragePrecision:
    """Collects detections and truth of labelled frames; reads AP, AP50 and AP75 at any moment.

    IoU .50:.05:.95, 101 recall points (left `searchsorted` after the precision envelope), the best 100 detections
    per frame and class, stable order, crowds as pycocotools treats them: the figures equal pycocotools' to 1e-9.
    Reading in between changes nothing, and the last reading equals one over all frames at once.

    Beyond pycocotools: `ignore` of a truth is honoured. (pycocotools overwrites the field `ignore` with
    `iscrowd`; we take a truth out when either is set. Like its truths outside the area range, an ignored truth
    that is not a crowd takes out one detection at each threshold.) A region without class takes out every
    detection of which half lies inside and that matched nothing. Truths of classes that are not judged play no part.

    Rows beyond some thousands lie in a nameless file in `scratch`. Not thread-safe: one thread owns it. Detections and
    truth must not change after `add`.
    """

    def __init__(
        self,
        judged: Sequence[int] | frozenset[int],
        *,
        with_nearest: bool = False,
        with_scored: bool = False,
        scratch: Path | None = None,
    ) -> None:
        self.judged = sorted(set(judged))
        self._columns = _columns(self.judged)
        self._waiting: list[tuple[Detections, Truth]] = []
        self._pairs = 0
        self._rows = RowLog(MatchRows, scratch)
        self._truths = RowLog(TruthRows, scratch)
        self._nearest = RowLog(Nearest, scratch) if with_nearest else None
        self._scored = RowLog(ScoredRows, scratch) if with_scored else None
        self._ranked: RankedRows | None = None
        self._coco: tuple[CocoFigures, list[CocoFigures]] | None = None
        self.frames = 0

    def add(self, detections: Detections, truth: Truth) -> None:
        """Take one labelled frame; scores down to .001 belong in, the operating threshold does not matter here."""
        self._waiting.append((detections, truth))
        self.frames += 1
        self._pairs += len(detections) * len(truth)
        if len(self._waiting) >= _BLOCK_FRAMES or self._pairs >= _BLOCK_PAIRS:
            self._match()

    def rows(self) -> tuple[MatchRows, TruthRows]:
        """Give the match rows of all frames so far; frames are numbered in the order of `add`, from 0."""
        self._match()
        return self._rows.joined(), self._truths.joined()

    def nearest(self) -> Nearest:
        """Give the nearest truths of each match row; only where they were asked for."""
        self._match()
        if self._nearest is None:
            raise ValueError("the nearest truths were not asked for: AveragePrecision(..., with_nearest=True)")
        return self._nearest.joined()

    def scored(self) -> Scored:
        """Give what counts at the operating point, for every threshold; only where it was asked for."""
        _, truths = self.rows()
        if self._scored is None:
            raise ValueError("the scored rows were not asked for: AveragePrecision(..., with_scored=True)")
        counted = truths.counted[0]
        return Scored(self._scored.joined(), truths.frames[counted], truths.columns[counted])

    def ranked(self, area: int = 0) -> RankedRows:
        """Give the rows ranked for reading, of one of RANGES; those of all areas are kept until the next frame."""
        rows, truths = self.rows()
        if area:
            return RankedRows(rows, truths, len(self.judged), area)
        if self._ranked is None:
            self._ranked = RankedRows(rows, truths, len(self.judged))
        return self._ranked

    def figures(self) -> DetectionFigures:
        """Read the figures over all frames so far."""
        averages = self.ranked().averages()
        per_class = {
            number: ClassFigures(*averages.of_class(column), int(averages.truths[column]))
            for column, number in enumerate(self.judged)
        }
        return DetectionFigures(*averages.mean, per_class, self.frames, int(averages.truths.sum()))

    def coco(self) -> CocoFigures:
        """Read all twelve figures of COCO, each with the truths that it rests on."""
        return self._read()[0]

    def coco_by_class(self) -> dict[int, CocoFigures]:
        """Read the twelve figures of each judged class."""
        return dict(zip(self.judged, self._read()[1], strict=True))

    def _read(self) -> tuple[CocoFigures, list[CocoFigures]]:
        rows, truths = self.rows()
        if self._coco is None:
            self._coco = coco_figures(RankedRows(rows, truths, len(self.judged), area) for area in range(len(RANGES)))
        return self._coco

    def _match(self) -> None:
        if not self._waiting:
            return
        first = self.frames - len(self._waiting)
        rows, truths = match_block(self._waiting, self._columns, len(self.judged), first)
        if self._nearest is not None:
            self._nearest.add(nearest(self._waiting, first, rows, truths, len(self._truths)))
        if self._scored is not None:
            self._scored.add(scored_rows(self._waiting, first, rows, self.judged))
        self._rows.add(rows)
        self._truths.add(truths)
        self._waiting = []
        self._pairs = 0
        self._ranked = self._coco = None


def _columns(judged: list[int]) -> NDArray[np.int32]:
    """Map class number + 1 to its position among the judged; both ends stand for classes that are not."""
    columns = np.full(max(judged, default=-1) + 3, -1, np.int32)
    columns[np.asarray(judged, np.int64) + 1] = np.arange(len(judged))
    return columns


def coco_figures(ranges: Iterable[RankedRows]) -> tuple[CocoFigures, list[CocoFigures]]:
    """Read the twelve figures over classes and for each class.

    `ranges` gives the rows of each area range; each is let go before the next is asked for, as it is large.
    """
    averages: list[Averages] = []
    recalls: list[NDArray[np.float64]] = []
    for area, ranked in enumerate(ranges):
        averages.append(ranked.averages())
        recalls += [ranked.recalls(most) for most in ((1, 10, 100) if area == 0 else (100,))]
        del ranked
    tables = [  # (thresholds, classes) of each figure, and the range that it is about
        *((averages[0].precision[rows], 0) for rows in (slice(None), slice(0, 1), slice(5, 6))),
        *((averages[area].precision, area) for area in (1, 2, 3)),
        *((table, max(place - 2, 0)) for place, table in enumerate(recalls)),
    ]
    whole: CocoFigures = {}
    per_class: list[CocoFigures] = [{} for _ in range(averages[0].precision.shape[1])]
    for name, (table, area) in zip(COCO_FIGURES, tables, strict=True):
        truths = averages[area].truths
        whole[name] = (known_mean(table), int(truths.sum()))
        for column, mine in enumerate(per_class):
            mine[name] = (known_mean(table[:, column]), int(truths[column]))
    return whole, per_class
