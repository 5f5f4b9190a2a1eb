from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hilgui.inference.nms import suppress

from .greedy import greedy

ALL = 10**6


def scene(
    boxes: int, objects: int, classes: int, spread: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Scatter boxes around a few objects, best first."""
    random = np.random.default_rng(seed)
    centres, sizes = random.uniform(50, 590, (objects, 2)), random.uniform(20, 150, (objects, 2))
    kinds, owner = random.integers(0, classes, objects), random.integers(0, objects, boxes)
    middle = centres[owner] + random.normal(0, spread, (boxes, 2))
    half = sizes[owner] * np.exp(random.normal(0, 0.1, (boxes, 2))) / 2
    return np.concatenate((middle - half, middle + half), axis=1).astype(np.float32), kinds[owner].astype(np.int32)


@pytest.mark.parametrize(
    ("boxes", "objects", "classes", "spread"),
    [
        (1, 1, 1, 4.0),
        (100, 10, 80, 4.0),
        (400, 20, 3, 4.0),
        (700, 2, 1, 8.0),
        (600, 300, 80, 2.0),
        (900, 1, 1, 1.0),
        (900, 3, 2, 3.0),
    ],
)
@pytest.mark.parametrize("iou", [0.3, 0.65])
def test_the_quick_way_keeps_the_same_boxes_as_the_text_book(
    boxes: int, objects: int, classes: int, spread: float, iou: float
) -> None:
    found, kinds = scene(boxes, objects, classes, spread, seed=boxes)

    assert suppress(found, kinds, iou, ALL).tolist() == greedy(found, kinds, iou)


coordinates = st.integers(0, 12)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(coordinates, coordinates, st.integers(1, 9), st.integers(1, 9), st.integers(0, 2)), max_size=40),
    st.sampled_from([0.1, 0.45, 0.7, 0.95]),
)
def test_small_boxes_with_equal_edges_are_no_exception(drawn: list[tuple[int, int, int, int, int]], iou: float) -> None:
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in drawn], np.float32).reshape(-1, 4)
    classes = np.array([kind for *_, kind in drawn], np.int32)

    assert suppress(boxes, classes, iou, ALL).tolist() == greedy(boxes, classes, iou)


def test_the_limit_keeps_the_best() -> None:
    boxes, classes = scene(1500, 700, 80, 2.0, seed=3)

    assert suppress(boxes, classes, 0.65, 50).tolist() == suppress(boxes, classes, 0.65, ALL)[:50].tolist()


def test_boxes_of_different_classes_do_not_suppress_each_other() -> None:
    boxes = np.array([[10, 10, 50, 50]] * 3, np.float32)

    assert suppress(boxes, np.array([0, 1, 0], np.int32), 0.65, ALL).tolist() == [0, 1]


def test_at_one_nothing_is_suppressed() -> None:
    boxes = np.array([[10, 10, 50, 50]] * 3, np.float32)

    assert len(suppress(boxes, np.zeros(3, np.int32), 1.0, ALL)) == 3
