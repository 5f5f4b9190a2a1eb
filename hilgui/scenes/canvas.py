"""The picture being painted, and beside it whose pixel each one is."""

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.scenes.camera import Floats
from hilgui.scenes.grain import Bytes, scale

SHIFT = 4
FARTHEST_PX = 30000.0
NOBODY = 0

Colour = tuple[int, int, int]
Fixed = NDArray[np.int32]


class Canvas:
    """Paints from back to front; `ids` holds the number of who was painted last."""

    def __init__(self, width: int, height: int) -> None:
        self.image: Bytes = np.zeros((height, width, 3), np.uint8)
        self.ids: Bytes = np.zeros((height, width), np.uint8)
        self._glows: dict[tuple[int, int, Colour], Bytes] = {}

    def fill(self, points: Fixed, colour: Colour, owner: int | None) -> None:
        """Fill a convex outline; without an owner the ids stay as they are."""
        cv2.fillConvexPoly(self.image, points, colour, cv2.LINE_AA, SHIFT)
        if owner is not None:
            cv2.fillConvexPoly(self.ids, points, owner, cv2.LINE_8, SHIFT)

    def trace(self, points: Fixed, colour: Colour, thickness: int, owner: int | None) -> None:
        """Draw a closed line."""
        cv2.polylines(self.image, [points], True, colour, thickness, cv2.LINE_AA, SHIFT)
        if owner is not None:
            cv2.polylines(self.ids, [points], True, owner, thickness, cv2.LINE_8, SHIFT)

    def glow(self, x: float, y: float, width_px: int, height_px: int, colour: Colour) -> None:
        """Add light around a lamp."""
        width_px, height_px = min(width_px, 400) | 1, min(height_px, 400) | 1
        left, top = round(x) - width_px // 2, round(y) - height_px // 2
        height, width = self.ids.shape
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width_px, width), min(top + height_px, height)
        if x0 >= x1 or y0 >= y1:
            return
        key = (width_px, height_px, colour)
        if key not in self._glows:
            if len(self._glows) > 3000:
                self._glows.clear()
            self._glows[key] = _glow(width_px, height_px, colour)
        light = self._glows[key][y0 - top : y1 - top, x0 - left : x1 - left]
        area = self.image[y0:y1, x0:x1]
        area[:] = cv2.add(area, light)


def fixed(outline: Floats) -> Fixed:
    """Return points in sixteenths of a pixel, as the filling wants them."""
    near = np.minimum(np.maximum(outline, -FARTHEST_PX), FARTHEST_PX)
    return np.asarray(np.rint(near * (1 << SHIFT)), dtype=np.int32)


def _glow(width: int, height: int, colour: Colour) -> Bytes:
    x = (np.arange(width) - width // 2) / (width / 2)
    y = (np.arange(height) - height // 2) / (height / 2)
    away = x[None, :] * x[None, :] + y[:, None] * y[:, None]
    inside = np.maximum(1.0 - away, 0.0)
    light = 0.55 * inside * inside * inside + 0.45 * inside * inside / (1.0 + 60.0 * away)
    return np.asarray(np.rint(light[:, :, None] * np.array(colour)), dtype=np.uint8)


def darken(image: Bytes, mask: Bytes, strength: float) -> None:
    """Darken in place where the mask is white; the mask has half the size."""
    soft = cv2.blur(mask, (3, 3))
    factor = np.asarray(255 - np.rint(np.arange(256) * strength), np.uint8)
    large = cv2.resize(cv2.LUT(soft, factor), image.shape[1::-1], interpolation=cv2.INTER_LINEAR_EXACT)
    image[:] = scale(image, np.asarray(cv2.merge([large, large, large]), np.uint8))
