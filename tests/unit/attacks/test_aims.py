"""Wishes about scores: their way back through the outputs of each layout, against finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.attacks.aims import Goal, Target, wishes
from hilgui.attacks.readout import Reader, reader_for
from hilgui.errors import AttackBroken
from hilgui.records import ModelFacts

RANDOM = np.random.default_rng(7)


def _facts(adapter: str, classes: int, side: int = 32) -> ModelFacts:
    return ModelFacts(
        name="m", path="m.onnx", sha256="0" * 64, adapter=adapter, provider="CPUExecutionProvider", device="",
        threads=1, threshold=0.4, nms_iou=0.6, input_width=side, input_height=side,
        classes=tuple(f"c{n}" for n in range(classes)), licence="", card="",
    )  # fmt: skip


def _sigmoid(values: NDArray[np.floating]) -> NDArray[np.float64]:
    made: NDArray[np.float64] = 1 / (1 + np.exp(-values))
    return made


def _layouts() -> dict[str, tuple[Reader, list[NDArray[Any]]]]:
    yolox = RANDOM.uniform(0.05, 0.9, (1, 21, 8)).astype(np.float64)
    boxes = np.sort(RANDOM.uniform(0, 32, (1, 12, 2, 2)), axis=2).reshape(1, 12, 4)
    dense = [boxes, RANDOM.uniform(0.05, 0.9, (1, 12, 3))]
    labels = RANDOM.integers(0, 3, (1, 12))
    deimv2 = [labels, boxes, RANDOM.uniform(0.05, 0.9, (1, 12))]
    yolov8 = [np.concatenate((RANDOM.uniform(4, 20, (1, 4, 15)), RANDOM.uniform(0.05, 0.9, (1, 3, 15))), axis=1)]
    return {
        "yolox": (reader_for(_facts("yolox", 3), ["output"]), [yolox]),
        "dense_boxes": (reader_for(_facts("dense_boxes", 3), ["boxes", "scores"]), dense),
        "deimv2": (reader_for(_facts("deimv2", 3), ["labels", "boxes", "scores"]), deimv2),
        "yolov8": (reader_for(_facts("yolov8", 3), ["output0"]), yolov8),
    }


def _logits(values: NDArray[np.floating]) -> NDArray[np.float64]:
    made: NDArray[np.float64] = np.log(values) - np.log1p(-values)
    return made


@pytest.mark.parametrize("name", ["dense_boxes", "deimv2", "yolov8"])
def test_the_way_back_is_the_derivative_of_the_wished_logits(name: str) -> None:
    read, outputs = _layouts()[name]
    first = read(outputs)
    wished = RANDOM.standard_normal(first.scores.shape).astype(np.float32) * (first.scores > 0)
    pulled = first.pull(wished)
    place = next(number for number, each in enumerate(pulled) if each is not None)
    gradient = pulled[place]
    assert gradient is not None

    def value(changed: Sequence[NDArray[Any]]) -> float:
        scores = read(changed).scores
        mask = wished != 0
        return float((wished[mask] * _logits(scores[mask].astype(np.float64))).sum())

    for flat in np.flatnonzero(np.abs(gradient).reshape(-1) > 1e-6)[:8].tolist():
        moved = [np.array(each) for each in outputs]
        ends = []
        for sign in (1, -1):
            moved[place] = np.array(outputs[place])
            moved[place].reshape(-1)[flat] += sign * 1e-5
            ends.append(value(moved))
        assert gradient.reshape(-1)[flat] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=2e-3, abs=1e-3)


def test_of_a_product_both_factors_are_moved_the_way_that_was_wished() -> None:
    read, outputs = _layouts()["yolox"]
    first = read(outputs)
    wished = np.zeros_like(first.scores)
    wished[4, 1] = -1.0
    (gradient,) = first.pull(wished)
    assert gradient is not None
    moved = outputs[0] + 1e-4 * np.sign(gradient)
    assert read([moved]).scores[4, 1] < first.scores[4, 1]
    assert set(np.flatnonzero(gradient[0].any(axis=1))) == {4}
    assert set(np.flatnonzero(gradient[0, 4])) == {4, 6}  # objectness and the class


def _target(goal: Goal, boxes: NDArray[np.floating], classes: list[int]) -> Target:
    return Target(goal, np.asarray(boxes, np.float64).reshape(-1, 4), np.array(classes, np.int32))


def test_hiding_lowers_only_rows_that_speak_of_the_object() -> None:
    boxes = np.array([[[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]]], np.float32)
    scores = np.array([[[0.8, 0.1], [0.6, 0.2], [0.9, 0.0]]], np.float32)
    read = reader_for(_facts("dense_boxes", 2), ["boxes", "scores"])([boxes, scores])
    target = _target(Goal.HIDE, boxes[0, 0], [0])
    assert wishes(read, target).tolist() == [[pytest.approx(-0.8), 0], [pytest.approx(-0.6), 0], [0, 0]]


def test_changing_lowers_the_class_and_raises_the_best_other_one() -> None:
    boxes = np.array([[[0, 0, 10, 10]]], np.float32)
    read = reader_for(_facts("dense_boxes", 3), ["boxes", "scores"])([boxes, np.array([[[0.8, 0.1, 0.3]]], np.float32)])
    target = _target(Goal.CHANGE, np.array([0, 0, 10, 10]), [0])
    assert np.sign(wishes(read, target)).tolist() == [[-1, 0, 1]]


def test_creating_raises_one_class_where_nothing_is() -> None:
    boxes = np.array([[[0, 0, 10, 10], [40, 40, 50, 50]]], np.float32)
    read = reader_for(_facts("dense_boxes", 2), ["boxes", "scores"])(
        [boxes, np.array([[[0.8, 0.1], [0.002, 0.01]]], np.float32)]
    )
    made = wishes(read, _target(Goal.CREATE, np.array([41, 41, 51, 51]), [1]))
    assert made[1, 1] > 0
    assert np.count_nonzero(made) == 1


def test_a_classifiers_wishes_are_the_gradient_of_its_cross_entropy() -> None:
    logits = np.array([[2.0, 0.5, -1.0]])
    read = reader_for(_facts("classification", 3), ["output"])([logits])
    shares = np.exp(logits[0]) / np.exp(logits[0]).sum()
    made = wishes(read, _target(Goal.HIDE, np.array([0, 0, 32, 32]), [0]))
    assert made[0] == pytest.approx(shares - np.array([1, 0, 0]), abs=1e-6)
    (pulled,) = read.pull(made)
    assert pulled is not None
    assert pulled[0] == pytest.approx(made[0])


def test_a_layout_without_a_way_back_is_refused_with_what_works_instead() -> None:
    with pytest.raises(AttackBroken, match="square and patch work on any adapter"):
        reader_for(_facts("lstr", 2), ["pred"])
