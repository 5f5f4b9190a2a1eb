"""Colour: within one grey level of the exact formula, whatever the matrix, range, depth and subsampling."""

from __future__ import annotations

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.sources.colour import ColourConverter, colour_of, samples_of

WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}
FORMATS = {
    "yuv420p": (2, 2, 8),
    "yuv422p": (1, 2, 8),
    "yuv444p": (1, 1, 8),
    "yuv411p": (1, 4, 8),
    "yuv420p10le": (2, 2, 10),
    "yuv422p12le": (1, 2, 12),
}


def samples(pix_fmt: str, width: int, height: int, *, seed: int = 1) -> list[NDArray[np.uint16]]:
    """Make planes whose colours exist: a random RGB picture turned into limited BT.709-ish codes."""
    down, across, bits = FORMATS[pix_fmt]
    order = np.random.default_rng(seed)
    scale = 1 << (bits - 8)
    luma = order.integers(40 * scale, 200 * scale, (height, width))
    chroma = [order.integers(108 * scale, 148 * scale, (-(-height // down), -(-width // across))) for _ in range(2)]
    return [np.asarray(plane, np.uint16) for plane in (luma, *chroma)]


def picture_of(pix_fmt: str, planes: list[NDArray[np.uint16]]) -> av.VideoFrame:
    height, width = planes[0].shape
    picture = av.VideoFrame(width, height, pix_fmt)
    for plane, values in zip(picture.planes, planes, strict=True):
        wide = FORMATS.get(pix_fmt, (1, 1, 8))[2] > 8
        data = values.astype("<u2" if wide else np.uint8)
        row = np.zeros((plane.height, plane.line_size // data.itemsize), data.dtype)
        row[:, : plane.width] = data
        plane.update(row.tobytes())
    return picture


def exact(pix_fmt: str, planes: list[NDArray[np.uint16]], matrix: int, *, is_full: bool) -> NDArray[np.float64]:
    """Follow the standard in floating point, with repeated chroma."""
    down, across, bits = FORMATS[pix_fmt]
    luma, blue, red = (plane / (1 << (bits - 8)) for plane in planes)
    shape = luma.shape
    blue, red = (np.repeat(np.repeat(p, down, 0), across, 1)[: shape[0], : shape[1]] - 128 for p in (blue, red))
    if not is_full:
        luma, blue, red = (luma - 16) * 255 / 219, blue * 255 / 224, red * 255 / 224
    kr, kb = WEIGHTS[matrix]
    kg = 1 - kr - kb
    r, b = luma + 2 * (1 - kr) * red, luma + 2 * (1 - kb) * blue
    g = (luma - kr * r - kb * b) / kg
    return np.clip(np.stack([b, g, r], axis=-1), 0, 255)


@pytest.mark.parametrize("size", [(64, 48), (63, 47)], ids=["even", "odd"])
@pytest.mark.parametrize("is_full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", WEIGHTS, ids=["709", "601", "2020"])
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_the_mean_error_is_below_one_grey_level(
    pix_fmt: str, matrix: int, is_full: bool, size: tuple[int, int]
) -> None:
    planes = samples(pix_fmt, *size)
    picture = picture_of(pix_fmt, planes)
    picture.colorspace, picture.color_range = matrix, 2 if is_full else 1
    image = ColourConverter().to_bgr(picture)
    error = image - exact(pix_fmt, planes, matrix, is_full=is_full)
    assert image.shape == (size[1], size[0], 3)
    assert np.abs(error).mean() <= 1.0
    assert np.abs(error).max() <= 4.0
    assert abs(error.mean()) <= 0.5  # neither too dark nor too bright


@pytest.mark.parametrize(("height", "matrix"), [(480, "BT.601"), (720, "BT.709"), (1080, "BT.709")])
def test_an_untagged_picture_is_read_by_its_number_of_lines(height: int, matrix: str) -> None:
    colour = colour_of(av.VideoFrame(64, height, "yuv420p"))
    assert colour.matrix == matrix
    assert any(matrix in note for note in colour.notes)


@pytest.mark.parametrize("level", [16, 17, 22, 60, 128, 235])
def test_grey_stays_grey_and_is_not_darkened(level: int) -> None:
    picture = picture_of("yuv420p", [np.full((48, 64), level), np.full((24, 32), 128), np.full((24, 32), 128)])  # type: ignore[list-item]
    for matrix in WEIGHTS:
        picture.colorspace = matrix
        image = ColourConverter().to_bgr(picture)
        assert np.abs(image - (level - 16) * 255 / 219).max() <= 1


def test_ten_bits_are_told() -> None:
    colour = colour_of(av.VideoFrame(64, 48, "yuv420p10le"))
    assert "10-bit samples are reduced to 8 bits" in colour.notes
    assert not any("clips keep only" in note for note in colour.notes)


@pytest.mark.parametrize("pix_fmt", ["p010le", "rgb48le"])
def test_samples_that_clips_do_not_keep_are_told(pix_fmt: str) -> None:
    picture = av.VideoFrame(64, 48, pix_fmt)
    assert samples_of(picture) is None
    assert f"clips keep only the 8 bits, because {pix_fmt} does not lie in planes" in colour_of(picture).notes


@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_samples_of_more_than_8_bits_are_given_as_they_are(pix_fmt: str) -> None:
    down, across, bits = FORMATS[pix_fmt]
    planes = samples(pix_fmt, 63, 47)

    given = samples_of(picture_of(pix_fmt, planes))

    if bits == 8:
        assert given is None
        return
    assert given is not None
    assert given.shape == (47, 63, 3)
    assert given.dtype == np.uint16
    np.testing.assert_array_equal(given[:, :, 0], planes[0])
    for channel in (1, 2):
        np.testing.assert_array_equal(given[::down, ::across, channel], planes[channel])


def test_samples_of_grey_have_one_channel_and_those_of_rgb_are_in_the_order_of_opencv() -> None:
    levels = [np.full((48, 64), 300 + 100 * plane, np.uint16) for plane in range(3)]

    grey, colour = samples_of(deep_picture("gray12le", levels[:1])), samples_of(deep_picture("gbrp10le", levels))

    np.testing.assert_array_equal(grey, levels[0])
    assert colour is not None
    assert colour[0, 0].tolist() == [400, 300, 500]  # planes are green, blue, red


def deep_picture(pix_fmt: str, planes: list[NDArray[np.uint16]]) -> av.VideoFrame:
    picture = av.VideoFrame(64, 48, pix_fmt)
    for plane, values in zip(picture.planes, planes, strict=True):
        row = np.zeros((plane.height, plane.line_size // 2), "<u2")
        row[:, : plane.width] = values
        plane.update(row.tobytes())
    return picture


def test_hdr_is_tone_mapped_so_that_reference_white_is_bright_and_the_peak_is_white() -> None:
    picture = av.VideoFrame(64, 48, "yuv420p10le")
    planes = [np.full((48, 64), value) for value in (64 + 876 * 0.58,)] + [np.full((24, 32), 512)] * 2
    picture = picture_of("yuv420p10le", planes)  # type: ignore[arg-type]
    picture.colorspace, picture.color_range, picture.color_trc = 9, 1, 16
    assert 150 < ColourConverter().to_bgr(picture).mean() < 230


@pytest.mark.parametrize("pix_fmt", ["gray", "rgb24", "bgr24", "gbrp"])
def test_pictures_that_are_no_yuv_keep_their_levels(pix_fmt: str) -> None:
    image = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    if pix_fmt == "gray":
        image[:] = image[:, :, :1]
    picture = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=pix_fmt)
    assert np.abs(ColourConverter().to_bgr(picture).astype(int) - image).max() <= 1
