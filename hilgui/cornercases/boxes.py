"""Overlap of single boxes in plain Python, and what a model said near a box."""

from __future__ import annotations

import numpy as np

from hilgui.records import Detections

Box = tuple[float, float, float, float]  # x1 y1 x2 y2 px

NEAR_IOU = 0.3


def overlap(one: Box, other: Box) -> float:
    """Divide intersection by union; 0 where boxes do not touch.

    For one pair at a time: 0.3 µs, where a numpy call on a handful of boxes costs 30 µs.
    """
    width = min(one[2], other[2]) - max(one[0], other[0])
    if width <= 0.0:
        return 0.0
    height = min(one[3], other[3]) - max(one[1], other[1])
    if height <= 0.0:
        return 0.0
    inner = width * height
    union = (one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - inner
    return inner / union


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
