"""What tracking figures are made of, frame by frame: for their intervals, and for the frames behind them.

Identities stay paired as over the whole drives. Those of two drives never meet, so for resampled drives the figures are
those that judging the drawn drives anew would give; for blocks of a drive the pairing is held as it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.clusters import Clusters
from hilgui.evaluation.hota import ALPHAS, hota_matches
from hilgui.evaluation.identity import agreed_rows
from hilgui.evaluation.row_log import RowLog
from hilgui.evaluation.shares import Shares
from hilgui.evaluation.track_rows import Pairs

Floats = NDArray[np.float64]

_NEWEST = 1024  # frames whose counts are at hand
_HALF = 0.5  # α at which a frame is blamed for its associations


@dataclass(frozen=True, slots=True, eq=False)
class FrameCounts:
    """One row for each judged frame with a truth or a track of one class."""

    frames: NDArray[np.int32]
    truths: NDArray[np.int32]
    tracked: NDArray[np.int32]
    matched: NDArray[np.int32]
    switches: NDArray[np.int32]
    resumed: NDArray[np.int32]  # objects that were found again after a gap
    overlap: NDArray[np.float64]  # sum of IoU of the matches

    @classmethod
    def joined(cls, parts: Sequence[FrameCounts]) -> FrameCounts:
        """Put blocks one after the other."""
        if not parts:
            none = np.empty(0, np.int32)
            return cls(none, none, none, none, none, none, np.empty(0))
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


class CountLog:
    """Collects the counts of one class, 32 bytes a frame; in a file once they are many."""

    def __init__(self, scratch: Path | None = None) -> None:
        self._before = RowLog(FrameCounts, scratch)
        self._counts = array("i")
        self._overlap = array("d")

    def add(
        self, frame: int, truths: int, tracked: int, matched: int, switches: int, resumed: int, overlap: float
    ) -> None:
        """Take a frame; one without a truth and a track leaves nothing."""
        if truths or tracked:
            self._counts.extend((frame, truths, tracked, matched, switches, resumed))
            self._overlap.append(overlap)
            if len(self._overlap) == _NEWEST:
                self._put_away()

    def rows(self) -> FrameCounts:
        """Give everything so far."""
        if self._overlap:
            self._put_away()
        return self._before.joined()

    def _put_away(self) -> None:
        frames, truths, tracked, matched, switches, resumed = np.array(self._counts, np.int32).reshape(-1, 6).T.copy()
        overlap = np.array(self._overlap)
        self._before.add(FrameCounts(frames, truths, tracked, matched, switches, resumed, overlap))
        self._counts, self._overlap = array("i"), array("d")


@dataclass(frozen=True, slots=True, eq=False)
class TrackParts:
    """The parts of one class."""

    counts: FrameCounts
    pairs: Pairs
    first: NDArray[np.int64]  # (objects,) frame in which each was seen first
    is_tracked: NDArray[np.bool_]  # (objects,) mostly
    is_lost: NDArray[np.bool_]


def track_values(parts: Sequence[TrackParts], clusters: Clusters, draws: NDArray[np.int64]) -> dict[str, Floats]:
    """Give every tracking figure of some classes together for every draw."""
    values = {name: share.resampled(clusters, draws) for name, share in _shares(parts).items()}
    sums = np.zeros((4, len(clusters), len(ALPHAS)))
    for part in parts:
        sums[3] += clusters.sums(part.counts.frames, (part.counts.truths + part.counts.tracked).astype(float))[:, None]
        found = hota_matches(part.pairs)
        for level, alpha in enumerate(ALPHAS):
            aligned, reached = found.alignment(alpha), found.at(alpha)[0]
            sums[0, :, level] += clusters.sums(found.frames, reached.astype(float))
            sums[1, :, level] += clusters.sums(found.frames, aligned)
            sums[2, :, level] += clusters.sums(found.frames, np.where(reached, found.overlap, 0.0))
    hits, aligned, overlap, boxes = (draws @ each for each in sums)
    det = hits / np.maximum(1, boxes - hits)
    ass = aligned / np.maximum(1, hits)
    loc = np.maximum(1e-10, overlap) / np.maximum(1e-10, hits)
    for name, each in (("hota", np.sqrt(det * ass)), ("det_a", det), ("ass_a", ass), ("loc_a", loc)):
        values[name] = np.where(boxes[:, 0] > 0, each.mean(axis=1), np.nan)
    return values


def _shares(parts: Sequence[TrackParts]) -> dict[str, Shares]:
    counts = FrameCounts.joined([part.counts for part in parts])
    frames = counts.frames.astype(np.int64)
    truths, tracked, matched, switches, resumed = (
        each.astype(np.float64)
        for each in (counts.truths, counts.tracked, counts.matched, counts.switches, counts.resumed)
    )
    agreed = np.concatenate([part.pairs.frames[agreed_rows(part.pairs)] for part in parts])
    ones = np.ones(len(agreed))
    first = np.concatenate([part.first for part in parts])
    is_tracked = np.concatenate([part.is_tracked for part in parts]).astype(np.float64)
    is_lost = np.concatenate([part.is_lost for part in parts]).astype(np.float64)

    return {
        "mota": Shares(frames, 2 * matched - tracked - switches, frames, truths, "truths"),
        "motp": Shares(frames, counts.overlap, frames, matched, "truths"),
        "idf1": Shares(agreed, 2 * ones, frames, truths + tracked, "truths"),
        "idp": Shares(agreed, ones, frames, tracked, "truths"),
        "idr": Shares(agreed, ones, frames, truths, "truths"),
        "id_switches": Shares(frames, switches, frames, None, "truths"),
        "fragmentations": Shares(frames, resumed, frames, None, "truths"),
        "mostly_tracked": Shares(first, is_tracked, first, None, "objects"),
        "mostly_lost": Shares(first, is_lost, first, None, "objects"),
    }


def blamed(parts: Sequence[TrackParts], figure: str) -> tuple[NDArray[np.int64], Floats] | None:
    """Give frames and how much each makes a tracking figure worse; None for a figure of others."""
    if figure not in _BLAMES:
        return None
    found = [each for part in parts for each in _BLAMES[figure](part)]
    if not found:
        return np.empty(0, np.int64), np.empty(0)
    return np.concatenate([frames for frames, _ in found]), np.concatenate([sizes for _, sizes in found])


_Blame = list[tuple[NDArray[np.int64], Floats]]


def _count(read: Callable[[FrameCounts], NDArray[np.integer] | Floats]) -> Callable[[TrackParts], _Blame]:
    return lambda part: [(part.counts.frames.astype(np.int64), np.asarray(read(part.counts), np.float64))]


def _identity(read: Callable[[FrameCounts], NDArray[np.integer]], each: float) -> Callable[[TrackParts], _Blame]:
    """Blame a frame for its boxes without those that carry the right identity."""

    def blame(part: TrackParts) -> _Blame:
        agreed = part.pairs.frames[agreed_rows(part.pairs)]
        return [*_count(read)(part), (agreed, np.full(len(agreed), -each))]

    return blame


def _association(part: TrackParts) -> _Blame:
    found = hota_matches(part.pairs)
    reached = found.at(_HALF)[0]
    return [(found.frames[reached], (1.0 - found.alignment(_HALF))[reached])]


_WRONG = _count(lambda counts: counts.truths + counts.tracked - 2 * counts.matched)
_UNTIGHT = _count(lambda counts: counts.matched - counts.overlap)
_MISSED = _count(lambda counts: counts.truths - counts.matched)

_BLAMES: dict[str, Callable[[TrackParts], _Blame]] = {
    "mota": _count(lambda counts: counts.truths + counts.tracked - 2 * counts.matched + counts.switches),
    "motp": _UNTIGHT,
    "loc_a": _UNTIGHT,
    "idf1": _identity(lambda counts: counts.truths + counts.tracked, 2.0),
    "idp": _identity(lambda counts: counts.tracked, 1.0),
    "idr": _identity(lambda counts: counts.truths, 1.0),
    "hota": lambda part: [*_WRONG(part), *_association(part)],
    "det_a": _WRONG,
    "ass_a": _association,
    "id_switches": _count(lambda counts: counts.switches),
    "fragmentations": _count(lambda counts: counts.resumed),
    "mostly_tracked": _MISSED,
    "mostly_lost": _MISSED,
}
