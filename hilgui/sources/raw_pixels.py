"""Pixels without a codec: rows of samples as drivers write them, and Bayer patterns, to BGR of 8 bits.

Deep samples: grey and colour keep their curve and lose their lowest bits. Bayer samples deeper than 8 bits are linear
sensor values and get the usual display gamma of 2.2, or everything but the sun would be black.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

BAYER = {
    "rggb": cv2.COLOR_BayerRGGB2BGR,
    "bggr": cv2.COLOR_BayerBGGR2BGR,
    "gbrg": cv2.COLOR_BayerGBRG2BGR,
    "grbg": cv2.COLOR_BayerGRBG2BGR,
}


Samples = NDArray[np.uint8] | NDArray[np.uint16]


class Layout(NamedTuple):
    """How an encoding of `sensor_msgs/Image` and `foxglove.RawImage` lays out its samples."""

    channels: int
    bits: int
    code: int | None  # OpenCV's conversion to BGR
    bayer: str = ""


LAYOUTS: dict[str, Layout] = {
    "rgb8": Layout(3, 8, cv2.COLOR_RGB2BGR),
    "bgr8": Layout(3, 8, None),
    "8uc3": Layout(3, 8, None),
    "rgba8": Layout(4, 8, cv2.COLOR_RGBA2BGR),
    "bgra8": Layout(4, 8, cv2.COLOR_BGRA2BGR),
    "8uc4": Layout(4, 8, cv2.COLOR_BGRA2BGR),
    "mono8": Layout(1, 8, cv2.COLOR_GRAY2BGR),
    "8uc1": Layout(1, 8, cv2.COLOR_GRAY2BGR),
    "rgb16": Layout(3, 16, cv2.COLOR_RGB2BGR),
    "bgr16": Layout(3, 16, None),
    "mono16": Layout(1, 16, cv2.COLOR_GRAY2BGR),
    "16uc1": Layout(1, 16, cv2.COLOR_GRAY2BGR),
    "yuv422": Layout(2, 8, cv2.COLOR_YUV2BGR_UYVY),
    "uyvy": Layout(2, 8, cv2.COLOR_YUV2BGR_UYVY),
    "yuv422_yuy2": Layout(2, 8, cv2.COLOR_YUV2BGR_YUY2),
    "yuyv": Layout(2, 8, cv2.COLOR_YUV2BGR_YUY2),
    **{f"bayer_{pattern}8": Layout(1, 8, code, pattern) for pattern, code in BAYER.items()},
    **{f"bayer_{pattern}16": Layout(1, 16, code, pattern) for pattern, code in BAYER.items()},
}


def from_samples(
    data: bytes | NDArray[np.uint8], width: int, height: int, step: int, encoding: str, *, is_big_endian: bool = False
) -> tuple[NDArray[np.uint8], Samples | None]:
    """Give (height, width, 3) BGR, and the samples themselves where that is a reduction of them.

    Samples are (height, width) or (height, width, channels) in the order of the message; None for plain 8 bits. Raises
    ValueError for an encoding or a size that does not fit.
    """
    layout = LAYOUTS.get(encoding.lower())
    if layout is None:
        raise ValueError(f"the pixel encoding {encoding!r} is not known ({', '.join(sorted(LAYOUTS))})")
    sample_bytes = layout.bits // 8
    row_bytes = width * layout.channels * sample_bytes
    step = step or row_bytes
    samples = np.frombuffer(data, np.uint8)
    if width <= 0 or height <= 0 or step < row_bytes or len(samples) < step * (height - 1) + row_bytes:
        raise ValueError(f"{len(samples):,} bytes are no {width} × {height} picture of {encoding} with rows of {step}")
    rows = np.lib.stride_tricks.as_strided(samples, (height, row_bytes), (step, 1), writeable=False)
    rows = np.ascontiguousarray(rows)
    if layout.bits == 16:
        deep = rows.view(">u2" if is_big_endian else "<u2").astype(np.uint16)
        deep = deep.reshape(height, width, layout.channels) if layout.channels > 1 else deep
        if layout.bayer:
            return from_bayer(deep, layout.bayer), deep
        return _convert((deep >> (bits_of(deep) - 8)).astype(np.uint8), layout.code), deep
    pixels = rows.reshape(height, width, layout.channels) if layout.channels > 1 else rows
    return _convert(pixels, layout.code), pixels if layout.bayer else None


def from_bayer(samples: NDArray[np.uint8] | NDArray[np.uint16], pattern: str) -> NDArray[np.uint8]:
    """Interpolate a Bayer picture, (H, W) → (H, W, 3) BGR; raises ValueError for an unknown pattern, a tiny picture."""
    code = BAYER.get(pattern.lower())
    if code is None:
        raise ValueError(f"the Bayer pattern {pattern!r} is not one of {', '.join(BAYER)}")
    if samples.ndim != 2 or min(samples.shape) < 4:
        raise ValueError(f"a Bayer picture has one channel and at least 4 × 4 samples, not {samples.shape}")
    if samples.dtype == np.uint16:
        samples = display_curve(bits_of(samples.astype(np.uint16, copy=False)))[samples]
    return _convert(samples.astype(np.uint8, copy=False), code)


def is_deep(head: bytes) -> bool:
    """Say whether a file may hold samples of 16 bits: a PNG tells, a TIFF has to be decoded."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return len(head) > 24 and head[24] == 16
    return head[:4] in (b"II*\0", b"MM\0*")


def bits_of(samples: NDArray[np.uint16]) -> int:
    """Tell the depth of samples kept in 16 bits: the least of 8, 10, 12, 14, 16 that holds the usual bright ones.

    Looks at all samples; a scene that uses less than a quarter of the range looks like a shallower one.
    """
    brightest = int(samples.max()) if samples.size else 0
    return next(bits for bits in (8, 10, 12, 14, 16) if brightest < 1 << bits)


@cache
def display_curve(bits: int) -> NDArray[np.uint8]:
    """Give the table from linear samples of a depth to 8-bit display codes."""
    codes = np.minimum(np.arange(1 << 16), (1 << bits) - 1) / ((1 << bits) - 1)
    return np.rint(255 * codes ** (1 / 2.2)).astype(np.uint8)


def _convert(pixels: NDArray[np.uint8], code: int | None) -> NDArray[np.uint8]:
    return np.asarray(pixels if code is None else cv2.cvtColor(pixels, code), np.uint8)
