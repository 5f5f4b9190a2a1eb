"""The errors of a detector split by their cause, and what average precision would gain without each.

After TIDE (Bolya et al., ECCV 2020): IoU .5 makes a match, below .1 is background. A detection without match is

- localisation: best IoU with a truth of its class .1 to .5,
- classification: IoU ≥ .5 with a truth of another class,
- duplicate: IoU ≥ .5 with a truth of its class that a better detection has,
- background: IoU ≤ .1 with every truth,
- both: anything else (.1 to .5 with another class),

asked in this order; missed is a truth that no detection matched and none of the first two speaks of. Fixing a
localisation or classification error turns the best detection that speaks of a free truth into its match and takes the
others away; fixing both, duplicate and background takes the detections away; fixing missed takes the truths away.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.match_rows import THRESHOLDS, MatchRows, TruthRows
from hilgui.evaluation.nearest import Nearest
from hilgui.evaluation.ranked import RankedRows

ERRORS = ("classification", "localisation", "both", "duplicate", "background", "missed")

MATCH_IOU, BACKGROUND_IOU = 0.5, 0.1

_CLS, _LOC, _BOTH, _DUPE, _BKG, _MISS = range(len(ERRORS))
_AT_50 = np.uint16(1)
_NOWHERE = np.uint16((1 << len(THRESHOLDS)) - 1)  # ignored at every threshold


@dataclass(frozen=True, slots=True, eq=False)
class ErrorSplit:
    """Which error every detection and truth is, and the gain in AP50 of fixing each kind."""

    detections: NDArray[np.int8]  # (N,) position in ERRORS, -1: no error or not counted
    truths: NDArray[np.int8]  # (G,) "missed", or -1
    mended: Mended

    @property
    def gains(self) -> dict[str, float | None]:
        """Give AP50 without each error minus AP50."""
        return self.mended.gains()

    def count(self, error: str) -> int:
        """Count the errors of a kind."""
        rows = self.truths if error == "missed" else self.detections
        return int(np.count_nonzero(rows == ERRORS.index(error)))


def split_errors(rows: MatchRows, truths: TruthRows, near: Nearest, classes: int) -> ErrorSplit:
    """Split the errors at IoU .5 over all kept scores."""
    hit, ignored = (rows.hits[0] & _AT_50) != 0, (rows.ignored[0] & _AT_50) != 0
    wrong = ~hit & ~ignored
    is_loc = wrong & (near.own >= BACKGROUND_IOU) & (near.own < MATCH_IOU)
    is_cls = wrong & ~is_loc & (near.other >= MATCH_IOU)
    is_dupe = wrong & ~is_loc & ~is_cls & (near.own >= MATCH_IOU)
    is_bkg = wrong & ~is_loc & ~is_cls & ~is_dupe & (np.maximum(near.own, near.other) <= BACKGROUND_IOU)
    kinds = np.full(len(hit), -1, np.int8)
    kinds[wrong] = _BOTH
    for kind, mask in ((_LOC, is_loc), (_CLS, is_cls), (_DUPE, is_dupe), (_BKG, is_bkg)):
        kinds[mask] = kind
    free = truths.counted[0] & ((truths.hits[0] & _AT_50) == 0)
    spoken = np.zeros(len(free), np.bool_)
    spoken[near.own_truth[is_loc]] = True
    spoken[near.other_truth[is_cls]] = True
    missed = np.where(free & ~spoken, np.int8(_MISS), np.int8(-1))
    return ErrorSplit(kinds, missed, Mended(rows, truths, near, classes, kinds, free, missed >= 0))


class Mended:
    """The rows at IoU .5 as they are, and with the errors of each kind mended; read for any weights of frames."""

    def __init__(
        self,
        rows: MatchRows,
        truths: TruthRows,
        near: Nearest,
        classes: int,
        kinds: NDArray[np.int8],
        free: NDArray[np.bool_],
        missed: NDArray[np.bool_],
    ) -> None:
        hits = rows.hits[:1] & _AT_50
        # What does not count at IoU .5 counts nowhere: the other thresholds are not read.
        ignored = np.where(rows.ignored[:1] & _AT_50, _NOWHERE, np.uint16(0))
        plain = replace(rows, hits=hits, ignored=ignored)
        fixed: dict[str, tuple[MatchRows, TruthRows]] = {}
        for kind in (_BOTH, _DUPE, _BKG):
            fixed[ERRORS[kind]] = (replace(plain, ignored=np.where(kinds == kind, _NOWHERE, ignored)), truths)
        for kind, partner in ((_LOC, near.own_truth), (_CLS, near.other_truth)):
            speaking = np.flatnonzero(kinds == kind)
            chosen = _best_of_each(speaking, partner[speaking], rows.scores, free)
            columns = rows.columns.copy()
            columns[chosen] = truths.columns[partner[chosen]]
            mended = hits.copy()
            mended[0, chosen] = _AT_50
            away = np.where(kinds == kind, _NOWHERE, ignored)
            away[0, chosen] = 0
            fixed[ERRORS[kind]] = (replace(plain, columns=columns, hits=mended, ignored=away), truths)
        fixed[ERRORS[_MISS]] = (plain, replace(truths, counted=truths.counted & ~missed))
        self.now = RankedRows(plain, truths, classes)
        self.fixed = {name: RankedRows(*fixed[name], classes) for name in ERRORS}

    def grouped(self, of_frame: NDArray[np.int64]) -> Mended:
        """Give the same with groups in place of frames, to be read for many draws."""
        grouped = copy(self)
        grouped.now = self.now.grouped(of_frame)
        grouped.fixed = {name: ranked.grouped(of_frame) for name, ranked in self.fixed.items()}
        return grouped

    def gains(self, weights: NDArray[np.int64] | None = None) -> dict[str, float | None]:
        """Give what AP50 gains without each kind of error; `weights` says how often each frame counts."""
        now = self.now.averages(weights).mean[1]
        if now is None:
            return dict.fromkeys(ERRORS)
        without = {name: ranked.averages(weights).mean[1] for name, ranked in self.fixed.items()}
        return {name: None if value is None else value - now for name, value in without.items()}


def _best_of_each(
    speaking: NDArray[np.int64], partner: NDArray[np.int32], scores: NDArray[np.float32], free: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Choose for each free truth the best detection that speaks of it."""
    which = free[partner]
    speaking, partner = speaking[which], partner[which]
    order = np.lexsort((-scores[speaking], partner))
    speaking, partner = speaking[order], partner[order]
    return speaking[np.concatenate(([True], partner[1:] != partner[:-1]))] if len(partner) else speaking
