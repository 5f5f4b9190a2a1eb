"""Overlap of single boxes in plain Python, and what a model said near a box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import iou_matrix
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


def strongest_near(
    detections: Detections, boxes: NDArray[np.floating], classes: NDArray[np.int32]
) -> tuple[list[float], list[float]]:
    """Give for each box (M, 4) the best score and the best IoU among detections of its class, at any score.

    The score counts only from IoU .3; 0 where there is none.
    """
    if not len(detections):
        return [0.0] * len(boxes), [0.0] * len(boxes)
    overlaps = iou_matrix(boxes, detections.boxes)
    overlaps[classes[:, None] != detections.classes] = 0.0
    scores = np.where(overlaps >= NEAR_IOU, detections.scores, 0.0)
    return scores.max(axis=1).tolist(), overlaps.max(axis=1).tolist()
