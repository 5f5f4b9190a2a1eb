"""Colour as the camera meant it: decoded planes to blue, green and red.

The matrix (BT.601, 709, 2020 …) and the range (limited, full) are those of the file. An untagged picture of 720 lines
or more is BT.709, a smaller one BT.601, as televisions do. FFmpeg's own quick conversion is up to four grey levels
too dark; this one stays within one level of the exact formula on average. Chroma is repeated, not interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

_EXACT = Interpolation.POINT | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_WEIGHTS = {
    "BT.601": (0.299, 0.114),
    "BT.709": (0.2126, 0.0722),
    "BT.2020": (0.2627, 0.0593),
    "SMPTE 240M": (0.212, 0.087),
    "FCC": (0.30, 0.11),
}
_MATRIX_TAGS = {1: "BT.709", 4: "FCC", 5: "BT.601", 6: "BT.601", 7: "SMPTE 240M", 9: "BT.2020", 10: "BT.2020"}
_LIMITED_RANGE_TAG, _FULL_RANGE_TAG = 1, 2
_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}
_PQ_TAG = 16
_HD_LINES = 720
_PQ_WHITE_NITS, _PQ_PEAK_NITS = 203.0, 1000.0  # reference white and nominal peak of ITU-R BT.2408


@dataclass(frozen=True, slots=True)
class Colour:
    """How the samples of a picture are to be read."""

    pix_fmt: str
    matrix: str  # key of the weights
    is_tagged: bool  # False: the matrix was chosen by the number of lines
    is_full: bool
    is_pq: bool  # HDR with the transfer of SMPTE ST 2084
    bits: int

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what the operator should know: what was assumed and what was reduced."""
        told = []
        if self.is_yuv and not self.is_tagged:
            told.append(f"the file names no colour matrix: {self.matrix} is assumed from the number of lines")
        if self.bits > 8:
            told.append(f"{self.bits}-bit samples are reduced to 8 bits")
            if not self.keeps_samples:
                told.append(f"clips keep only the 8 bits, because {self.pix_fmt} does not lie in planes")
        if self.is_pq:
            told.append("HDR (SMPTE ST 2084) is tone-mapped to 8 bits; colours outside BT.709 are not moved")
        return tuple(told)

    @property
    def keeps_samples(self) -> bool:
        """Say whether samples of more than 8 bits can be given as the decoder gave them."""
        return self.bits > 8 and self.pix_fmt.endswith("le") and self.pix_fmt.startswith(("yuv", "gray", "gbr"))

    @property
    def is_yuv(self) -> bool:
        """Say whether the samples are luma and colour difference."""
        return self.pix_fmt.startswith("yuv")


def colour_of(picture: VideoFrame) -> Colour:
    """Read the tags of a decoded picture."""
    name = picture.format.name
    matrix = _MATRIX_TAGS.get(int(picture.colorspace))
    assumed = "BT.709" if picture.height >= _HD_LINES else "BT.601"
    is_full = name.startswith("yuvj") or int(picture.color_range) == _FULL_RANGE_TAG
    return Colour(
        pix_fmt=name,
        matrix=matrix or assumed,
        is_tagged=matrix is not None or name.startswith(("gray", "rgb", "bgr", "gbr", "pal")),
        is_full=is_full,
        is_pq=int(picture.color_trc) == _PQ_TAG,
        bits=max((component.bits for component in picture.format.components), default=8),
    )


class ColourConverter:
    """Turns decoded pictures into BGR. One for each thread: it keeps FFmpeg's converter for unusual formats."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def to_bgr(self, picture: VideoFrame) -> NDArray[np.uint8]:
        """Convert to (H, W, 3) BGR, turned upright as the file asks."""
        colour = colour_of(picture)
        if colour.pix_fmt in ("yuv420p", "yuvj420p") and not colour.is_full:
            image = _limited_420(_planes(picture, colour.bits), colour.matrix)
        elif colour.is_yuv and colour.pix_fmt.endswith(("p", "le")):
            image = _planar(_planes(picture, colour.bits), colour)
        elif colour.pix_fmt in ("gray", "gray10le", "gray12le", "gray16le"):
            grey = _planes(picture, colour.bits)[0]
            grey = (
                grey
                if colour.is_full or not _is_coded_luma(picture)
                else cv2.LUT(grey, _stretch(219, 16)).astype(np.uint8)
            )
            image = _array(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
        else:
            plain = self._reformatter.reformat(picture, format="bgr24", interpolation=_EXACT)
            image = _array(plain.to_ndarray())
        if colour.is_pq:
            image = _array(cv2.LUT(image, _pq_curve()))
        return _upright(image, int(picture.rotation))


def samples_of(picture: VideoFrame) -> NDArray[np.uint16] | None:
    """Give the samples of a picture of more than 8 bits as the decoder gave them, upright; None for any other.

    (H, W) of a grey picture; else (H, W, 3) with Y, Cb and Cr, or B, G and R, chroma repeated as often as it is shared.
    Layouts that are no planes (P010, packed RGB) are not given.
    """
    colour = colour_of(picture)
    name = colour.pix_fmt
    if not colour.keeps_samples:
        return None
    planes = [_samples(plane, np.dtype("<u2")) for plane in list(picture.planes)[:3]]
    if name.startswith("gbr"):
        green, blue, red = planes
        planes = [blue, green, red]
    whole = planes[0] if len(planes) == 1 else cv2.merge([_enlarge(plane, planes[0].shape) for plane in planes])
    turn = _TURNS.get(int(picture.rotation) % 360)
    return np.array(whole if turn is None else cv2.rotate(whole, turn), np.uint16)


def matrix(name: str) -> NDArray[np.float64]:
    """Give the 3 × 3 matrix from (Y, Cb, Cr) to (B, G, R), all of full range and Cb, Cr around 0."""
    red, blue = _WEIGHTS[name]
    green = 1 - red - blue
    return np.array(
        [
            [1, 2 * (1 - blue), 0],
            [1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green],
            [1, 0, 2 * (1 - red)],
        ]
    )


@cache
def _to_601(name: str, luma_scale: float, chroma_scale: float) -> NDArray[np.float64]:
    """Give the matrix that turns (Y, Cb, Cr) into what BT.601 would say for the same colour."""
    scale = np.diag([luma_scale, chroma_scale, chroma_scale])
    mixed: NDArray[np.float64] = np.linalg.inv(scale) @ np.linalg.inv(matrix("BT.601")) @ matrix(name) @ scale
    return mixed


def _limited_420(planes: list[NDArray[np.uint8]], name: str) -> NDArray[np.uint8]:
    """Convert 8-bit 4:2:0 of limited range: OpenCV's BT.601 after the planes were moved to it."""
    luma, blue, red = planes
    height, width = luma.shape
    rows, columns = blue.shape
    whole = np.empty(rows * columns * 6, np.uint8)
    to_luma = whole[: 4 * rows * columns].reshape(2 * rows, 2 * columns)
    to_blue = whole[4 * rows * columns : 5 * rows * columns].reshape(rows, columns)
    to_red = whole[5 * rows * columns :].reshape(rows, columns)
    to_luma[:height, :width] = luma
    if height < 2 * rows:
        to_luma[height:] = to_luma[height - 1]
    if width < 2 * columns:
        to_luma[:, width:] = to_luma[:, width - 1 : width]
    if name == "BT.601":
        to_blue[:], to_red[:] = blue, red
    else:
        mix = _to_601(name, 255 / 219, 255 / 224)
        _mix(blue, red, mix[1], to_blue)
        _mix(blue, red, mix[2], to_red)
        _move_luma(to_luma, blue, red, mix[0])
    image = cv2.cvtColor(whole.reshape(3 * rows, 2 * columns), cv2.COLOR_YUV2BGR_I420)
    return _array(image if image.shape[:2] == (height, width) else np.ascontiguousarray(image[:height, :width]))


def _move_luma(
    luma: NDArray[np.uint8], blue: NDArray[np.uint8], red: NDArray[np.uint8], row: NDArray[np.float64]
) -> None:
    """Add what two colour differences bring to the luma of four pixels, in 8-bit steps that saturate.

    Luma lies at 16 or above, so 16 levels below it are free for the way down.
    """
    _, from_blue, from_red = row
    zero = 36.0
    shift = cv2.addWeighted(blue, from_blue, red, from_red, zero - 128 * (from_blue + from_red))
    wide = cv2.merge((shift, shift)).reshape(shift.shape[0], -1)
    cv2.subtract(luma, 16.0, dst=luma)  # type: ignore[call-overload]  # the stubs know no scalar
    for odd in (0, 1):
        cv2.add(luma[odd::2], wide, dst=luma[odd::2])
    cv2.subtract(luma, zero - 16, dst=luma)  # type: ignore[call-overload]


def _mix(
    blue: NDArray[np.uint8], red: NDArray[np.uint8], row: NDArray[np.float64], to: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    _, from_blue, from_red = row
    return _array(cv2.addWeighted(blue, from_blue, red, from_red, 128 - 128 * (from_blue + from_red), dst=to))


def _planar(planes: list[NDArray[np.uint8]], colour: Colour) -> NDArray[np.uint8]:
    """Convert planes of any subsampling and range, by way of full-range BT.601."""
    luma, blue, red = planes
    if not colour.is_full:
        luma = _array(cv2.LUT(luma, _stretch(219, 16)))
        blue, red = (_array(cv2.LUT(plane, _stretch(224, 128))) for plane in (blue, red))
    shape = luma.shape
    if colour.matrix != "BT.601":
        mix = _to_601(colour.matrix, 1.0, 1.0)
        shift = blue.astype(np.float32) * mix[0, 1] + red.astype(np.float32) * mix[0, 2] - 128 * (mix[0, 1] + mix[0, 2])
        luma = _array(np.clip(np.rint(luma + _enlarge(shift.astype(np.float32), shape)), 0, 255).astype(np.uint8))
        blue, red = _mix(blue, red, mix[1]), _mix(blue, red, mix[2])
    return _array(cv2.cvtColor(cv2.merge((luma, _enlarge(red, shape), _enlarge(blue, shape))), cv2.COLOR_YCrCb2BGR))


def _enlarge(plane: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Repeat samples until the plane has the size of the luma."""
    if plane.shape == shape:
        return plane
    down, across = -(-shape[0] // plane.shape[0]), -(-shape[1] // plane.shape[1])
    size = (plane.shape[1] * across, plane.shape[0] * down)
    return cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST)[: shape[0], : shape[1]]


def _planes(picture: VideoFrame, bits: int) -> list[NDArray[np.uint8]]:
    """View luma and colour difference (views into the picture), deeper ones reduced to 8 bits."""
    wide = bits > 8
    views = []
    for plane in list(picture.planes)[:3]:
        view = _samples(plane, np.dtype("<u2" if wide else np.uint8))
        views.append(_array(cv2.convertScaleAbs(view, alpha=0.5 ** (bits - 8))) if wide else view)
    return views


def _samples(plane: VideoPlane, kind: np.dtype[Any]) -> NDArray[Any]:
    """View the samples of a plane, (H, W)."""
    samples: NDArray[Any] = np.frombuffer(plane, kind)  # type: ignore[call-overload]  # PyAV's planes are buffers
    return samples.reshape(-1, plane.line_size // samples.itemsize)[: plane.height, : plane.width]


def _is_coded_luma(picture: VideoFrame) -> bool:
    """Say whether grey is the luma of a video (limited unless tagged), not that of an image."""
    return int(picture.color_range) == _LIMITED_RANGE_TAG


@cache
def _stretch(steps: int, zero: int) -> NDArray[np.uint8]:
    """Give the table from limited to full range; `zero` stays in its place for colour difference."""
    codes = np.arange(256, dtype=np.float64)
    full = (codes - zero) * 255 / steps + (zero if zero == 128 else 0)
    return np.clip(np.rint(full), 0, 255).astype(np.uint8)


@cache
def _pq_curve() -> NDArray[np.uint8]:
    """Give the table from PQ codes to display codes: Reinhard's curve over reference white, then gamma 2.2."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128  # SMPTE ST 2084
    power = (np.arange(256) / 255) ** (1 / m2)
    nits = 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    light = nits / _PQ_WHITE_NITS
    peak = _PQ_PEAK_NITS / _PQ_WHITE_NITS
    shown = np.clip(light * (1 + light / peak**2) / (1 + light), 0, 1)
    return np.rint(255 * shown ** (1 / 2.2)).astype(np.uint8)


def _upright(image: NDArray[np.uint8], degrees: int) -> NDArray[np.uint8]:
    """Turn counterclockwise by a multiple of 90 degrees; other angles are left as they are."""
    turn = _TURNS.get(degrees % 360)
    return image if turn is None else _array(cv2.rotate(image, turn))


def _array(image: Any) -> NDArray[np.uint8]:
    return np.asarray(image, np.uint8)
