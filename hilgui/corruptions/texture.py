"""Textures made of chance: clouds, ice, drops. Nothing is read from files."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Layer = NDArray[np.float32]

_SKETCH = 128  # px a side of what is coarse enough to be enlarged


def clouds(height: int, width: int, fading: float, rng: np.random.Generator, finest_px: int = 2) -> Layer:
    """Add grids of chance of ever finer mesh, each weaker by `fading`.

    The clouds lie on a square of the next power of two whose edges fit together, scaled there to 0..1; the picture
    sees its corner.
    """
    side = 1 << max(1, max(height, width) - 1).bit_length()
    sketch = np.zeros((_SKETCH, _SKETCH), np.float32)
    cells, weight = 2, 1.0
    while side / cells >= finest_px and cells <= _SKETCH // 2:
        grid = np.pad(rng.random((cells, cells), np.float32) - 0.5, (0, 1), mode="wrap")
        sketch += weight * cv2.resize(grid, (_SKETCH, _SKETCH), interpolation=cv2.INTER_LINEAR)
        cells, weight = 2 * cells, (weight if cells == 2 else weight / fading)
    low, high = float(sketch.min()), float(sketch.max())
    total = _corner(sketch, side / _SKETCH, height, width)
    while side / cells >= finest_px:
        mesh = side / cells
        grid = rng.random((math.ceil(height / mesh) + 1, math.ceil(width / mesh) + 1), np.float32) - 0.5
        total += weight * _corner(grid, mesh, height, width)
        cells, weight = 2 * cells, weight / fading
    layer: Layer = np.clip((total - low) / max(high - low, 1e-9), 0, 1).astype(np.float32)
    return layer


def crystals(height: int, width: int, rng: np.random.Generator) -> Layer:
    """Grow ridges like ice on a pane, denser towards the edges: 0..1."""
    ridges = 1 - np.abs(2 * clouds(height, width, 1.35, rng) - 1)
    feathers = 1 - np.abs(2 * clouds(height, width, 1.1, rng) - 1)
    down = np.abs(np.linspace(-1, 1, height, dtype=np.float32))[:, None]
    across = np.abs(np.linspace(-1, 1, width, dtype=np.float32))[None, :]
    ice = 0.55 * ridges**2 + 0.45 * feathers**3 + 0.25 * np.maximum(down, across) ** 2
    layer: Layer = np.clip(0.17 + 0.8 * ice, 0, 1).astype(np.float32)
    return layer


def blobs(height: int, width: int, count: int, sizes_px: tuple[float, float], rng: np.random.Generator) -> Layer:
    """Lay roundish spots with soft edges, covering 0..1."""
    layer = np.zeros((height, width), np.float32)
    for _ in range(count):
        radius = float(rng.uniform(*sizes_px))
        x, y = float(rng.uniform(0, width)), float(rng.uniform(0, height))
        axes = (max(1, round(radius)), max(1, round(radius * rng.uniform(0.7, 1.3))))
        cv2.ellipse(layer, (round(x), round(y)), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), max(0.3, sum(sizes_px) / 16)), np.float32)


def _corner(grid: Layer, mesh: float, height: int, width: int) -> Layer:
    scale = np.array([[1 / mesh, 0, 0], [0, 1 / mesh, 0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(grid, scale, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
