from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.inference.preprocess import Preprocess, Workspace, place

IMAGENET = Preprocess(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
NANODET = Preprocess("bgr", 1.0, (103.53, 116.28, 123.675), (57.375, 57.12, 58.395), "letterbox", "center", 0)


def naive(image: NDArray[np.uint8], width: int, height: int, wanted: Preprocess) -> NDArray[np.float64]:
    """Do the same the long way, in double precision."""
    geometry, inner_width, inner_height = place(image.shape[1], image.shape[0], width, height, wanted)
    canvas = np.full((height, width, 3), wanted.pad, np.uint8)
    top, left = geometry.offset_y, geometry.offset_x
    canvas[top : top + inner_height, left : left + inner_width] = cv2.resize(image, (inner_width, inner_height))
    ordered = canvas if wanted.color == "bgr" else canvas[:, :, ::-1]
    return ((ordered * wanted.scale - np.array(wanted.mean)) / np.array(wanted.std)).transpose(2, 0, 1)[None]


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    "wanted",
    [
        Preprocess(),
        Preprocess(color="bgr", scale=1.0),
        Preprocess(resize="stretch"),
        Preprocess(anchor="center"),
        IMAGENET,
        NANODET,
    ],
)
@pytest.mark.parametrize("size", [(72, 128), (100, 40), (64, 96), (1, 300)])
def test_the_tensor_is_that_of_the_long_way_to_a_ten_thousandth_of_a_grey_level(
    wanted: Preprocess, size: tuple[int, int]
) -> None:
    image = noise(*size)
    workspace = Workspace(96, 64, wanted)

    workspace.fill(image)

    levels = np.abs(workspace.tensor - naive(image, 96, 64, wanted)) * np.array(wanted.std)[:, None, None]
    assert levels.max() / wanted.scale < 1e-4


def test_pictures_of_changing_size_leave_nothing_behind() -> None:
    workspace = Workspace(96, 64, Preprocess())
    for size in ((72, 128), (128, 72), (64, 96), (72, 128)):
        image = noise(*size)

        workspace.fill(image)

        assert np.allclose(workspace.tensor, naive(image, 96, 64, Preprocess()), atol=1e-6)


def test_the_tensor_stays_the_same_memory() -> None:
    workspace = Workspace(96, 64, Preprocess())
    before = workspace.tensor

    workspace.fill(noise(72, 128))
    workspace.fill(noise(30, 30))

    assert workspace.tensor is before


def test_a_read_only_picture_with_gaps_between_rows_is_taken() -> None:
    image = noise(72, 256)[:, ::2]
    image.flags.writeable = False
    workspace = Workspace(96, 64, Preprocess())

    workspace.fill(image)

    assert np.allclose(workspace.tensor, naive(np.ascontiguousarray(image), 96, 64, Preprocess()), atol=1e-6)


@pytest.mark.parametrize("wanted", [Preprocess(), Preprocess(anchor="center"), Preprocess(resize="stretch")])
def test_a_box_comes_back_to_where_it_was(wanted: Preprocess) -> None:
    geometry, _, _ = place(1242, 375, 416, 416, wanted)
    box = np.array([[100.0, 50.0, 700.0, 300.0]])
    scale = np.array([geometry.scale_x, geometry.scale_y] * 2)
    offset = np.array([geometry.offset_x, geometry.offset_y] * 2)

    assert np.allclose(geometry.to_image((box * scale + offset).astype(np.float32)), box, atol=1e-3)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="a picture is"):
        Workspace(96, 64, Preprocess()).fill(image)


def test_the_letterbox_holds_the_pad_after_normalisation() -> None:
    workspace = Workspace(96, 64, dataclasses.replace(IMAGENET, pad=114))

    workspace.fill(noise(10, 96))

    assert np.allclose(workspace.tensor[0, :, -1, -1], (114 / 255 - np.array(IMAGENET.mean)) / np.array(IMAGENET.std))


@pytest.mark.parametrize("brightest", [0, 1, 7, 100, 254, 255])
def test_one_pass_of_opencv_multiplies_as_numpy_does_to_the_last_bit(brightest: int) -> None:
    levels = np.minimum(np.arange(256, dtype=np.uint8), np.uint8(brightest)).reshape(16, 16)
    image = np.repeat(levels[:, :, None], 3, axis=2)
    for scale in (1 / 255, 1 / 128, 0.017, 1.7):
        wanted = Preprocess(scale=scale)
        dense, spread = Workspace(16, 16, wanted), Workspace(16, 16, wanted, "nhwc")

        dense.fill(image)
        spread.fill(image)

        assert (dense.tensor[0, 0] == levels.astype(np.float32) * np.float32(scale)).all()
        assert (dense.tensor.transpose(0, 2, 3, 1) == spread.tensor).all()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Preprocess(), "rgb, pixel / 255, letterbox top left on grey 114"),
        (Preprocess("bgr", 1.0, resize="crop"), "bgr, pixel, crop"),
        (
            Preprocess("rgb", 1.0, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0), "stretch"),
            "rgb, (pixel − (127, 127, 127)) / (128, 128, 128), stretch",
        ),
    ],
)
def test_what_a_network_wants_is_said_in_words(wanted: Preprocess, words: str) -> None:
    assert wanted.words == words
