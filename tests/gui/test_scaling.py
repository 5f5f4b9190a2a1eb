"""The part of a picture that is in sight: three and four bytes a pixel show the same."""

from __future__ import annotations

import numpy as np
import pytest

from hilgui.gui.replay.pictures import enlarged, for_screen
from hilgui.gui.replay.scaling import Cut, scaled

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


def test_a_picture_that_came_smaller_has_its_size_again() -> None:
    assert enlarged(PIXELS, 320, 180).shape == (180, 320, 3)
    assert enlarged(PIXELS, 160, 90) is PIXELS
