"""Overlaps of all pairs at once are those of single pairs, to the last bit; near a box the best of its class counts."""

from __future__ import annotations

import numpy as np

from hilgui.cornercases.boxes import NEAR_IOU, Box, overlap, strongest_near
from hilgui.evaluation import iou_matrix
from hilgui.records import Detections


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


def test_what_a_model_said_near_a_box_is_the_best_of_its_class() -> None:
    rng = np.random.default_rng(4)
    corner = rng.uniform(0, 90, (60, 2))
    boxes = np.hstack([corner, corner + rng.uniform(10, 40, (60, 2))]).astype(np.float32)
    scores, classes = np.sort(rng.random(60, np.float32))[::-1], rng.integers(0, 2, 60).astype(np.int32)
    for left, top, right, bottom in boxes.tolist():
        box = (left + 3, top + 2, right + 1, bottom)
        ious = iou_matrix(np.array([box]), boxes)[0]
        for classed in (0, 1):
            mine = classes == classed
            score, iou = strongest_near(Detections(boxes, scores, classes), box, classed)
            assert iou == ious[mine].max()
            assert score == scores[mine & (ious >= NEAR_IOU)].max(initial=0.0)
    assert strongest_near(Detections(boxes, scores, classes), box, 2) == (0.0, 0.0)
    assert strongest_near(Detections.none(), box, 0) == (0.0, 0.0)
