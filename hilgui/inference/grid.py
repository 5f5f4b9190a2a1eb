"""The cells of dense detectors: how many there are, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STRIDES = (8, 16, 32)


def cell_count(width: int, height: int, strides: Sequence[int] = STRIDES) -> int:
    """Count the cells of all strides."""
    return sum((width // stride) * (height // stride) for stride in strides)


def cells(width: int, height: int, strides: Sequence[int] = STRIDES) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give column and row (N, 2) and stride (N, 1) of every cell, row by row, from the finest stride."""
    places, sizes = [], []
    for stride in strides:
        y, x = np.mgrid[: height // stride, : width // stride]
        places.append(np.stack((x.ravel(), y.ravel()), axis=1))
        sizes.append(np.full((x.size, 1), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(sizes).astype(np.float32)


def corners(centres: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn cx cy w h (N, 4) into x1 y1 x2 y2; what overflows is counted as invalid later."""
    with np.errstate(over="ignore", invalid="ignore"):
        half = centres[:, 2:4] * np.float32(0.5)
        return np.concatenate((centres[:, :2] - half, centres[:, :2] + half), axis=1)
