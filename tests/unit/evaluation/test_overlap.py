"""Overlap of boxes."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask

from hilgui.evaluation import iou_matrix, share_matrix

UNIT = [0.0, 0.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("other", "iou", "share"),
    [
        (UNIT, 1.0, 1.0),
        ([5.0, 0.0, 15.0, 10.0], 1 / 3, 0.5),
        ([10.0, 0.0, 20.0, 10.0], 0.0, 0.0),  # edges touch
        ([20.0, 20.0, 30.0, 30.0], 0.0, 0.0),  # apart in both axes
        ([2.0, 2.0, 4.0, 4.0], 0.04, 0.04),
        ([-10.0, -10.0, 30.0, 30.0], 1 / 16, 1.0),
        ([5.0, 5.0, 5.0, 5.0], 0.0, 0.0),  # no area
    ],
)
def test_two_boxes(other: list[float], iou: float, share: float) -> None:
    one, two = np.array([UNIT]), np.array([other])
    assert iou_matrix(one, two)[0, 0] == pytest.approx(iou)
    assert share_matrix(one, two)[0, 0] == pytest.approx(share)


def test_every_bit_agrees_with_pycocotools() -> None:
    rng = np.random.default_rng(3)
    first, second = _boxes(rng, 40), _boxes(rng, 30)
    crowd = rng.random(30) < 0.3
    reference = mask.iou(_xywh(first), _xywh(second), crowd.astype(np.uint8).tolist())
    assert np.array_equal(iou_matrix(first, second, crowd), reference)


def test_nothing_against_something_has_the_right_shape() -> None:
    assert iou_matrix(np.empty((0, 4)), np.array([UNIT])).shape == (0, 1)
    assert share_matrix(np.array([UNIT]), np.empty((0, 4))).shape == (1, 0)


def _boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.uniform(0, 60, (count, 2))
    return np.hstack([corner, corner + rng.uniform(0, 40, (count, 2))])


def _xywh(boxes: np.ndarray) -> np.ndarray:
    return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
