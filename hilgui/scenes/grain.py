"""Seeded noise for textures that repeat without a seam, in integer arithmetic."""

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return a generator of its own for one purpose, so that one more tree does not move the cars."""
    return np.random.Generator(np.random.PCG64([seed, *purpose.encode()]))


def grain(random: np.random.Generator, rows: int, columns: int, cell: int) -> NDArray[np.int16]:
    """Return smooth noise -128..127 that repeats after `rows`; cells are `cell` texels wide."""
    tall, wide = max(rows // cell, 1), columns // cell + 2
    small = random.integers(0, 256, (tall, wide), dtype=np.uint8)
    padded = np.concatenate([small[-2:], small, small[:2]])
    large = cv2.resize(padded, (wide * cell, len(padded) * cell), interpolation=cv2.INTER_LINEAR_EXACT)
    start = len(small[-2:]) * cell
    return large[start : start + rows, :columns].astype(np.int16) - 128


def halve_rows(texture: Bytes) -> Bytes:
    """Average pairs of rows."""
    return ((texture[0::2].astype(np.uint16) + texture[1::2] + 1) >> 1).astype(np.uint8)


def halve_columns(texture: Bytes) -> Bytes:
    """Average pairs of columns."""
    return ((texture[:, 0::2].astype(np.uint16) + texture[:, 1::2] + 1) >> 1).astype(np.uint8)


def scale(image: Bytes, factor: Bytes) -> Bytes:
    """Multiply two pictures as if 255 were one."""
    product = cv2.multiply(image, factor, scale=1.0 / 255.0)
    return np.asarray(product, dtype=np.uint8)
