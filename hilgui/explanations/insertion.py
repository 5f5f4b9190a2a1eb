"""Deletion and insertion: does a heat map name the right places? Against maps of chance.

Petsiuk, Das, Saenko, "RISE", BMVC 2018. Objects are small, so shares of the picture double from step to step and areas
are taken over the steps: over shares of equal size the first step would already hide every object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.explanations.eyes import Eyes
from hilgui.explanations.masks import blurred_veil, mean_veil, through
from hilgui.explanations.saliency import Heat
from hilgui.explanations.target import Image, Target, similarity

SHARES = (0.0, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0)  # of the picture


@dataclass(frozen=True, slots=True)
class Ordered:
    """How similarity falls and rises in the order of one map; areas are means over the steps."""

    deletion: float
    insertion: float


def looks_needed(maps: int) -> int:
    """Say how many pictures `check` shows."""
    return maps * 2 * len(SHARES)


def check(
    eyes: Eyes, image: Image, target: Target, maps: Sequence[Heat], told: Callable[[int], object]
) -> list[Ordered]:
    """Delete and insert the picture in the order of each map."""
    grey, soft = mean_veil(image), blurred_veil(image)
    size = image.shape[1::-1]
    ranks = [rank(heat, (size[0], size[1])) for heat in maps]

    def looked(asked: tuple[int, bool, float]) -> float:
        number, is_deletion, share = asked
        first = (ranks[number] < share).astype(np.float32)
        changed = through(image, grey, 1 - first) if is_deletion else through(image, soft, first)
        return similarity(eyes.look(changed), target)

    questions = [(number, way, share) for number in range(len(maps)) for way in (True, False) for share in SHARES]
    values = []
    for value in eyes.over(looked, questions):
        values.append(value)
        told(1)
    areas = np.array(values).reshape(len(maps), 2, len(SHARES)).mean(axis=2).tolist()
    return [Ordered(deletion, insertion) for deletion, insertion in areas]


def rank(heat: Heat, size: tuple[int, int]) -> NDArray[np.float32]:
    """Give each pixel of a picture (width, height) its place in the order of a map: 0 first … 1 last."""
    whole = cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR).ravel()
    ranks = np.empty(whole.size, np.float32)
    ranks[np.argsort(-whole, kind="stable")] = np.arange(whole.size, dtype=np.float32) / whole.size
    return ranks.reshape(size[1], size[0])
