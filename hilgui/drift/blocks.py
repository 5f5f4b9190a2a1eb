"""Blocks: how many neighbouring frames hang together, and stretches of that many."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WIDE = 5.0  # times the autocorrelation time that are summed over (Sokal, 1997)
MOST_BLOCKS = 200  # of a reference; more make nothing surer and much slower


def correlation_time(values: NDArray[np.float64], stretches: Sequence[int]) -> float:
    """Give the integrated autocorrelation time in frames, 1 + 2·Σρ(k), of stretches that lie behind each other.

    The window of Sokal ("Monte Carlo Methods in Statistical Mechanics", 1997): the sum ends at the first k ≥ 5·τ. All
    stretches deviate from one mean, so that drives which differ as a whole count as correlated as long as they are.
    """
    apart = values - values.mean()
    power = float(apart @ apart)
    if power <= 0.0:
        return 1.0
    parts = np.split(apart, np.cumsum(stretches)[:-1])
    longest = max(map(len, parts))
    products = np.zeros(longest)
    for part in parts:
        size = 1 << (2 * len(part) - 1).bit_length()
        spectrum = np.fft.rfft(part, size)
        products[: len(part)] += np.fft.irfft(spectrum * spectrum.conj(), size)[: len(part)]
    sums = 1.0 + 2.0 * np.cumsum(products[1:] / power)
    if not len(sums):
        return 1.0
    enough = np.flatnonzero(np.arange(1, longest) >= _WIDE * np.maximum(sums, 1.0))
    place = int(enough[0]) if len(enough) else int(sums.argmax())
    short = 1.0 + (2.0 * (place + 1) + 1.0) / len(values)  # what a short stretch hides (Wolff, CPC 156, 2004, eq. 49)
    return float(max(sums[place], 1.0) * short)


def block_length(memory: float, frames: int) -> int:
    """Give how many frames make a block: the integrated autocorrelation time, more where blocks would be too many."""
    return max(1, math.ceil(memory), math.ceil(frames / MOST_BLOCKS))


def block_starts(stretches: Sequence[int], length: int) -> list[int]:
    """Give where whole blocks begin; what is left over at the end of a stretch belongs to none."""
    starts: list[int] = []
    first = 0
    for stretch in stretches:
        starts += range(first, first + stretch - length + 1, length)
        first += stretch
    return starts
