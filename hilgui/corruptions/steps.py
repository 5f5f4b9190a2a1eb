"""Severity: the published five steps and what lies between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

LEAST, MOST = 0.0, 5.0


def between(rows: Sequence[tuple[float, ...]], severity: float) -> tuple[float, ...]:
    """Give the parameters at a severity from 1 to 5; `rows` are those of the five steps, straight lines between."""
    place = min(max(severity, 1.0), float(len(rows))) - 1.0
    lower = min(int(place), len(rows) - 2)
    part = place - lower
    return tuple(a + part * (b - a) for a, b in zip(rows[lower], rows[lower + 1], strict=True))


def one(values: Sequence[float], severity: float) -> float:
    """Give a single parameter at a severity from 1 to 5."""
    return between([(each,) for each in values], severity)[0]


def to_picture(values: NDArray[np.floating]) -> Picture:
    """Clip grey values to 0..255 and round them."""
    picture: Picture = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return picture
