"""Greedy suppression as a text book writes it: the oracle of the quick one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def greedy(boxes: NDArray[np.float32], classes: NDArray[np.int32], iou: float) -> list[int]:
    """Go down the list; a box stays unless one that stayed before it, of its class, overlaps it by more."""
    stays: list[int] = []
    for row in range(len(boxes)):
        if not any(classes[row] == classes[other] and _iou(boxes[other], boxes[row]) > iou for other in stays):
            stays.append(row)
    return stays


def _iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0.0) * max(tall, 0.0)
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))
