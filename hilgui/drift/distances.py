"""How far two samples lie apart: Kolmogorov–Smirnov and maximum mean discrepancy; for the PSI see `psi`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def ks(reference: Values, current: Values) -> float:
    """Give the largest distance of both cumulative distributions (two-sample Kolmogorov–Smirnov), exactly."""
    before, now = np.sort(reference), np.sort(current)
    every = np.concatenate([before, now])
    below = np.searchsorted(before, every, side="right") / len(before)
    return float(np.abs(below - np.searchsorted(now, every, side="right") / len(now)).max())


def median_width(points: Values) -> float:
    """Give the median distance of (N, d) points to each other: the usual width of the kernel; 1 where all are one."""
    squares = _squares(points, points)[np.triu_indices(len(points), 1)]
    positive = squares[squares > 0]
    return float(np.sqrt(np.median(positive))) if len(positive) else 1.0


def kernel(one: Values, two: Values, width: float) -> Values:
    """Give exp(-|x - y|² / (2·width²)) of every pair, (N, M)."""
    return np.asarray(np.exp(-_squares(one, two) / (2.0 * width * width)), np.float64)


def mmd(reference: Values, current: Values, width: float, within: float | None = None) -> float:
    """Give the maximum mean discrepancy (Gretton et al., JMLR 13, 2012) with a Gaussian kernel, of the V-statistic.

    `within` is the mean kernel inside the reference, where it was worked out before.
    """
    square = (
        (kernel(reference, reference, width).mean() if within is None else within)
        + kernel(current, current, width).mean()
        - 2.0 * kernel(reference, current, width).mean()
    )
    return float(np.sqrt(max(square, 0.0)))


def _squares(one: Values, two: Values) -> Values:
    lengths = np.einsum("ij,ij->i", one, one)[:, None] + np.einsum("ij,ij->i", two, two)[None, :]
    return np.asarray(np.maximum(lengths - 2.0 * one @ two.T, 0.0), np.float64)
