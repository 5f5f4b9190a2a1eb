"""A perceptual hash: pictures that look alike have hashes that differ in few bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.cornercases.boxes import Box

BITS = 64
SAME_BITS = 10  # pictures whose hashes differ by no more look the same
_ROWS, _COLUMNS, _SAMPLES = 8, 9, 4  # samples along each side of a cell
_AROUND = 0.15  # of the box, taken along on each side of an object
_LEAST_PX = 8


def hash_of(image: NDArray[np.uint8]) -> str:
    """Hash a BGR picture (height, width, 3): 16 hex digits, "" for less than 8×8 px.

    The difference hash (dHash, N. Krawetz 2013): 9×8 mean grey levels, one bit for each that is darker than its right
    neighbour. Each mean is of 16 samples of the green channel, so that a 1080p picture takes 20 µs.
    """
    height, width = image.shape[:2]
    if height < _LEAST_PX or width < _LEAST_PX:
        return ""
    rows = _places(height, _ROWS * _SAMPLES)
    columns = _places(width, _COLUMNS * _SAMPLES)
    samples = image[rows[:, None], columns, 1].reshape(_ROWS, _SAMPLES, _COLUMNS, _SAMPLES)
    cells = samples.sum(axis=(1, 3), dtype=np.int32)
    return np.packbits(cells[:, :-1] < cells[:, 1:]).tobytes().hex()


def hash_of_crop(image: NDArray[np.uint8], box: Box) -> str:
    """Hash an object with a little of what is around it; "" where less than 8×8 px of it lie in the picture."""
    height, width = image.shape[:2]
    left, top, right, bottom = box
    x, y = (right - left) * _AROUND, (bottom - top) * _AROUND
    first_row, last_row = max(int(top - y), 0), min(int(bottom + y) + 1, height)
    first_column, last_column = max(int(left - x), 0), min(int(right + x) + 1, width)
    if first_row >= last_row or first_column >= last_column:
        return ""
    return hash_of(image[first_row:last_row, first_column:last_column])


def distance(one: str, other: str) -> int:
    """Count the bits by which two hashes differ; all 64 where one of the pictures has none."""
    if not one or not other:
        return BITS
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _places(size: int, count: int) -> NDArray[np.intp]:
    """Give the middles of `count` equal pieces of a side."""
    return ((np.arange(count) + 0.5) * (size / count)).astype(np.intp)
