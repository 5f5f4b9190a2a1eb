from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from hilgui.inference.candidates import MOST_CANDIDATES, MOST_DETECTIONS, Candidates, settle, sift
from hilgui.inference.preprocess import Preprocess, place

PLAIN, _, _ = place(640, 640, 640, 640, Preprocess())


def candidates(count: int, scores: np.ndarray) -> Candidates:  # type: ignore[type-arg]
    """Give boxes that do not touch."""
    left = np.arange(count) % 128 * 5
    top = np.arange(count) // 128 * 5
    boxes = np.stack((left, top, left + 4, top + 4), axis=1).astype(np.float32)
    return Candidates(boxes, scores.astype(np.float32), np.zeros(count, np.int32))


def test_a_box_may_be_of_several_classes() -> None:
    found = sift(np.array([[0, 0, 9, 9]], np.float32), np.array([[0.5, 0.0005, 0.2]], np.float32))

    assert found.classes.tolist() == [0, 2]
    assert found.scores.tolist() == pytest.approx([0.5, 0.2])


@pytest.mark.parametrize("classes", [1, 3, 8, 80])
@pytest.mark.parametrize("layout", ["C", "F"])
def test_every_score_that_reaches_the_floor_is_found_wherever_it_lies(classes: int, layout: Literal["C", "F"]) -> None:
    random = np.random.default_rng(classes)
    scores = np.array(random.choice([0.0, 0.0009, 0.001, 0.4], (50, classes)), np.float32, order=layout)
    boxes = np.arange(50)[:, None] + np.array([[0, 0, 9, 9]], np.float32)

    found = sift(boxes.astype(np.float32), scores)

    rows, kinds = np.nonzero(scores >= np.float32(0.001))
    assert found.boxes[:, 0].tolist() == rows.tolist()
    assert found.classes.tolist() == kinds.tolist()
    assert found.scores.tolist() == scores[rows, kinds].tolist()


@pytest.mark.parametrize(
    ("box", "score"),
    [
        ((np.nan, 0, 9, 9), 0.5),
        ((0, 0, np.inf, 9), 0.5),
        ((0, 0, 2e6, 9), 0.5),
        ((9, 0, 9, 9), 0.5),
        ((0, 9, 9, 0), 0.5),
        ((0, 0, 9, 9), np.nan),
        ((0, 0, 9, 9), 7.3),
    ],
)
def test_a_row_that_is_no_box_is_left_out_and_counted_once(box: tuple[float, ...], score: float) -> None:
    boxes = np.array([(1, 1, 5, 5), box], np.float32)
    scores = np.array([(0.9, 0.8), (score, score)], np.float32)

    found = sift(boxes, scores)

    assert found.invalid == 1
    assert found.scores.tolist() == pytest.approx([0.9, 0.8])


def test_a_row_below_the_floor_may_hold_anything() -> None:
    assert sift(np.full((1, 4), np.nan, np.float32), np.array([[0.0001]], np.float32)).invalid == 0


def test_a_score_that_rounding_put_above_one_is_one() -> None:
    assert sift(np.array([[0, 0, 9, 9]], np.float32), np.array([[1.0005]], np.float32)).scores.tolist() == [1.0]


def test_detections_come_by_falling_score_and_ties_in_the_order_of_the_network() -> None:
    detections = settle(candidates(5, np.array([0.2, 0.7, 0.7, 0.1, 0.7])), PLAIN, 0.65)

    assert detections.boxes[:, 0].tolist() == [5, 10, 20, 0, 15]


def test_only_the_best_detections_of_a_frame_are_kept() -> None:
    scores = np.random.default_rng(1).uniform(0.1, 0.9, MOST_CANDIDATES + 500)

    detections = settle(candidates(len(scores), scores), PLAIN, 0.65)

    assert len(detections) == MOST_DETECTIONS
    assert detections.scores.tolist() == np.sort(scores.astype(np.float32))[::-1][:MOST_DETECTIONS].tolist()


def test_of_equal_candidates_at_the_limit_the_first_stay() -> None:
    detections = settle(candidates(MOST_CANDIDATES + 500, np.full(MOST_CANDIDATES + 500, 0.5)), PLAIN, None)

    assert detections.boxes[0].tolist() == [0, 0, 4, 4]
    assert detections.boxes[129].tolist() == [5, 5, 9, 9]


def test_a_box_in_the_letterbox_is_dropped_and_one_across_its_edge_is_clipped() -> None:
    geometry, _, _ = place(1280, 720, 640, 640, Preprocess())
    boxes = np.array([[10, 400, 50, 500], [10, 340, 50, 500]], np.float32)

    detections = settle(Candidates(boxes, np.array([0.9, 0.8], np.float32), np.zeros(2, np.int32)), geometry, 0.65)

    assert detections.boxes.tolist() == [[20, 680, 100, 720]]
    assert detections.boxes.dtype == np.float32


def test_no_candidates_are_no_detections() -> None:
    assert len(settle(candidates(0, np.empty(0)), PLAIN, 0.65)) == 0
