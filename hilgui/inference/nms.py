"""Class-aware non-maximum suppression: exactly the greedy one, in numpy, without a loop over boxes.

Two ideas make it quick. Boxes sorted by class and left edge can only overlap by more than `iou` with neighbours whose
left edge is within (1 - iou) widths, so few pairs are looked at. And among those pairs a box is kept as soon as no
stronger neighbour is undecided, so whole rounds of boxes are decided at once instead of one after the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256  # best boxes that are decided before the next are looked at
_FEW = 32  # survivors so far: so crowded a picture is thinned out by them first
_ROUNDING_PX = 0.01  # single precision at a few thousand pixels


def suppress(boxes: NDArray[np.float32], classes: NDArray[np.int32], iou: float, limit: int) -> NDArray[np.intp]:
    """Give the rows that stay, at most `limit`, in their order.

    `boxes` (N, 4) x1 y1 x2 y2 with x1 < x2 and y1 < y2, finite, sorted by falling score: of two boxes of one class
    whose IoU is above `iou` the later one goes. Ties of the score are decided by the order, so by the caller.
    """
    kept, rest = np.empty(0, np.intp), np.arange(len(boxes))
    while len(rest) and len(kept) < limit:
        rows, rest = np.concatenate((kept, rest[:_BLOCK])), rest[_BLOCK:]
        before, kept = len(kept), rows[_survivors(boxes[rows], classes[rows], iou)]
        fresh = kept[before:]
        if len(kept) <= _FEW and len(rest):
            rest = rest[~_beaten(boxes, classes, fresh, rest, iou)]
    return kept[:limit]


def _beaten(
    boxes: NDArray[np.float32],
    classes: NDArray[np.int32],
    stronger: NDArray[np.intp],
    weaker: NDArray[np.intp],
    iou: float,
) -> NDArray[np.bool_]:
    """Say which of the weaker boxes overlap one of a few stronger ones of their class."""
    x1, y1, x2, y2 = np.ascontiguousarray(boxes[weaker].T)
    area, mine = (x2 - x1) * (y2 - y1), classes[weaker]
    beaten = np.zeros(len(weaker), np.bool_)
    for row in stronger.tolist():
        left, top, right, bottom = boxes[row]
        tall = np.minimum(y2, bottom) - np.maximum(y1, top)
        wide = np.minimum(x2, right) - np.maximum(x1, left)
        shared = np.maximum(tall, 0) * np.maximum(wide, 0)
        over = shared > np.float32(iou) * ((right - left) * (bottom - top) + area - shared)
        beaten |= over & (mine == classes[row])
    return beaten


def _survivors(boxes: NDArray[np.float32], classes: NDArray[np.int32], iou: float) -> NDArray[np.bool_]:
    """Decide the boxes of one block; the row number is the rank."""
    stronger, weaker = _overlapping(boxes, classes, iou)
    alive = np.ones(len(boxes), np.bool_)
    while len(stronger):
        undecided = np.zeros(len(boxes), np.bool_)
        undecided[weaker] = True
        winning = ~undecided[stronger]  # nobody stronger is left that could suppress them
        alive[weaker[winning]] = False
        still = alive[stronger] & alive[weaker]
        stronger, weaker = stronger[still], weaker[still]
    return alive


def _overlapping(
    boxes: NDArray[np.float32], classes: NDArray[np.int32], iou: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the pairs of one class whose IoU is above the limit, as (stronger row, weaker row)."""
    left = boxes[:, 0].astype(np.float64)
    width = boxes[:, 2].astype(np.float64) - left
    left -= left.min()
    span = float(left.max() + width.max()) + 1.0
    key = classes * span + left
    order = np.argsort(key)
    key = key[order]
    # x1 of the other <= x2 - iou * width, as the overlap in x is at least iou times the wider box
    ends = np.searchsorted(key, key + (1.0 - iou) * width[order] + _ROUNDING_PX, side="right")
    counts = ends - np.arange(1, len(boxes) + 1)
    first = np.repeat(np.arange(len(boxes)), counts)
    starts = np.cumsum(counts) - counts
    second = np.arange(len(first)) - np.repeat(starts, counts) + first + 1
    x1, y1, x2, y2 = np.ascontiguousarray(boxes[order].T)
    area = (x2 - x1) * (y2 - y1)
    tall = np.minimum(y2[first], y2[second]) - np.maximum(y1[first], y1[second])
    wide = np.minimum(x2[first], x2[second]) - x1[second]
    shared = np.maximum(tall, 0) * np.maximum(wide, 0)
    over = shared > np.float32(iou) * (area[first] + area[second] - shared)
    a, b = order[first[over]], order[second[over]]
    return np.minimum(a, b), np.maximum(a, b)
