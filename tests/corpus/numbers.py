"""Numbers in pictures: ten grey bars that survive any codec, and their opposites below as a proof."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 160, 96
BITS = 10
_BAR = WIDTH // BITS
_BAND = 24


def luma(number: int) -> NDArray[np.uint8]:
    """Draw a number: bars, their opposites, and a moving pattern that gives the encoder something to predict."""
    picture = np.empty((HEIGHT, WIDTH), np.uint8)
    for bit in range(BITS):
        is_set = number >> bit & 1
        left, right = bit * _BAR, (bit + 1) * _BAR
        picture[:_BAND, left:right] = 220 if is_set else 30
        picture[_BAND : 2 * _BAND, left:right] = 30 if is_set else 220
    across = np.arange(WIDTH) + 3 * number
    down = np.arange(HEIGHT - 2 * _BAND)[:, None] * 2
    picture[2 * _BAND :] = 60 + (across[None] + down) % 128
    return picture


def number_of(image: NDArray[np.uint8]) -> int:
    """Read the number of a BGR picture; -1 where bars and opposites do not agree."""
    grey = image.mean(axis=2)
    number = 0
    for bit in range(BITS):
        middle = slice(bit * _BAR + 4, (bit + 1) * _BAR - 4)
        above, below = grey[6 : _BAND - 6, middle].mean(), grey[_BAND + 6 : 2 * _BAND - 6, middle].mean()
        if abs(above - below) < 60:
            return -1
        number |= int(above > below) << bit
    return number
