"""Scales the part of a picture that is in sight; decoder and engine do it ahead, the screen does what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_SHARP_FROM = 3.0  # screen pixels per picture pixel: from here on pixels are shown as squares
_COARSE_BELOW = 0.4  # below this, bilinear would leave pixels of the picture out: halved first, an eighth of INTER_AREA


class Cut(NamedTuple):
    """Pixels x1 y1 x2 y2 of a picture become `width` × `height` pixels of the screen."""

    x1: int
    y1: int
    x2: int
    y2: int
    width: int
    height: int


class Late(NamedTuple):
    """A picture of which only a part has come; `fetch` gives all of it, or None where it is gone already."""

    width: int
    height: int
    fetch: Callable[[], NDArray[np.uint8] | None]


class Scaler:
    """Scales into memory of its own, as fresh memory costs a page fault each 4 KiB; the next call overwrites it."""

    def __init__(self) -> None:
        self._small: NDArray[np.uint8] | None = None
        self._shown: NDArray[np.uint8] | None = None

    def scaled(self, image: NDArray[np.uint8], cut: Cut) -> NDArray[np.uint8]:
        """Cut and scale, as the function does."""
        pixels = image[cut.y1 : cut.y2, cut.x1 : cut.x2]
        size = (cut.x2 - cut.x1, cut.y2 - cut.y1)
        if size == (cut.width, cut.height):
            return self._for_screen(np.ascontiguousarray(pixels))
        factor = cut.width / max(size[0], 1)
        how = cv2.INTER_LINEAR
        if factor >= _SHARP_FROM:
            how = cv2.INTER_NEAREST
        elif factor < _COARSE_BELOW:
            pixels = _halved(pixels, cut)
        small = cv2.resize(pixels, (cut.width, cut.height), dst=self._small, interpolation=how)
        self._small = small.astype(np.uint8, copy=False)
        return self._for_screen(self._small)

    def _for_screen(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if pixels.shape[2] == 4:
            return pixels
        shown = cv2.cvtColor(pixels, cv2.COLOR_BGR2BGRA, dst=self._shown)
        self._shown = shown.astype(np.uint8, copy=False)
        return self._shown


def scaled(image: NDArray[np.uint8], cut: Cut) -> NDArray[np.uint8]:
    """Cut and scale, (H, W, 3 or 4) → (height, width, 4); a picture of four bytes that needs no scaling is not copied.

    The fourth byte of a pixel comes last: what is in sight is mostly smaller than the picture.
    """
    return Scaler().scaled(image, cut)


def _halved(pixels: NDArray[np.uint8], cut: Cut) -> NDArray[np.uint8]:
    """Take the mean of two by two pixels until the next step would be smaller than what is asked for."""
    while pixels.shape[1] >= 2 * cut.width and pixels.shape[0] >= 2 * cut.height:
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = cv2.resize(pixels, half, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    return pixels


def is_within(image: NDArray[np.uint8], cut: Cut) -> bool:
    """Say whether a cut can be made from an image, and shows something."""
    height, width = image.shape[:2]
    return cut.width > 0 and cut.height > 0 and 0 <= cut.x1 < cut.x2 <= width and 0 <= cut.y1 < cut.y2 <= height
