"""Noise of Hendrycks & Dietterich (ICLR 2019): Gaussian, shot, impulse.

Parameters as Michaelis et al. (2019) publish them for pictures of any size.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hilgui.corruptions.steps import Picture, one, to_picture

_LEVELS = 4096  # steps of a quantile table
_PHOTONS = 200.0  # more for white than this: the normal distribution is as good


def gaussian_noise(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Add normal noise to each value, σ .08 to .38 of white."""
    sigma = 255 * one((0.08, 0.12, 0.18, 0.26, 0.38), severity)
    noise = rng.standard_normal(image.shape, np.float32)
    noise *= sigma
    noise += image
    return to_picture(noise)


def shot_noise(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Count photons: Poisson with 60 down to 3 of them for white."""
    photons = 1 / one((1 / 60, 1 / 25, 1 / 12, 1 / 5, 1 / 3), severity)
    return counted(image, photons, rng)


def impulse_noise(image: Picture, severity: float, rng: np.random.Generator) -> Picture:
    """Set a share of the values, .03 to .27, to black or white."""
    share = one((0.03, 0.06, 0.09, 0.17, 0.27), severity)
    draws = rng.integers(0, 65536, image.shape, np.uint16)
    result = image.copy()
    result[draws < share * 65536] = 0
    result[draws < share * 32768] = 255
    return result


def counted(image: Picture, photons: float, rng: np.random.Generator) -> Picture:
    """Give each value as a camera counts it that gets `photons` for white."""
    if photons > _PHOTONS:
        noise = rng.standard_normal(image.shape, np.float32)
        noise *= np.sqrt(np.float32(255 / photons) * image.astype(np.float32))
        noise += image
        return to_picture(noise)
    places = rng.integers(0, _LEVELS, image.shape, np.uint16).astype(np.int32)
    places += image.astype(np.int32) * _LEVELS
    return _quantiles(photons).take(places)


@lru_cache(maxsize=16)
def _quantiles(photons: float) -> NDArray[np.uint8]:
    """Lay out, for each grey value, what the count comes to at each of the levels of chance: (256 * levels,)."""
    chances = (np.arange(_LEVELS) + 0.5) / _LEVELS
    counts = np.arange(int(photons + 8 * np.sqrt(photons) + 8))
    seen = np.clip(np.append(counts, counts[-1]) * (255 / photons) + 0.5, 0, 255).astype(np.uint8)
    below = special.pdtr(counts[None, :], (np.arange(256) * (photons / 255))[:, None])
    return np.concatenate([seen[np.searchsorted(row, chances)] for row in below])
