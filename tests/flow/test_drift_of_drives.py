"""Day to night on drives: found within the first window, and another day is not."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.cornercases import HealthMeter
from hilgui.drift import Monitor, Origin, Sampler, calibrate, figures_of, make_reference, usual_window
from hilgui.records import FrameRef, Moment, Vocabulary
from hilgui.robustness.drift_drives import Target
from hilgui.robustness.drifting import check, reference_of
from hilgui.scenes.camera import Camera
from hilgui.scenes.render import FPS, Renderer
from hilgui.scenes.weather import CONDITIONS

EVERY = 3  # of the rendered frames
SMALL = Camera(240, 136, 160.0, 160.0, 120.0, 68.0)
DEMO = Path(__file__).parents[2] / "assets" / "demo"


@cache
def figures(condition: str, seed: int, seconds: float) -> tuple[dict[str, float], ...]:
    """Render a drive and measure its pictures."""
    health = HealthMeter()
    pictures = Renderer(CONDITIONS[condition], seed, seconds, SMALL).pictures(EVERY)
    return tuple(picture_figures(health, each.index, each.image) for each in pictures)


def picture_figures(health: HealthMeter, seq: int, image: NDArray[np.uint8]) -> dict[str, float]:
    ref = FrameRef(seq, str(seq), seq / FPS, datetime(2026, 11, 25, tzinfo=UTC), 0, SMALL.width, SMALL.height)
    return figures_of(Moment(ref, health.measure(image), None, {}), {}, Vocabulary((), frozenset()))


def nothing(_done: int, _total: int) -> None:
    """Tell nobody."""


def test_the_night_drive_of_the_demo_has_drifted_from_its_day_in_the_first_window() -> None:
    reference, _ = reference_of((Target(DEMO / "day.mp4", False),), "", nothing)
    checked = check(Target(DEMO / "night.mp4", False), reference, rate=0.05, window=None, tell=nothing)
    assert {one.figure for one in checked.looks[0].alarms} >= {"brightness", "sharpness"}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [21, 22, 23])
def test_rendered_nights_drift_from_rendered_days_in_the_first_window_and_another_day_does_not(seed: int) -> None:
    sampler = Sampler()
    for drive in range(seed, seed + 600, 100):  # six: a reference needs stretches longer than its frames are alike
        sampler.start_drive()
        for seq, each in enumerate(figures("day", drive, 20.0)):
            sampler.add(seq, seq * EVERY / FPS, each)
    origin = (Origin("made", "", 1),)
    reference = make_reference(sampler.sample(), origin, {}, created="", version="")
    for condition, drifts in (("night", True), ("day", False)):
        monitor = Monitor(calibrate(reference, rate=0.05, windows=1, window=usual_window(reference)))
        seconds = monitor.calibration.window_frames * EVERY / FPS + 1.0
        for seq, each in enumerate(figures(condition, seed + 900, seconds)):
            monitor.add(seq, seq * EVERY / FPS, each)
        assert bool(monitor.looks[0].alarms) is drifts, condition
