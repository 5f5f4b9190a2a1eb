"""How much boxes overlap: IoU, and the share of a box that lies inside another.

Boxes are x1 y1 x2 y2 in pixels, without the inclusive pixel (+1) of older tools. All sums run in float64 over
x, y, width, height in the order in which pycocotools' `bbIou` writes them, so that both agree to the last bit
on boxes whose corners are given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.floating]


def iou(boxes: Boxes, others: Boxes, crowd: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Divide intersection by union, box by box; both (N, 4).

    Where `crowd` is set for the other box, the divisor is the area of the first box alone (COCO's crowds).
    Boxes that do not touch, or that have no area, give 0.
    """
    return _iou(_sized(boxes), _sized(others), crowd)


def iou_matrix(boxes: Boxes, others: Boxes, crowd: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Give the IoU of every box (N, 4) with every other (M, 4) as (N, M); `crowd` is (M,)."""
    return _iou(_sized(boxes)[:, :, None], _sized(others)[:, None], crowd)


def share_inside(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Give the share of each box that lies inside the other: intersection / area of the first, 0..1; both (N, 4)."""
    return _share(_sized(boxes), _sized(others))


def share_matrix(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Give the share of every box (N, 4) inside every other (M, 4) as (N, M)."""
    return _share(_sized(boxes)[:, :, None], _sized(others)[:, None])


def _iou(
    first: NDArray[np.float64], second: NDArray[np.float64], crowd: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    inner = _intersection(first, second)
    area = first[2] * first[3]
    union = area + second[2] * second[3] - inner
    if crowd is not None:
        union = np.where(crowd, area, union)
    return _ratio(inner, union)


def _share(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    inner = _intersection(first, second)
    return _ratio(inner, np.broadcast_to(first[2] * first[3], inner.shape))


def _sized(boxes: Boxes) -> NDArray[np.float64]:
    """Give x, y, width, height as (4, N): numpy is quickest where the last axis is long."""
    sized = np.array(boxes.T, np.float64, order="C")
    sized[2:] -= sized[:2]
    return sized


def _intersection(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = np.minimum(first[2:] + first[:2], second[2:] + second[:2])
    sides -= np.maximum(first[:2], second[:2])
    np.maximum(sides, 0.0, out=sides)
    inner: NDArray[np.float64] = sides[0] * sides[1]
    return inner


def _ratio(inner: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(inner, whole, out=np.zeros(inner.shape), where=inner > 0)
