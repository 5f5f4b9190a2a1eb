"""Figures of one frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hilgui.drift import Sampler, figures_of
from hilgui.records import Detections, Moment, Role
from tests.unit.store import rows


def shown(*boxes: tuple[float, float]) -> Moment:
    """Give a frame of 64 pixels in which a model shows boxes of (score, height), the surest first."""
    found = Detections(
        np.array([(0, 10, 8, 10 + height) for _, height in boxes], np.float32).reshape(-1, 4),
        np.array([score for score, _ in boxes], np.float32),
        np.zeros(len(boxes), np.int32),
    )
    moment = rows.moment(0)
    return replace(moment, inferences={Role.BASELINE: replace(moment.inferences[Role.BASELINE], detections=found)})


def test_mean_score_and_height_are_those_of_the_detections_at_the_threshold() -> None:
    vocabulary = rows.header().vocabulary
    told = figures_of(shown((0.9, 32), (0.7, 16), (0.2, 64)), {Role.BASELINE: 0.5}, vocabulary)
    assert told["baseline.detections"] == 2
    assert told["baseline.mean_score"] == pytest.approx(0.8)
    assert told["baseline.height"] == pytest.approx(24 / 64)
    none = figures_of(shown((0.2, 64)), {Role.BASELINE: 0.5}, vocabulary)
    assert (none["baseline.mean_score"], none["baseline.height"]) == (0.0, 0.0)
    assert set(none) == set(told)  # every frame has every figure


def test_frames_without_a_figure_that_is_not_wanted_are_no_less_whole() -> None:
    whole, without = {"brightness": 1.0, "candidate.score": 0.5}, {"brightness": 2.0}
    for wanted, kept, left_out in ((None, 1, 1), (("brightness",), 2, 0)):
        sampler = Sampler(wanted)
        sampler.start_drive()
        for seq, figures in enumerate((whole, without)):
            sampler.add(seq, seq / 20.0, figures)
        assert (len(sampler.sample()), sampler.left_out) == (kept, left_out)
