"""Statistics of paired drives. The unit is the drive, never the frame: frames of a drive are correlated.

All functions are pure. `values` are one number a drive, candidate minus baseline, turned so that more is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats takes half a second to import

_Part = TypeVar("_Part")

POWER = 0.8
_MOST_DRIVES = 1_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with a one-sided bound on each side; each holds with confidence 1 - `alpha`."""

    mean: float
    low: float
    high: float
    deviation: float  # between drives, sample standard deviation
    drives: int
    alpha: float


def pseudo_values(pooled: Callable[[Sequence[_Part]], float], parts: Sequence[_Part]) -> NDArray[np.float64]:
    """Give one number a drive for a figure that is pooled over drives (Quenouille 1956, Tukey 1958).

    G·θ(all) - (G-1)·θ(all but one). For a plain mean these are the values of the drives themselves. NaN where the
    figure does not exist without that drive.
    """
    count = len(parts)
    whole = pooled(parts)
    if count < 2:
        return np.full(count, whole)
    without = np.array([pooled([*parts[:left], *parts[left + 1 :]]) for left in range(count)])
    return count * whole - (count - 1) * without


def student(values: NDArray[np.float64], alpha: float) -> Interval | None:
    """Give Student's interval of the mean with G - 1 degrees of freedom; None for fewer than two drives."""
    count = len(values)
    if count < 2 or not np.isfinite(values).all():
        return None
    mean, deviation = float(values.mean()), _deviation(values)
    reach = float(special.stdtrit(count - 1, 1 - alpha)) * deviation / math.sqrt(count)
    return Interval(mean, mean - reach, mean + reach, deviation, count, alpha)


def p_below(values: NDArray[np.float64], bound: float) -> float:
    """Give the p-value of "the mean is below `bound`" (one-sided t-test); 1 where nothing can be said."""
    count = len(values)
    if count < 2 or not np.isfinite(values).all():
        return 1.0
    error = _deviation(values) / math.sqrt(count)
    distance = float(values.mean()) - bound
    if error == 0.0:
        return 0.0 if distance < 0 else 1.0
    return float(special.stdtr(count - 1, distance / error))


def p_above(values: NDArray[np.float64], bound: float) -> float:
    """Give the p-value of "the mean is above `bound`"."""
    return p_below(-values, -bound)


def holm(p_values: Sequence[float], alpha: float) -> list[bool]:
    """Say which hypotheses are rejected at family-wise level `alpha` (Holm 1979)."""
    rejected = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda one: (p_values[one], one))):
        if p_values[index] > alpha / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected


def benjamini_hochberg(p_values: Sequence[float], rate: float) -> list[bool]:
    """Say which hypotheses are rejected at false discovery rate `rate` (Benjamini and Hochberg 1995)."""
    count = len(p_values)
    order = sorted(range(count), key=lambda one: (p_values[one], one))
    passing = [rank for rank, index in enumerate(order, 1) if p_values[index] <= rate * rank / count]
    kept = set(order[: max(passing, default=0)])
    return [index in kept for index in range(count)]


def upper_sequence(values: NDArray[np.float64], alpha: float, planned: int) -> NDArray[np.float64]:
    """Give an upper bound of the mean after each drive that holds at all looks together with 1 - `alpha`.

    Asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, one-sided), tightest at
    `planned` drives, widened by Student's quantile over the normal one because drives are few. The first entry is
    infinite: one drive says nothing of the spread.
    """
    bounds = np.full(len(values), math.inf)
    tight = -2 * math.log(2 * alpha)
    rho2 = (tight + math.log(1 + tight)) / max(planned, 2)
    for count in range(2, len(values) + 1):
        seen = values[:count]
        grown = count * rho2 + 1
        reach = math.sqrt(2 * grown / (count * count * rho2) * math.log(1 + math.sqrt(grown) / (2 * alpha)))
        few = float(special.stdtrit(count - 1, 1 - alpha) / special.ndtri(1 - alpha))
        bounds[count - 1] = float(seen.mean()) + reach * few * _deviation(seen)
    return bounds


def smallest_detectable(deviation: float, drives: int, alpha: float) -> float:
    """Give the difference that `drives` drives show with a power of 80 %: 2.49·s/√G at a one-sided 5 %."""
    return float(special.ndtri(1 - alpha) + special.ndtri(POWER)) * deviation / math.sqrt(drives)


def drives_needed(deviation: float, room: float, alpha: float) -> int | None:
    """Count the drives that show a difference of `room` with a power of 80 %; None where there is no room.

    `room` is the distance from the true difference to the margin.
    """
    if room <= 0 or not math.isfinite(room):
        return None
    if deviation == 0.0:
        return 2
    low, high = 2, 2
    while high < _MOST_DRIVES and _power(deviation, room, alpha, high) < POWER:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(deviation, room, alpha, middle) >= POWER else (middle + 1, high)
    return high if high < _MOST_DRIVES else None


def _power(deviation: float, room: float, alpha: float, drives: int) -> float:
    """Give the chance that a one-sided t-test with so many drives rejects (noncentral t)."""
    shift = room / deviation * math.sqrt(drives)
    if shift > 30:  # scipy's noncentral t is not defined that far out
        return 1.0
    return float(1.0 - special.nctdtr(drives - 1, shift, special.stdtrit(drives - 1, 1 - alpha)))


def _deviation(values: NDArray[np.float64]) -> float:
    """Give the sample standard deviation; exactly 0 where all values are the same."""
    return 0.0 if (values == values[0]).all() else float(values.std(ddof=1))
