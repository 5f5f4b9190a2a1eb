"""Changes of pixels that stay within ε: whole grey levels, as pictures that reach the model have eight bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Gradient = NDArray[np.float32]


def levels(epsilon: float) -> int:
    """Give the grey levels that ε (a share of the full range) allows; raises ValueError outside 1/255 … 1."""
    if not 1 / 255 <= epsilon <= 1:
        raise ValueError(f"ε is a share of the range of grey levels, from 1/255 (0.004) to 1, not {epsilon:g}")
    return int(epsilon * 255 + 1e-9)


def project(changed: NDArray[Any], clean: Pixels, most: int) -> Pixels:
    """Bring a picture into the ball of `most` grey levels around the clean one, and into 0..255."""
    low, high = np.maximum(clean.astype(np.int16) - most, 0), np.minimum(clean.astype(np.int16) + most, 255)
    inside: Pixels = np.clip(np.rint(changed), low, high).astype(np.uint8)
    return inside


def noise(clean: Pixels, most: int, random: np.random.Generator) -> Pixels:
    """Move every sample by ± `most`, at random: as large as FGSM may be, and aimed at nothing."""
    signs = random.integers(0, 2, clean.shape, np.int8) * 2 - 1
    return project(clean + signs.astype(np.float32) * most, clean, most)


def fgsm(clean: Pixels, most: int, gradient: Callable[[NDArray[np.floating]], Gradient]) -> Pixels:
    """Take one step of `most` along the sign of the gradient (Goodfellow et al., ICLR 2015)."""
    return project(clean + np.sign(gradient(clean.astype(np.float32))) * most, clean, most)


def pgd(
    clean: Pixels,
    most: int,
    gradient: Callable[[NDArray[np.floating]], Gradient],
    steps: int,
    random: np.random.Generator,
) -> Pixels:
    """Take `steps` steps of 2.5 · ε / steps from a random start (Madry et al., ICLR 2018), back into the ball each.

    The step is stated because defaults of libraries are not to be trusted: too small a one leaves PGD behind FGSM.
    """
    step = 2.5 * most / steps
    start = clean.astype(np.float32)
    low, high = np.maximum(start - most, 0), np.minimum(start + most, 255)
    moved = np.clip(start + random.uniform(-most, most, clean.shape).astype(np.float32), low, high)
    for _ in range(steps):
        moved = np.clip(moved + np.sign(gradient(moved)) * step, low, high)
    return project(moved, clean, most)
