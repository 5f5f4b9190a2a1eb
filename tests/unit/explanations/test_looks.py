"""How objects look, what differs between two, and small changes of pictures."""

import numpy as np
import pytest

from hilgui.explanations.changes import CHANGES
from hilgui.explanations.looks import differences, looks_of
from hilgui.explanations.masks import mean_veil, through

BOX = (20.0, 10.0, 40.0, 40.0)


def scene(inside: int, around: int, grain: int = 0) -> np.ndarray:
    chance = np.random.default_rng(2)
    image = np.full((60, 80, 3), around, np.int16)
    image[10:40, 20:40] = inside
    image[10:40, 20:40] += chance.integers(-grain, grain + 1, (30, 20, 1)).astype(np.int16)
    return np.clip(image, 0, 255).astype(np.uint8)


def test_what_differs_is_said_the_most_telling_first() -> None:
    dark, bright = looks_of(scene(40, 35), BOX), looks_of(scene(150, 35), BOX)
    assert dark is not None and bright is not None
    said = differences(dark, bright)
    assert said[0].startswith("stands out less (5 grey levels against 115)")
    assert "darker by 110 grey levels" in said
    assert differences(bright, bright) == ()
    small = looks_of(scene(150, 35), (20, 10, 30, 25))
    assert small is not None and "0.5 times the size" in differences(small, bright)
    assert dark.unlike(bright) > dark.unlike(dark) == 0.0


def test_a_blurred_object_is_called_so() -> None:
    import cv2

    sharp = scene(100, 100, grain=60)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    one, other = looks_of(soft.astype(np.uint8), BOX), looks_of(sharp, BOX)
    assert one is not None and other is not None
    assert "more blurred" in differences(one, other) and "flatter" in " ".join(differences(one, other))


def test_an_object_outside_the_picture_has_no_looks() -> None:
    assert looks_of(scene(1, 2), (100, 10, 140, 40)) is None


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_change_moves_the_box_with_the_object_and_nothing_changes_nothing(change) -> None:
    image = scene(200, 30)
    same, placing = change.do(image, BOX, 0.0)
    assert np.array_equal(same, image) and placing.box(BOX) == BOX
    changed, placing = change.do(image, BOX, 0.5)
    x1, y1, x2, y2 = (round(value) for value in placing.box(BOX))
    assert changed.shape == image.shape and changed.dtype == np.uint8
    inner = changed[max(y1, 0) + 2 : y2 - 2, max(x1, 0) + 2 : x2 - 2]
    assert float(inner.min()) > float(changed[:, :4].max()) - 1  # the bright object lies in its moved box
    assert change.words(0.5)


def test_hidden_places_take_the_mean_colour() -> None:
    image = scene(200, 30)
    veiled = through(image, mean_veil(image), np.zeros((60, 80), np.float32))
    assert (veiled == veiled[0, 0]).all() and abs(int(veiled[0, 0, 0]) - image.mean()) <= 1
    assert np.array_equal(through(image, mean_veil(image), np.ones((60, 80), np.float32)), image)
