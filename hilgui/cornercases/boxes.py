"""Overlap of single boxes in plain Python, and what a model said near a box."""

from __future__ import annotations

import numpy as np

from hilgui.records import Detections

Box = tuple[float, float, float, float]  # x1 y1 x2 y2 px

NEAR_IOU = 0.3
BORDER_PX = 2.0


def touches_border(box: Box, width: int, height: int) -> bool:
    """Say whether a box ends within 2 px of the left, right or lower border of the picture."""
    left, _, right, bottom = box
    return left <= BORDER_PX or right >= width - BORDER_PX or bottom >= height - BORDER_PX


def is_cut(box: Box, width: int, height: int) -> bool:
    """Say whether the border of the picture leaves little of an object.

    That is a box at the left or right border that is narrower than half its height, or one at the lower border that is
    lower than half its width.
    """
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    at_side = left <= BORDER_PX or right >= width - BORDER_PX
    return (at_side and wide < 0.5 * high) or (bottom >= height - BORDER_PX and high < 0.5 * wide)


def overlap(one: Box, other: Box) -> float:
    """Divide intersection by union; 0 where boxes do not touch.

    For one pair at a time: 0.2 µs, where a numpy call on a handful of boxes costs 30 µs. Written without `min` and
    `max`, which would double that.
    """
    left, top, right, bottom = one
    x1, y1, x2, y2 = other
    width = (right if right < x2 else x2) - (left if left > x1 else x1)
    height = (bottom if bottom < y2 else y2) - (top if top > y1 else y1)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    inner = width * height
    return inner / ((right - left) * (bottom - top) + (x2 - x1) * (y2 - y1) - inner)


def strongest_near(detections: Detections, box: Box, classed: int) -> tuple[float, float]:
    """Give the best score and the best IoU among detections of a class that touch the box, at any score.

    The score counts only from IoU .3; 0 where there is none. About 10 µs for 100 detections.
    """
    boxes = detections.boxes
    touches = (detections.classes == classed) & (boxes[:, 0] < box[2]) & (boxes[:, 2] > box[0])
    touches &= (boxes[:, 1] < box[3]) & (boxes[:, 3] > box[1])
    rows = np.flatnonzero(touches)
    if not len(rows):
        return 0.0, 0.0
    best_score = best_iou = 0.0
    for (left, top, right, bottom), score in zip(boxes[rows].tolist(), detections.scores[rows].tolist(), strict=True):
        iou = overlap(box, (left, top, right, bottom))
        best_iou = max(best_iou, iou)
        if iou >= NEAR_IOU:
            best_score = max(best_score, score)
    return best_score, best_iou
