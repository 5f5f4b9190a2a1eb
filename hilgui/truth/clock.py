"""Two clocks: the time of the labels beside that of the recording, and the constant offset between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.numerals import number_of

LOUD_S = 0.05  # an offset that moves boxes visibly

_REACH_S = 2.0  # further apart are two recordings, or two days
_ENOUGH = 5  # stamps below which any offset would fit
_SHARE = 0.9  # of the stamps have to find a frame before a shift by whole frames is believed
_SHOWN_S = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Which frame each labelled stamp means."""

    nearest: NDArray[np.int64]  # (labels,) index into the stamps of the recording, -1 where none is near
    gaps_s: NDArray[np.float64]  # (labels,) distance to it once the offset is added
    offset_s: float  # to be added to the labels' clock


def match_times(stamps: NDArray[np.float64], wanted: NDArray[np.float64]) -> Matched:
    """Give every labelled time the nearest stamp within half a period, after the best constant offset.

    `stamps` are sorted seconds of the recording, at least one. The offset is the one that matches most stamps, then
    the one that leaves the least distance, then the smallest; a regular clock alone cannot tell a shift by whole
    frames, so such a shift counts only where it is needed for nine tenths of the frames or labels to meet. Below five
    labels the clocks are taken as they are.
    """
    if len(stamps) < 2:
        return _matched(stamps, wanted, 0.0, 1e-3)
    period_s = float(np.median(np.diff(stamps)))
    reach_s = period_s / 2 * (1 + 1e-9)
    best = _matched(stamps, wanted, 0.0, reach_s)
    if len(wanted) < _ENOUGH or period_s <= 0:
        return best
    best = _refined(stamps, wanted, best, reach_s)
    needed = _SHARE * min(len(stamps), len(wanted))
    count, spread = _score(best)
    for steps in range(1, int(_REACH_S / period_s) + 1):
        for shift in (steps * period_s, -steps * period_s):
            tried = _refined(stamps, wanted, _matched(stamps, wanted, shift, reach_s), reach_s)
            found, left = _score(tried)
            if found >= needed and (found > count or (found == count and left < spread)):
                best, count, spread = tried, found, left
    return best


def offset_note(offset_s: float, frames: int) -> tuple[str, ...]:
    """Put an offset into words for the operator; nothing below a millisecond."""
    if abs(offset_s) < _SHOWN_S:
        return ()
    late = "behind" if offset_s > 0 else "ahead of"
    told = f"the labels' clock is {abs(offset_s) * 1000:.0f} ms {late} the recording's (median over "
    told += f"{number_of(frames, 'frame')})"
    return (f"{told}: more than {LOUD_S * 1000:.0f} ms, check the time stamps" if abs(offset_s) > LOUD_S else told,)


def _matched(stamps: NDArray[np.float64], wanted: NDArray[np.float64], offset_s: float, reach_s: float) -> Matched:
    moved = wanted + offset_s
    if len(stamps) == 1:
        nearest = np.zeros(len(moved), np.int64)
    else:
        after = np.clip(np.searchsorted(stamps, moved), 1, len(stamps) - 1)
        nearest = np.where(moved - stamps[after - 1] <= stamps[after] - moved, after - 1, after)
    gaps = np.abs(stamps[nearest] - moved)
    return Matched(np.where(gaps <= reach_s, nearest, -1), gaps, offset_s)


def _refined(stamps: NDArray[np.float64], wanted: NDArray[np.float64], matched: Matched, reach_s: float) -> Matched:
    """Centre the residuals; keep what was there where that loses a match."""
    near = matched.nearest >= 0
    if not near.any():
        return matched
    residual_s = float(np.median(stamps[matched.nearest[near]] - wanted[near])) - matched.offset_s
    if abs(residual_s) < _SHOWN_S / 2:
        return matched
    centred = _matched(stamps, wanted, matched.offset_s + residual_s, reach_s)
    return centred if _score(centred)[0] >= _score(matched)[0] else matched


def _score(matched: Matched) -> tuple[int, float]:
    """Count the frames that found a label, and tell the mean distance in whole milliseconds."""
    near = matched.nearest >= 0
    frames = len(np.unique(matched.nearest[near]))
    return frames, round(float(matched.gaps_s[near].mean()), 3) if frames else 0.0
