"""Puts a recorded frame on the canvas that the screen shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.screen.frame_code import FrameCode, bits_of
from hilgui.sources.screen.layout import LEVELS, MARKER_IDS, PAIRS_A_ROW, ROWS, ScreenLayout

MARKERS = cv2.aruco.DICT_4X4_50

_GREY = 128
Image = NDArray[np.uint8]


class Composer:
    """Draws markers and patches once, picture and code for every frame."""

    def __init__(self, layout: ScreenLayout) -> None:
        self._layout = layout
        self._base = _base(layout)

    def compose(self, frame: Image, code: FrameCode) -> Image:
        """Give the canvas (height, width, 3) BGR of one frame."""
        canvas = self._base.copy()
        left, top, width, height = self._layout.picture
        smaller = width < frame.shape[1]
        size, how = (width, height), cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        canvas[top : top + height, left : left + width] = cv2.resize(frame, size, interpolation=how)
        cells = cells_of(code)
        for box in self._layout.codes.reshape(-1, 4):
            x1, y1, x2, y2 = _pixels(box)
            canvas[y1:y2, x1:x2] = cv2.resize(cells, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST)[..., None]
        return canvas


def cells_of(code: FrameCode) -> Image:
    """Give the cells of a code, one pixel each: (16, 8)."""
    bits = bits_of(code).reshape(ROWS, PAIRS_A_ROW)
    pairs = np.stack([bits, ~bits], axis=-1).reshape(ROWS, 2 * PAIRS_A_ROW)
    return np.where(pairs, np.uint8(255), np.uint8(0))


def _base(layout: ScreenLayout) -> Image:
    canvas = np.full((layout.height, layout.width, 3), _GREY, np.uint8)
    dictionary = cv2.aruco.getPredefinedDictionary(MARKERS)
    for number, corners in zip(MARKER_IDS, layout.markers, strict=True):
        x, y = (int(value) for value in corners[0])
        side = int(corners[1, 0] - corners[0, 0])
        quiet = (layout.margin - side) // 2
        canvas[y - quiet : y + side + quiet, x - quiet : x + side + quiet] = 255
        marker = cv2.aruco.generateImageMarker(dictionary, number, side)
        canvas[y : y + side, x : x + side] = np.asarray(marker)[..., None]
    for boxes, levels in zip(layout.patches, (LEVELS, LEVELS[::-1]), strict=True):
        for box, level in zip(boxes, levels, strict=True):
            x1, y1, x2, y2 = _pixels(box)
            canvas[y1:y2, x1:x2] = level
    return canvas


def _pixels(box: NDArray[np.float64]) -> tuple[int, int, int, int]:
    left, top, width, height = box
    return round(left), round(top), round(left + width), round(top + height)
