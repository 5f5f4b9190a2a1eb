"""Random masks of RISE: a coarse grid of chance, enlarged smoothly and shifted by less than a cell."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.explanations.target import Box, Image

VISIBLE = 0.5  # chance of a cell to stay visible
_FEWEST, _MOST = 8, 32  # cells along a side of the picture; D-RISE takes 16
_OF_OBJECT = 1.0  # of the object's side that one cell covers, within these bounds

Mask = NDArray[np.float32]  # (height, width) 0 hidden … 1 visible


def grid_for(box: Box, width: int, height: int) -> tuple[int, int]:
    """Choose rows and columns so that a cell is as large as the object."""
    across = max((box[2] - box[0]) * _OF_OBJECT, 1.0)
    down = max((box[3] - box[1]) * _OF_OBJECT, 1.0)
    rows, columns = round(height / down), round(width / across)
    return min(max(rows, _FEWEST), _MOST), min(max(columns, _FEWEST), _MOST)


def mask(seed: int, number: int, size: tuple[int, int], grid: tuple[int, int], visible: float = VISIBLE) -> Mask:
    """Draw mask `number` of a seed for pictures of (width, height); Petsiuk et al., BMVC 2018.

    The same seed and number give the same mask, in whatever order masks are drawn.
    """
    width, height = size
    rows, columns = grid
    chance = np.random.default_rng((seed, number))
    cells = (chance.random((rows + 1, columns + 1)) < visible).astype(np.float32)
    tall, wide = math.ceil(height / rows), math.ceil(width / columns)
    whole = cv2.resize(cells, ((columns + 1) * wide, (rows + 1) * tall), interpolation=cv2.INTER_LINEAR)
    top, left = int(chance.integers(0, tall)), int(chance.integers(0, wide))
    cut: Mask = whole[top : top + height, left : left + width].astype(np.float32, copy=False)
    return cut


def through(image: Image, veil: Image, visible: Mask) -> Image:
    """Show a picture where it is visible and the veil elsewhere."""
    return cv2.blendLinear(image, veil, visible, np.float32(1) - visible).astype(np.uint8, copy=False)


def mean_veil(image: Image) -> Image:
    """Give a picture of the mean colour: RISE hides in black, which in a night is no hiding."""
    return np.full_like(image, np.rint(image.reshape(-1, 3).mean(axis=0)).astype(np.uint8))


def blurred_veil(image: Image) -> Image:
    """Give the picture so blurred that objects are gone; what insertion starts from."""
    sigma = max(image.shape[:2]) / 20
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(sigma / 4, 1.0))
    return cv2.resize(soft, image.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
