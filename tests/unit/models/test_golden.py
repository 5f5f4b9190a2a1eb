"""A golden clip: counts first, then values within the noise of other hardware."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.models import Golden
from hilgui.models.golden import differences
from hilgui.pipeline.golden import replay_golden
from hilgui.resources import shipped

GOLDEN = Golden("a" * 64, 10, 7, {"car": 3, "person": 4}, 0.61, (10.0, 20.0, 30.0, 40.0))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (GOLDEN, ()),
        (replace(GOLDEN, mean_score=0.615, mean_box=(10.4, 20.0, 30.0, 40.0)), ()),
        (replace(GOLDEN, by_class={"car": 3, "person": 5}), ("5 detections of person instead of 4",)),
        (replace(GOLDEN, frames=9, mean_score=0.1), ("9 frames instead of 10",)),
        (replace(GOLDEN, mean_score=0.5), ("a mean score of 0.500 instead of 0.610",)),
        (replace(GOLDEN, mean_box=(13.0, 20.0, 30.0, 40.0)), ("boxes are displaced by more than 1 px on average",)),
        (replace(GOLDEN, clip_sha256="b" * 64), ("the golden clip is another file than it was",)),
    ],
)
def test_answers_are_compared(found: Golden, said: tuple[str, ...]) -> None:
    assert differences(GOLDEN, found) == said


def test_json_brings_a_golden_answer_back() -> None:
    assert Golden.from_json(GOLDEN.as_json()) == GOLDEN


@pytest.mark.slow
def test_a_shipped_model_answers_a_shipped_clip_the_same_twice() -> None:
    clip: Path = shipped("assets/demo/day.mp4")
    baseline = shipped("assets/demo/baseline.onnx")

    first, second = replay_golden(baseline, clip), replay_golden(baseline, clip)

    assert first == second
    assert first.frames == 600
    assert first.by_class["person"] > 100
