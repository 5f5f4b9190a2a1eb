"""The part of a picture that is in sight: three and four bytes a pixel show the same."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.gui.replay.pictures import enlarged, for_screen
from hilgui.scaling import Cut, Scaler, scaled

PIXELS = np.random.default_rng(3).integers(0, 256, (90, 160, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "cut",
    [
        Cut(0, 0, 160, 90, 160, 90),
        Cut(0, 0, 160, 90, 100, 56),
        Cut(0, 0, 160, 90, 40, 22),
        Cut(10, 20, 50, 60, 300, 300),
        Cut(10, 20, 15, 25, 400, 400),
    ],
)
def test_a_live_picture_looks_as_a_stored_one(cut: Cut) -> None:
    live, stored = scaled(PIXELS, cut), scaled(for_screen(PIXELS), cut)

    assert live.shape == (cut.height, cut.width, 4)
    assert live.flags.c_contiguous
    assert np.array_equal(live, stored)


@pytest.mark.parametrize("size", [(63, 35), (50, 28), (40, 22), (33, 19), (20, 11)])
def test_a_small_picture_leaves_no_pixel_out(size: tuple[int, int]) -> None:
    cut = Cut(0, 0, 160, 90, *size)
    light = []
    for column in range(16, 144):
        line = np.zeros((90, 160, 3), np.uint8)
        line[:, column] = 200
        light.append(scaled(line, cut)[..., :3].sum() / (200 * 3 * size[0] * size[1] / 160))

    assert 0.4 < min(light) and max(light) < 1.6
    assert abs(np.mean(light) - 1) < 0.05


def test_memory_that_is_used_again_changes_no_picture() -> None:
    scaler, dark = Scaler(), PIXELS // 2
    cuts = [Cut(0, 0, 160, 90, 100, 56), Cut(0, 0, 160, 90, 40, 22), Cut(0, 0, 160, 90, 160, 90)]
    for image in (PIXELS, dark, for_screen(PIXELS), dark):
        for cut in (*cuts, *cuts):
            assert np.array_equal(scaler.scaled(image, cut), scaled(image, cut))


def test_a_picture_that_came_smaller_has_its_size_again() -> None:
    assert enlarged(PIXELS, 320, 180).shape == (180, 320, 3)
    assert enlarged(PIXELS, 160, 90) is PIXELS
