"""Disagreement of two models on one frame."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.records import Detections
from hilgui.shadow import disagree

A, B, C = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10)
NEARLY_A = (0, 1, 10, 11)
JUDGED = frozenset({0, 1})


def found(*rows: tuple[tuple[int, int, int, int], float, int]) -> Detections:
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int32),
    )


@pytest.mark.parametrize(
    ("baseline", "candidate", "value", "only_baseline", "only_candidate"),
    [
        pytest.param(found(), found(), 0.0, [], [], id="both see nothing"),
        pytest.param(found((A, 0.9, 0)), found((NEARLY_A, 0.6, 0)), 0.0, [], [], id="the same object"),
        pytest.param(found((A, 0.9, 0)), found(), 1.0, [0], [], id="one sees nothing"),
        pytest.param(found((A, 0.9, 0)), found((A, 0.9, 1)), 1.0, [0], [0], id="another class"),
        pytest.param(found((A, 0.9, 0), (B, 0.8, 0)), found((B, 0.9, 0)), 1 / 3, [0], [], id="one object less"),
        pytest.param(found((A, 0.9, 0), (NEARLY_A, 0.8, 0)), found((A, 0.9, 0)), 1 / 3, [1], [], id="duplicate"),
        pytest.param(
            found((A, 0.9, 0), (B, 0.2, 0)), found((A, 0.9, 0), (B, 0.31, 0)), 1 / 3, [], [1], id="thresholds"
        ),
        pytest.param(found((C, 0.9, 7), (A, 0.8, 0)), found((A, 0.9, 0)), 0.0, [], [], id="a class not judged"),
    ],
)
def test_value_and_rows(
    baseline: Detections, candidate: Detections, value: float, only_baseline: list[int], only_candidate: list[int]
) -> None:
    disagreement = disagree(baseline, candidate, (0.5, 0.3), JUDGED)
    assert disagreement.value == pytest.approx(value)
    assert disagreement.only_baseline.tolist() == only_baseline
    assert disagreement.only_candidate.tolist() == only_candidate


def test_exchanging_the_models_does_not_change_the_value() -> None:
    rng = np.random.default_rng(2)
    for _ in range(30):
        one, two = (_random(rng) for _ in range(2))
        assert disagree(one, two, (0.3, 0.3), JUDGED).value == disagree(two, one, (0.3, 0.3), JUDGED).value


def _random(rng: np.random.Generator) -> Detections:
    corner = rng.uniform(0, 20, (12, 2))
    boxes = np.hstack([corner, corner + rng.uniform(5, 15, (12, 2))]).astype(np.float32)
    return Detections(boxes, np.sort(rng.random(12).astype(np.float32))[::-1], rng.integers(0, 2, 12).astype(np.int32))
