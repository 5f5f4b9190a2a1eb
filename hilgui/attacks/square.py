"""Square attack (Andriushchenko et al., ECCV 2020), L∞: random squares of ±ε that are kept where the model does worse.

Needs answers only, so it works on any adapter and on the deployed runtime itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.pixels import project

Pixels = NDArray[np.uint8]

P_INIT = 0.05  # share of the picture that the first squares cover, as published for L∞ on ImageNet
_HALVINGS = (10, 50, 200, 1000, 2000, 4000, 6000, 8000)  # of 10,000 queries


@dataclass(frozen=True, slots=True, eq=False)
class Squared:
    """Where the search ended."""

    image: Pixels
    objective: float
    queries: int


def square_attack(
    clean: Pixels,
    most: int,
    objective: Callable[[Pixels], float],
    queries: int,
    random: np.random.Generator,
    enough: Callable[[float], bool] = lambda value: False,
) -> Squared:
    """Search for a picture within `most` grey levels with a low objective; ends early where it is `enough`."""
    height, width = clean.shape[:2]
    stripes = (random.integers(0, 2, (1, width, 3)) * 2 - 1) * most
    best = project(clean + np.broadcast_to(stripes, clean.shape).astype(np.float32), clean, most)
    value, asked = objective(best), 1
    while asked < queries and not enough(value):
        side = max(1, round(float(np.sqrt(share_at(asked, queries) * height * width))))
        side = min(side, height, width)
        top, left = (int(random.integers(0, size - side + 1)) for size in (height, width))
        part = clean[top : top + side, left : left + side]
        colour = (random.integers(0, 2, 3) * 2 - 1) * most
        tried = best.copy()
        tried[top : top + side, left : left + side] = project(part + colour.astype(np.float32), part, most)
        new, asked = objective(tried), asked + 1
        if new < value:
            best, value = tried, new
    return Squared(best, value, asked)


def share_at(query: int, queries: int, start: float = P_INIT) -> float:
    """Give the share of the picture that a square covers at a query: halved on the published schedule."""
    scaled = query * 10_000 / queries
    return float(start / 2 ** sum(scaled > halving for halving in _HALVINGS))
