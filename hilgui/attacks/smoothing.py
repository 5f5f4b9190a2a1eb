"""Randomised smoothing with a certified radius (Cohen, Rosenfeld & Kolter, ICML 2019), for classifiers.

The smoothed classifier answers what the model says most often under Gaussian noise. Within an L2 radius of
σ · Φ⁻¹(p), p a lower bound of the share of the winner, no change of the picture alters that, whoever makes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats takes half a second to import

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Certified:
    """The smoothed answer to one picture."""

    label: int  # -1: abstains
    radius: float  # L2, pixels of 0..1; 0 where it abstains
    share: float  # lower bound of the winner's share


def lower_bound(hits: int, trials: int, alpha: float) -> float:
    """Give the one-sided lower bound of Clopper and Pearson (Biometrika 1934) for a share, at confidence 1 - α."""
    return 0.0 if hits == 0 else float(special.betaincinv(hits, trials - hits + 1, alpha))


def radius_of(share: float, sigma: float) -> float:
    """Give the certified L2 radius for a lower bound of the winner's share; 0 up to one half."""
    return 0.0 if share <= 0.5 else float(sigma * special.ndtri(share))


def certify(
    image: Pixels,
    answer: Callable[[Pixels], int],
    sigma: float,
    random: np.random.Generator,
    *,
    choosing: int = 20,
    trials: int = 200,
    alpha: float = 0.001,
) -> Certified:
    """Certify one picture: `choosing` samples guess the winner, `trials` fresh ones bound its share (CERTIFY).

    Noise has σ in units of the full range (0..1) and is rounded to grey levels, which is part of the classifier.
    """
    winner = Counter(answer(noisy(image, sigma, random)) for _ in range(choosing)).most_common(1)[0][0]
    hits = sum(answer(noisy(image, sigma, random)) == winner for _ in range(trials))
    share = lower_bound(hits, trials, alpha)
    radius = radius_of(share, sigma)
    return Certified(winner, radius, share) if radius > 0 else Certified(-1, 0.0, share)


def noisy(image: Pixels, sigma: float, random: np.random.Generator) -> Pixels:
    """Add Gaussian noise of `sigma` (share of the full range)."""
    grain = random.standard_normal(image.shape, np.float32) * np.float32(sigma * 255)
    made: Pixels = np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)
    return made
