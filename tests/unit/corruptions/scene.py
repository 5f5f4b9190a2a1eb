"""A made picture on which corruptions are compared: waves, a chequer, a disc and a pane; numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def scene(height: int = 360, width: int = 640) -> NDArray[np.uint8]:
    """Draw it, BGR."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    blue = 90 + 60 * np.sin(x / 37) + 40 * np.cos(y / 11)
    green = 110 + 50 * np.sin((x + y) / 23) + 30 * (((x // 40) + (y // 30)) % 2)
    red = 40 + 150 * y / height + 25 * np.sin(x * y / 9000)
    picture = np.stack([blue, green, red], axis=-1)
    picture[np.hypot(x - 200, y - 180) < 60] = (30, 40, 200)
    picture[(abs(x - 450) < 50) & (abs(y - 200) < 70)] = (220, 225, 230)
    return np.clip(picture, 0, 255).astype(np.uint8)
