"""Perceptual hash: pictures that look alike are near, others are far."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.cornercases.picture_hash import BITS, SAME_BITS, distance, hash_of, hash_of_crop
from hilgui.scenes.render import Renderer
from hilgui.scenes.weather import DAY


@pytest.fixture(scope="module")
def street() -> list[NDArray[np.uint8]]:
    return [picture.image for picture in Renderer(DAY, seed=3, seconds=2.0).pictures(every=20)]


def test_the_same_picture_smaller_brighter_and_compressed_looks_the_same(street: list[NDArray[np.uint8]]) -> None:
    image = street[0]
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])
    others = [cv2.resize(image, None, fx=0.5, fy=0.5), cv2.convertScaleAbs(image, alpha=1.1, beta=8)]
    for other in (*others, cv2.imdecode(jpeg, cv2.IMREAD_COLOR)):
        assert distance(hash_of(image), hash_of(other)) <= SAME_BITS


def test_another_picture_is_far(street: list[NDArray[np.uint8]]) -> None:
    assert distance(hash_of(street[0]), hash_of(street[0][:, ::-1])) > 2 * SAME_BITS


def test_neighbouring_frames_are_nearer_than_a_mirrored_one(street: list[NDArray[np.uint8]]) -> None:
    near = distance(hash_of(street[0]), hash_of(street[1]))
    assert near < distance(hash_of(street[0]), hash_of(street[0][:, ::-1]))


def test_an_object_is_hashed_with_what_is_around_it_and_cut_at_the_border(street: list[NDArray[np.uint8]]) -> None:
    image = street[0]
    crop = hash_of_crop(image, (-20.0, 100.0, 80.0, 200.0))
    assert crop == hash_of(image[85:216, 0:96])
    assert len(crop) == BITS // 4


@pytest.mark.parametrize("box", [(0.0, 0.0, 3.0, 40.0), (5000.0, 0.0, 5100.0, 50.0), (50.0, 50.0, 20.0, 90.0)])
def test_what_is_too_small_or_outside_has_no_hash(
    box: tuple[float, float, float, float], street: list[NDArray[np.uint8]]
) -> None:
    assert hash_of_crop(street[0], box) == ""


def test_without_a_hash_nothing_is_near() -> None:
    assert distance("", "") == distance("00" * 8, "") == BITS
    assert distance("00" * 8, "03" + "00" * 7) == 2
