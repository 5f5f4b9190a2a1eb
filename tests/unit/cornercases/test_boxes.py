"""Overlaps of all pairs at once are those of single pairs, to the last bit."""

from __future__ import annotations

import numpy as np

from hilgui.cornercases.boxes import Box, overlap
from hilgui.evaluation import iou_matrix


def test_overlaps_of_all_pairs_are_those_of_single_pairs() -> None:
    rng = np.random.default_rng(3)
    corner = rng.uniform(0, 60, (40, 2))
    boxes = np.hstack([corner, corner + rng.uniform(5, 40, (40, 2))]).astype(np.float32)
    boxes[7] = boxes[8]  # the same twice
    boxes[9] = (boxes[10, 2], boxes[10, 1], boxes[10, 2] + 5, boxes[10, 3])  # side by side
    singles: list[Box] = [(left, top, right, bottom) for left, top, right, bottom in boxes.tolist()]
    expected = np.array([[overlap(one, other) for other in singles] for one in singles])
    assert np.array_equal(iou_matrix(boxes, boxes), expected)
    assert (expected > 0).mean() > 0.2
