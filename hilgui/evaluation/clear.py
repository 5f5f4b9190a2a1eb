"""CLEAR MOT: misses, false alarms and identity switches, frame by frame (Bernardin and Stiefelhagen, 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

MATCH_IOU = 0.5
_MOSTLY, _PARTLY = 0.8, 0.2  # shares of an object's life
_LOYALTY = 1000.0  # a pair that was matched in the frame before comes before any IoU
_ROUNDING = np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class ClearFigures:
    """Counts and ratios of CLEAR; a ratio is None where it would divide by nothing."""

    frames: int
    truths: int  # boxes
    true_positives: int
    false_positives: int
    misses: int
    switches: int  # against the identity the truth was last matched with, however long ago
    fragmentations: int
    mostly_tracked: int  # objects matched in more than 80 % of their frames
    partly_tracked: int
    mostly_lost: int  # in less than 20 %
    overlap: float  # sum of IoU of the matches

    @property
    def mota(self) -> float | None:
        """Give 1 − (misses + false positives + switches) / truths; may be negative."""
        if not self.truths:
            return None
        return (self.true_positives - self.false_positives - self.switches) / self.truths

    @property
    def motp(self) -> float | None:
        """Give the mean IoU of the matches (motmetrics gives 1 minus it)."""
        return self.overlap / self.true_positives if self.true_positives else None

    @property
    def objects(self) -> int:
        """Count the objects of the truth."""
        return self.mostly_tracked + self.partly_tracked + self.mostly_lost

    def __add__(self, other: ClearFigures) -> ClearFigures:
        """Add the counts of another class or drive."""
        names = self.__slots__
        return ClearFigures(*(getattr(self, name) + getattr(other, name) for name in names))

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        counts = {name: getattr(self, name) for name in self.__slots__ if name != "overlap"}
        return {"mota": self.mota, "motp": self.motp, "objects": self.objects, **counts}


NOTHING = ClearFigures(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.0)


@dataclass(slots=True)
class _Life:
    """One object of the truth."""

    first: int  # frame in which it was seen first
    frames: int = 0
    matched: int = 0
    spells: int = 0  # unbroken runs of matches
    last: int = -1  # identity it was last matched with


class Clear:
    """Matches truth and tracker frame by frame; figures equal trackeval's to the last digit.

    Pairs need IoU .5; those of the frame before are kept first, then the sum of IoU is largest. A frame in which one
    side is empty does not break a pair, as in trackeval. One thread.
    """

    def __init__(self) -> None:
        self._lives: dict[int, _Life] = {}
        self._before: dict[int, int] = {}
        self._frames = self._matched = self._false = self._switches = 0
        self._overlap = 0.0

    def add(
        self, truths: list[int], tracked: list[int], overlap: NDArray[np.float64], frame: int = 0
    ) -> tuple[int, int, int, float]:
        """Take a frame: identities from 0 of both sides, IoU (truths, tracked), its number for `objects`.

        Gives what it adds: matches, switches of identity, objects that were found again, and the IoU of the matches.
        """
        self._frames += 1
        for truth in truths:
            self._lives.setdefault(truth, _Life(frame)).frames += 1
        if not truths or not tracked:
            self._false += len(tracked)
            return 0, 0, 0, 0.0
        switches = resumed = 0
        near = overlap >= MATCH_IOU - _ROUNDING
        rows, columns = np.nonzero(near)
        if len(rows) > 1 and (near.sum(axis=0).max() > 1 or near.sum(axis=1).max() > 1):
            rows, columns = self._best(truths, tracked, overlap, near)
        matched = {truths[row]: tracked[column] for row, column in zip(rows.tolist(), columns.tolist(), strict=True)}
        for truth, number in matched.items():
            life = self._lives[truth]
            if life.last not in (-1, number):
                switches += 1
            life.last = number
            life.matched += 1
            if truth not in self._before:
                resumed += life.spells > 0
                life.spells += 1
        self._before = matched
        self._switches += switches
        self._matched += len(matched)
        self._false += len(tracked) - len(matched)
        inside = float(overlap[rows, columns].sum())
        self._overlap += inside
        return len(matched), switches, resumed, inside

    def objects(self) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Give the first frame of each object, and whether it was mostly tracked or mostly lost."""
        lives = self._lives.values()
        shares = np.array([life.matched / life.frames for life in lives])
        return np.array([life.first for life in lives], np.int64), shares > _MOSTLY, shares < _PARTLY

    def figures(self) -> ClearFigures:
        """Read the figures so far."""
        shares = [life.matched / life.frames for life in self._lives.values()]
        mostly = sum(share > _MOSTLY for share in shares)
        partly = sum(_PARTLY <= share <= _MOSTLY for share in shares)
        truths = sum(life.frames for life in self._lives.values())
        return ClearFigures(
            frames=self._frames,
            truths=truths,
            true_positives=self._matched,
            false_positives=self._false,
            misses=truths - self._matched,
            switches=self._switches,
            fragmentations=sum(life.spells - 1 for life in self._lives.values() if life.spells),
            mostly_tracked=mostly,
            partly_tracked=partly,
            mostly_lost=len(shares) - mostly - partly,
            overlap=self._overlap,
        )

    def _best(
        self, truths: list[int], tracked: list[int], overlap: NDArray[np.float64], near: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        worth = overlap.copy()
        place = {number: column for column, number in enumerate(tracked)}
        for row, truth in enumerate(truths):
            column = place.get(self._before.get(truth, -1))  # -1: not matched then
            if column is not None:
                worth[row, column] += _LOYALTY
        worth[~near] = 0.0
        rows, columns = linear_sum_assignment(worth, maximize=True)
        real = worth[rows, columns] > 0
        return rows[real], columns[real]
