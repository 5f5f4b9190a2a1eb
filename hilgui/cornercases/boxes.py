"""Overlap of single boxes in plain Python, and what a model said near a box."""

from __future__ import annotations

import numpy as np

from hilgui.records import Detections

Box = tuple[float, float, float, float]  # x1 y1 x2 y2 px

NEAR_IOU = 0.3


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
    best_score = best_iou = 0.0
    for row in np.flatnonzero(touches).tolist():
        left, top, right, bottom = boxes[row].tolist()
        iou = overlap(box, (left, top, right, bottom))
        best_iou = max(best_iou, iou)
        if iou >= NEAR_IOU:
            best_score = max(best_score, float(detections.scores[row]))
    return best_score, best_iou
