"""Reading slices: counts, AP50, intervals and the frames with the most misses, from flat rows."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.clusters import (
    FEWEST,
    clusters_of,
    jackknife,
    percentile_interval,
    resample,
    t_interval,
    why_no_interval,
)
from hilgui.evaluation.figure import Interval
from hilgui.evaluation.match_rows import THRESHOLDS, MatchRows
from hilgui.evaluation.ranked import RankedRows
from hilgui.evaluation.slice_bins import UNKNOWN
from hilgui.evaluation.slice_columns import SliceColumns
from hilgui.evaluation.slice_tags import PREFIX

_EXAMPLES = 5
_FEW = 50  # up to so many clusters AP50 takes Student's interval over pseudo-values: one reading each
_RESAMPLES = 200  # of AP50 beyond
_AT_50 = np.uint16(1)
_NOWHERE = np.uint16((1 << len(THRESHOLDS)) - 1)


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """What a model does in one slice; ratios are None without anything to divide by."""

    dimension: str
    value: str
    truths: int
    matched: int
    false_positives: int | None  # by their own attributes; None where those of some are unknown
    drives: int
    map_50: float | None
    examples: tuple[tuple[str, int], ...]  # drive and frame, each once: those with the most misses
    recall_interval: Interval | None = None
    precision_interval: Interval | None = None
    map_50_interval: Interval | None = None
    why_no_interval: str = ""  # of recall
    phantoms: tuple[tuple[str, int], ...] = ()  # those with the most false positives
    holders: tuple[tuple[str, int], ...] = ()  # those with the most truths

    @property
    def recall(self) -> float | None:
        """Give the share of truths that were found."""
        return self.matched / self.truths if self.truths else None

    @property
    def precision(self) -> float | None:
        """Give the share of detections that have a truth; None where nobody knows which slice false positives have."""
        if self.false_positives is None:
            return None
        found = self.matched + self.false_positives
        return self.matched / found if found else None

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        intervals = {
            "recall_interval": self.recall_interval,
            "precision_interval": self.precision_interval,
            "map_50_interval": self.map_50_interval,
        }
        return {
            "dimension": self.dimension,
            "value": self.value,
            "recall": self.recall,
            "precision": self.precision,
            "map_50": self.map_50,
            **{name: None if each is None else each.as_json() for name, each in intervals.items()},
            "why_no_interval": self.why_no_interval or None,
            "truths": self.truths,
            "matched": self.matched,
            "false_positives": self.false_positives,
            "drives": self.drives,
            "examples": _plain(self.examples),
            "phantoms": _plain(self.phantoms),
        }


def _plain(frames: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    return [{"drive": drive, "frame": seq} for drive, seq in frames]


def _telling(rows: MatchRows) -> MatchRows:
    """Rank the rows once for all slices, without those that change no AP50: ignored ones, and below the last hit."""
    hit = (rows.hits[0] & _AT_50) != 0
    lowest = np.full(int(rows.columns.max(initial=-1)) + 1, np.inf, np.float32)
    np.minimum.at(lowest, rows.columns[hit], rows.scores[hit])
    counts = np.flatnonzero(((rows.ignored[0] & _AT_50) == 0) & (rows.scores >= lowest[rows.columns]))
    order = counts[np.lexsort((-rows.scores[counts], rows.columns[counts]))]
    columns = rows.columns[order]
    hits = np.flatnonzero(rows.hits[0][order] & _AT_50)
    last = np.full(int(columns.max(initial=-1)) + 1, -1)
    last[columns[hits]] = hits  # the last one stays
    order = order[np.arange(len(order)) <= last[columns]]
    rows = replace(rows, hits=rows.hits[:1], ignored=rows.ignored[:1])  # of all areas
    return MatchRows(**{each.name: getattr(rows, each.name)[..., order] for each in fields(MatchRows)})


class SliceReader:
    """Reads the slices of one model; its rows must not change meanwhile."""

    def __init__(
        self, book: FrameBook, objects: SliceColumns, shown: SliceColumns, precision: AveragePrecision | None
    ) -> None:
        self._book, self._objects, self._shown = book, objects, shown
        self._counted, self._false = objects.counted(), shown.counted()
        self._drives = book.places()[0]
        self._clusters = clusters_of(book)
        self._draws = self._clusters.draws() if len(self._clusters) >= FEWEST else None
        self._classes = 0
        if precision is not None:
            self._lay_out(precision)

    def figures(
        self, column: int, dimension: str, values: tuple[str, ...], *, with_intervals: bool
    ) -> list[SliceFigures]:
        """Read the figures of one dimension, its values in the order of their names."""
        # Where the attribute of a false positive is unknown, it is missing in the slice it belongs to.
        false = self._false.codes[:, column]
        present = {values[code] for code in np.unique(self._counted.codes[:, column]).tolist() if code >= 0}
        unknown = values.index(UNKNOWN) if UNKNOWN in values else -2
        is_open = dimension.startswith(PREFIX) or (  # nobody says what a detection wears
            bool((false == unknown).any())
            and bool(present - {UNKNOWN} or {code for code in np.unique(false).tolist() if code >= 0} - {unknown})
        )
        found = []
        for value, code in sorted((value, code) for code, value in enumerate(values)):
            hides = is_open and value != UNKNOWN
            one = self._one(column, code, dimension, value, hides=hides, with_intervals=with_intervals)
            if one.truths or one.false_positives or (hides and (false == code).any()):
                found.append(one)
        return found

    def _one(
        self, column: int, code: int, dimension: str, value: str, *, hides: bool, with_intervals: bool
    ) -> SliceFigures:
        mine = self._counted.codes[:, column] == code
        frames, hit = self._counted.frames[mine], self._counted.hit[mine]
        false = self._false.frames[self._false.codes[:, column] == code]
        ranked = None
        if self._classes and not hides and (len(frames) or len(false)):
            ranked = self._ranked(column, code)
        one = SliceFigures(
            dimension,
            value,
            len(frames),
            int(hit.sum()),
            None if hides else len(false),
            len(np.unique(self._drives[frames])),
            None if ranked is None else ranked.averages().mean[1],
            self._most(frames[~hit]),
            phantoms=() if hides else self._most(false),
            holders=self._most(frames),
        )
        return self._sure(one, frames, hit, false, ranked) if with_intervals else one

    def _sure(
        self,
        one: SliceFigures,
        frames: NDArray[np.int32],
        hit: NDArray[np.bool_],
        false: NDArray[np.int32],
        ranked: RankedRows | None,
    ) -> SliceFigures:
        """Add the intervals, over the drives or blocks that hold something of the slice."""
        clusters = self._clusters
        if not len(frames):
            return replace(one, why_no_interval="there is no label in this slice")
        truths = clusters.sums(frames)
        held = int(np.count_nonzero(truths))
        if self._draws is None or held < FEWEST:
            few = f"its labels lie in {held} × {clusters.unit} only: an interval needs {FEWEST} at least"
            return replace(one, why_no_interval=why_no_interval(clusters) if self._draws is None else few)
        matched = self._draws @ clusters.sums(frames[hit])
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = matched / (self._draws @ truths)
            precision = matched / (matched + self._draws @ clusters.sums(false))
        sure = percentile_interval(recall, clusters)
        return replace(
            one,
            recall_interval=sure,
            precision_interval=None if one.precision is None else percentile_interval(precision, clusters),
            map_50_interval=None if ranked is None or one.map_50 is None else self._interval_of_ap(ranked),
            why_no_interval="" if sure is not None else why_no_interval(clusters),
        )

    def _interval_of_ap(self, ranked: RankedRows) -> Interval | None:
        clusters = self._clusters
        assert self._draws is not None

        grouped = ranked.grouped(clusters.of_frame)

        def read(weights: NDArray[np.int64]) -> NDArray[np.float64]:
            value = grouped.averages(weights).mean[1]
            return np.array([np.nan if value is None else value])

        if len(clusters) <= _FEW:
            return t_interval(jackknife(read, len(clusters))[:, 0], clusters.unit)
        return percentile_interval(resample(read, self._draws[:_RESAMPLES])[:, 0], clusters)

    def _most(self, rows: NDArray[np.int32]) -> tuple[tuple[str, int], ...]:
        """Name the frames that occur most often, each once, the earlier of equal ones first."""
        frames, counts = np.unique(rows, return_counts=True)
        most = frames[np.argsort(-counts, kind="stable")[:_EXAMPLES]].tolist()
        seen = [self._book.frames[frame] for frame in most]
        return tuple((self._book.drives[each.drive], each.seq) for each in seen)

    def _lay_out(self, precision: AveragePrecision) -> None:
        """Bring match rows at IoU .5 together with the rows of labels and detections that they speak of."""
        every, truths = precision.rows()
        rows = _telling(every)
        self._classes = len(precision.judged)
        count = len(self._book.frames)
        first_object = np.searchsorted(self._objects.frames, np.arange(count))
        first_shown = np.searchsorted(self._shown.frames, np.arange(count))
        self._object_of_truth = first_object[truths.frames] + truths.rows
        partner = np.maximum(rows.truths, 0)
        self._is_matched = rows.truths >= 0
        place = np.where(self._is_matched, first_object[rows.frames] + partner, 0)
        self._object_of_row = place
        self._shown_of_row = first_shown[rows.frames] + rows.rows
        self._hits = rows.hits[:1] & _AT_50
        self._ignored = np.where(rows.ignored[:1] & _AT_50, _NOWHERE, np.uint16(0))
        self._rows, self._truths = rows, truths

    def _ranked(self, column: int, code: int) -> RankedRows:
        """Rank what belongs to a slice: a match where its label does, any other detection where it does itself."""
        of_objects, of_shown = self._objects.codes[:, column] == code, self._shown.codes[:, column] == code
        belongs = of_shown[self._shown_of_row]
        matched = self._is_matched
        belongs[matched] = of_objects[self._object_of_row[matched]]
        rows = replace(
            self._rows,
            hits=np.where(belongs, self._hits, np.uint16(0)),
            ignored=np.where(belongs, self._ignored, _NOWHERE),
        )
        inside = of_objects[self._object_of_truth]
        return RankedRows(rows, replace(self._truths, counted=self._truths.counted & inside), self._classes)
