"""Defences, to be measured: input smoothing, JPEG, fewer grey levels, and an ensemble with the baseline.

The attack does not know them. An attacker who does (adaptive; Tramèr et al., NeurIPS 2020) does better, so what a
defence wins back here is the most that it can be worth.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.overlap import iou_matrix
from hilgui.inference.nms import suppress
from hilgui.records import Detections

Pixels = NDArray[np.uint8]

_JPEG_QUALITY = 75
_BITS = 4
_ENSEMBLE_IOU = 0.6  # two boxes of one class are one object


def median(image: Pixels) -> Pixels:
    """Take the median of 3 × 3 pixels."""
    return np.asarray(cv2.medianBlur(image, 3), np.uint8)


def gaussian(image: Pixels) -> Pixels:
    """Blur with σ = 1 pixel."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8)


def jpeg(image: Pixels) -> Pixels:
    """Compress and decompress, quality 75 (Dziugaite et al., 2016)."""
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def fewer_levels(image: Pixels) -> Pixels:
    """Keep 16 grey levels (feature squeezing; Xu et al., NDSS 2018)."""
    step = 255.0 / (2**_BITS - 1)
    return np.asarray(cv2.LUT(image, np.rint(np.rint(np.arange(256) / step) * step).astype(np.uint8)), np.uint8)


SMOOTHERS: dict[str, Callable[[Pixels], Pixels]] = {
    "median 3×3": median,
    "Gaussian σ 1": gaussian,
    f"JPEG {_JPEG_QUALITY}": jpeg,
    f"{_BITS} bits": fewer_levels,
}

ENSEMBLE = "ensemble with the baseline"


def ensemble(one: Detections, two: Detections) -> Detections:
    """Average two models: a box that both see keeps the mean of its scores, a box that one sees half of its score.

    Of boxes that are one object (same class, IoU above .6) the one with the better score stays.
    """
    boxes = np.concatenate((one.boxes, two.boxes))
    if not len(boxes):
        return Detections.none()
    classes = np.concatenate((one.classes, two.classes))
    halves = np.concatenate((one.scores, two.scores)) / 2
    gained = halves.copy()
    for mine, other in ((slice(0, len(one)), two), (slice(len(one), None), one)):
        gained[mine] += _partner_scores(boxes[mine], classes[mine], other) / 2
    order = np.argsort(-gained, kind="stable")
    kept = order[suppress(boxes[order], classes[order], _ENSEMBLE_IOU, 300)]
    return Detections(boxes[kept], gained[kept].astype(np.float32), classes[kept])


def _partner_scores(boxes: NDArray[np.float32], classes: NDArray[np.int32], other: Detections) -> NDArray[np.float32]:
    if not len(other) or not len(boxes):
        return np.zeros(len(boxes), np.float32)
    fits = (iou_matrix(boxes, other.boxes) > _ENSEMBLE_IOU) & (classes[:, None] == other.classes)
    best: NDArray[np.float32] = np.where(fits, other.scores, np.float32(0)).max(axis=1)
    return best
