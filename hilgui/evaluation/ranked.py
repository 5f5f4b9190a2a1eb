"""Ranked rows: average precision and recall from match rows, for any weights of frames.

Between two true positives precision only falls, so a precision-recall curve is known by its true positives. They
are laid out once, by IoU threshold, class and falling score; a reading is then a few sums over them. With weights
(how often a resample drew each frame) the reading equals that of the drives repeated so many times.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.match_rows import THRESHOLDS, MatchRows, TruthRows

RECALLS: NDArray[np.float64] = np.linspace(0.0, 1.0, 101)

_LEVELS = len(THRESHOLDS)
_AT_50, _AT_75 = 0, 5  # positions in THRESHOLDS
_EVERYWHERE = np.uint16((1 << _LEVELS) - 1)
_FEW = 1 << 15  # rows that are laid out at all thresholds at once, which is quicker and takes half a kilobyte a row


@dataclass(frozen=True, slots=True, eq=False)
class Averages:
    """Average precision of each class at each IoU threshold; NaN for a class without truths."""

    precision: NDArray[np.float64]  # (thresholds, classes)
    truths: NDArray[np.float64]  # (classes,) counted ones

    @property
    def mean(self) -> tuple[float | None, float | None, float | None]:
        """Give mAP .50:.95, AP50 and AP75 over the classes that have truths."""
        rows = (self.precision, self.precision[_AT_50], self.precision[_AT_75])
        first, second, third = (known_mean(each) for each in rows)
        return first, second, third

    def of_class(self, column: int) -> tuple[float | None, float | None, float | None]:
        """Give AP, AP50 and AP75 of one class."""
        mine = self.precision[:, column]
        first, second, third = (known_mean(each) for each in (mine, mine[_AT_50], mine[_AT_75]))
        return first, second, third


def known_mean(values: NDArray[np.float64] | np.float64) -> float | None:
    """Average what is not NaN; None where nothing is. One order of adding, so that figures repeat to the last bit."""
    flat = np.ravel(values)
    known = flat[~np.isnan(flat)]
    return float(known.mean()) if known.size else None


class RankedRows:
    """The rows of one area range in the order of class and falling score; of equal scores the earlier frame first."""

    def __init__(self, rows: MatchRows, truths: TruthRows, classes: int, area: int = 0) -> None:
        everywhere = np.uint16((1 << _LEVELS) - 1)
        kept = np.flatnonzero((rows.ignored[area] != everywhere) | (rows.hits[area] != 0))  # the others change nothing
        order = kept if _is_ranked(rows.columns[kept], rows.scores[kept]) else kept[_ranking(rows, kept)]
        self.classes = classes
        self.frames = rows.frames[order]
        self.columns = rows.columns[order]
        self.ranks = rows.ranks[order]
        self.scores = rows.scores[order]
        self.hits = rows.hits[area][order]
        self.ignored = rows.ignored[area][order]
        counted = truths.counted[area]
        self.truth_frames, self.truth_columns = truths.frames[counted], truths.columns[counted]
        self.whole: _TruePositives | None = None  # laid out when first asked for
        is_plain = self.ignored == 0
        plain = np.flatnonzero(is_plain)  # rows that count at every threshold
        self.plain_frames, self.plain_counts = self.frames[plain].astype(np.int64), np.ones(len(plain))
        self.plain_until = np.zeros(len(order) + 1, np.int64)  # how many of them lie before a row
        np.cumsum(is_plain, out=self.plain_until[1:])
        self.starts = np.searchsorted(self.columns, np.arange(classes))
        self.candidates = np.flatnonzero(self.hits != 0)
        self.mixed = np.flatnonzero(~is_plain & (self.ignored != _EVERYWHERE))  # count at some thresholds

    def grouped(self, of_frame: NDArray[np.int64]) -> RankedRows:
        """Give the same rows with groups in place of frames (`of_frame` says which), to be read for many draws.

        What lies between two true positives counts together: it is kept once a group, with how many there are.
        """
        grouped = copy(self)
        groups_of = of_frame.astype(np.int32)
        grouped.frames, grouped.truth_frames = groups_of[self.frames], groups_of[self.truth_frames]
        stops = self.plain_until[np.union1d(self.candidates + 1, self.starts)]
        stretch = np.searchsorted(stops, np.arange(len(self.plain_frames)), side="right")
        groups = int(of_frame.max(initial=0)) + 1
        keys, counts = np.unique(stretch * groups + of_frame[self.plain_frames], return_counts=True)
        grouped.plain_frames, grouped.plain_counts = keys % groups, counts.astype(np.float64)
        until = np.searchsorted(keys, np.arange(len(stops) + 1) * groups)  # of each stretch, the groups before it
        grouped.plain_until = until[np.searchsorted(stops, self.plain_until, side="right")]
        grouped.whole = None
        return grouped

    def averages(self, weights: NDArray[np.int64] | None = None) -> Averages:
        """Read average precision; `weights` says how often each frame counts, (frames,), None: once.

        Without weights one threshold is laid out after the other, so that a long run is read in a tenth of the memory.
        """
        truths = self._truths(weights)
        if weights is None and len(self.frames) > _FEW:
            rows = [_TruePositives(self, (level,)).averages(truths) for level in range(_LEVELS)]
            return Averages(np.concatenate(rows), truths)
        if self.whole is None:
            self.whole = _TruePositives(self, range(_LEVELS))
        return Averages(self.whole.averages(truths, weights), truths)

    def average(self, level: int) -> float | None:
        """Read average precision at one of THRESHOLDS over the classes that have truths."""
        return known_mean(_TruePositives(self, (level,)).averages(self._truths(None)))

    def recalls(self, most: int, weights: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Read recall with the `most` best detections a frame and class: (thresholds, classes), NaN without truths."""
        truths = self._truths(weights)
        near = self.candidates[self.ranks[self.candidates] < most]
        hits, columns = self.hits[near], self.columns[near]
        drawn = np.ones(len(near)) if weights is None else weights[self.frames[near]]
        at = [(hits & np.uint16(1 << level)) != 0 for level in range(_LEVELS)]
        counts = np.stack([np.bincount(columns[which], drawn[which], self.classes) for which in at])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(truths > 0, counts / truths, np.nan)

    def hits_within(self, most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Give the rows among the `most` best a frame and class that hit, and at how many thresholds each does."""
        rows = np.flatnonzero((self.hits != 0) & (self.ranks < most))
        bits = self.hits[rows, None] >> np.arange(_LEVELS, dtype=np.uint16)
        return rows, (bits & 1).sum(axis=1).astype(np.float64)

    def curve(
        self, column: int, level: int = 0
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
        """Give recall, precision (without envelope) and score of one class at one threshold, at its true positives."""
        low, high = np.searchsorted(self.columns, (column, column + 1))
        bit = np.uint16(1 << level)
        hit = (self.hits[low:high] & bit) != 0
        shown = np.cumsum((self.ignored[low:high] & bit) == 0)
        true = np.cumsum(hit)
        truths = int(np.count_nonzero(self.truth_columns == column))
        return true[hit] / max(truths, 1), true[hit] / shown[hit], self.scores[low:high][hit]

    def _truths(self, weights: NDArray[np.int64] | None) -> NDArray[np.float64]:
        mine = None if weights is None else weights[self.truth_frames]
        return np.bincount(self.truth_columns, mine, self.classes).astype(np.float64)


class _TruePositives:
    """The true positives of ranked rows at some thresholds, one threshold and class (a segment) after the other."""

    def __init__(self, ranked: RankedRows, levels: Sequence[int]) -> None:
        self._ranked = ranked
        self._classes = ranked.classes
        self._levels = len(levels)
        self._lay_out(levels)

    def averages(self, truths: NDArray[np.float64], weights: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Give average precision, (thresholds, classes)."""
        if not len(self._hit):
            return np.where(truths > 0, np.zeros((self._levels, 1)), np.nan)
        true, shown = self._true(weights), self._shown(weights)
        shown += np.spacing(1)
        precision = true / shown
        envelope = self._envelope(precision) if weights is None else self._quick_envelope(precision)
        true /= self._spread(np.maximum(truths, 1.0)[self._columns_of])
        points = _points(true)
        gained = points.copy()
        gained[1:] -= points[:-1]
        gained[self._at] = points[self._at]
        averages = np.zeros(self._levels * self._classes)
        averages[self._segments] = np.add.reduceat(envelope * gained, self._at) / len(RECALLS)
        return np.where(truths > 0, averages.reshape(self._levels, self._classes), np.nan)

    def _true(self, weights: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Count the true positives up to each one within its segment."""
        if weights is None:
            return np.arange(1.0, len(self._hit) + 1) - self._spread(self._at.astype(np.float64))
        found = weights.astype(np.float64)[self._hit_frames]
        sums = np.cumsum(found)
        sums -= self._spread(sums[self._at] - found[self._at])
        return sums

    def _shown(self, weights: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Count the detections that are not ignored up to each true positive within its segment."""
        plain, mixed = self._ranked.plain_counts, np.ones(len(self._mixed))
        if weights is not None:
            plain, mixed = plain * weights[self._ranked.plain_frames], weights[self._mixed_frames].astype(np.float64)
        sums = _sums(plain)
        shown = sums[self._plain_to]
        shown -= self._spread(sums[self._plain_from])
        if len(mixed):
            sums = _sums(mixed)
            shown += sums[self._mixed_to]
            shown -= self._spread(sums[self._mixed_from])
        return shown

    def _spread(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Repeat a value of each segment for its true positives."""
        return np.repeat(values, self._lengths)

    def _lay_out(self, levels: Sequence[int]) -> None:
        ranked, candidates, mixed_rows = self._ranked, self._ranked.candidates, self._ranked.mixed
        hits: list[NDArray[np.int64]] = []
        mixed: list[NDArray[np.int64]] = []
        until: list[NDArray[np.int64]] = []
        since: list[NDArray[np.int64]] = []
        segments: list[NDArray[np.int64]] = []
        offset = 0
        for place, level in enumerate(levels):
            bit = np.uint16(1 << level)
            hit = candidates[(ranked.hits[candidates] & bit) != 0]
            part = mixed_rows[(ranked.ignored[mixed_rows] & bit) == 0]
            present = np.unique(ranked.columns[hit]).astype(np.int64)
            hits.append(hit)
            mixed.append(part)
            segments.append(present + place * self._classes)
            until.append(np.searchsorted(part, hit, side="right") + offset)
            since.append(np.searchsorted(part, ranked.starts[present], side="left") + offset)
            offset += len(part)
        self._hit = np.concatenate(hits)  # row of each true positive, thresholds one after the other
        self._plain_to = ranked.plain_until[self._hit + 1]
        self._hit_frames = ranked.frames[self._hit].astype(np.int64)
        self._mixed = np.concatenate(mixed)  # rows that count at this threshold but not at all of them
        self._mixed_to, self._mixed_from = np.concatenate(until), np.concatenate(since)
        self._segments = np.concatenate(segments)  # threshold and class, where there is a true positive
        self._mixed_frames = ranked.frames[self._mixed]
        self._columns_of = self._segments % max(self._classes, 1)
        self._plain_from = ranked.plain_until[ranked.starts[self._columns_of]]
        places = np.repeat(np.arange(self._levels), [len(hit) for hit in hits])
        segment = places * self._classes + ranked.columns[self._hit]
        self._at = np.searchsorted(segment, self._segments)  # first true positive of each segment
        self._lengths = np.diff(np.append(self._at, len(self._hit)))
        self._lift = -2.0 * segment[::-1]

    def _envelope(self, precision: NDArray[np.float64]) -> NDArray[np.float64]:
        envelope = precision.copy()
        for start, end in pairwise([*self._at.tolist(), len(envelope)]):
            part = envelope[start:end][::-1]
            np.maximum.accumulate(part, out=part)
        return envelope

    def _quick_envelope(self, precision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take the running maximum from behind in all segments at once; exact to some 1e-13."""
        lifted = precision[::-1] + self._lift
        np.maximum.accumulate(lifted, out=lifted)
        lifted -= self._lift
        return lifted[::-1]


def _ranking(rows: MatchRows, kept: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order rows by class and falling score."""
    return np.lexsort((-rows.scores[kept], rows.columns[kept]))


def _is_ranked(columns: NDArray[np.int32], scores: NDArray[np.float32]) -> bool:
    """Say whether rows lie in that order already, as those of a slice do."""
    step = np.diff(columns)
    return bool(((step > 0) | ((step == 0) & (scores[1:] <= scores[:-1]))).all())


def _sums(values: NDArray[Any]) -> NDArray[np.float64]:
    """Sum up, with the empty sum in front."""
    sums = np.zeros(len(values) + 1)
    np.cumsum(values, out=sums[1:])
    return sums


def _points(recall: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the recall points up to each recall, as `searchsorted` from the right does and ten times quicker."""
    scaled = recall * 100.0
    scaled += 1e-9
    whole = scaled.astype(np.int64)
    whole += RECALLS[whole] <= recall
    return whole
