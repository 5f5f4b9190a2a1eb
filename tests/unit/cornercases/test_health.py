"""Health of an image from a sample of its pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.cornercases import HealthMeter


def picture(level: int, height: int = 54, width: int = 96) -> NDArray[np.uint8]:
    return np.full((height, width, 3), level, np.uint8)


def test_the_figures_agree_with_the_whole_picture() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (540, 960), dtype=np.uint8)
    health = HealthMeter().measure(np.dstack([grey] * 3))
    assert health.mean == pytest.approx(float(grey.mean()), rel=0.03)
    assert health.deviation == pytest.approx(float(grey.std()), rel=0.03)
    assert health.saturated == pytest.approx(float((grey >= 250).mean()), abs=0.01)
    assert math.isnan(health.change)


def test_change_is_the_mean_absolute_difference_to_the_frame_before() -> None:
    meter = HealthMeter()
    meter.measure(picture(100))
    assert [meter.measure(picture(level)).change for level in (100, 103, 0)] == [0.0, 3.0, 103.0]


def test_change_is_unknown_where_the_size_differs() -> None:
    meter = HealthMeter()
    meter.measure(picture(100))
    assert math.isnan(meter.measure(picture(100, height=108)).change)
    assert meter.measure(picture(90, height=108)).change == 10.0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 500), (8, 8)])
def test_small_pictures_have_health_too(height: int, width: int) -> None:
    health = HealthMeter().measure(picture(255, height, width))
    assert (health.mean, health.deviation, health.saturated) == (255.0, 0.0, 1.0)


def test_the_caller_may_reuse_its_buffer() -> None:
    meter, buffer = HealthMeter(), picture(10)
    meter.measure(buffer)
    buffer[:] = 20
    assert meter.measure(buffer).change == 10.0
