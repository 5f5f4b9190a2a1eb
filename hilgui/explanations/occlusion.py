"""Occlusion sensitivity: a grey patch slides over the object and what is around it; what becomes of the score?

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hilgui.explanations.eyes import Eyes
from hilgui.explanations.masks import mean_veil
from hilgui.explanations.saliency import Heat
from hilgui.explanations.target import Box, Image, Target, similarity

SIZES = (0.5, 1.0)  # of the patch, shares of the object's sides
_AROUND = 1.0  # object sides to each side that the patch slides over
_STEP = 0.5  # of the patch
_CONTROLS = 24  # patches far away
_LEAST_PX = 3.0


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch and what hiding it does."""

    box: Box
    change: float  # similarity without it minus clean: below 0 it helped the target


@dataclass(frozen=True, slots=True, eq=False)
class Occlusion:
    """Every patch near the object, and what patches of the same sizes do far away: the noise."""

    patches: tuple[Patch, ...]
    controls: tuple[Patch, ...]
    clean: float

    @property
    def noise(self) -> float:
        """Give the largest change that a patch far away made; 0 where there was no room for one."""
        return max((abs(each.change) for each in self.controls), default=0.0)

    @property
    def worst(self) -> Patch:
        """Give the patch that costs most."""
        return min(self.patches, key=lambda patch: patch.change)

    @property
    def best(self) -> Patch:
        """Give the patch whose hiding helps most."""
        return max(self.patches, key=lambda patch: patch.change)


def places(target: Target, width: int, height: int) -> list[Box]:
    """Give the patches of every size over the object and one object's side around it, cut at the border."""
    left, top, right, bottom = target.box
    wide, tall = right - left, bottom - top
    found = []
    for size in SIZES:
        across, down = max(wide * size, _LEAST_PX), max(tall * size, _LEAST_PX)
        columns = np.arange(left - wide * _AROUND, right + wide * _AROUND - across * 0.5, across * _STEP)
        rows = np.arange(top - tall * _AROUND, bottom + tall * _AROUND - down * 0.5, down * _STEP)
        for y in rows.tolist():
            for x in columns.tolist():
                patch = (max(x, 0.0), max(y, 0.0), min(x + across, float(width)), min(y + down, float(height)))
                if patch[2] - patch[0] >= 1 and patch[3] - patch[1] >= 1:
                    found.append(patch)
    return found


def controls(target: Target, width: int, height: int, seed: int) -> list[Box]:
    """Give patches of the same sizes at random places that touch nothing of what `places` covers."""
    left, top, right, bottom = target.box
    wide, tall = right - left, bottom - top
    near = (left - 2 * wide, top - 2 * tall, right + 2 * wide, bottom + 2 * tall)
    chance = np.random.default_rng((seed, 24))
    found: list[Box] = []
    for _ in range(_CONTROLS * 20):
        size = SIZES[len(found) % len(SIZES)]
        across, down = max(wide * size, _LEAST_PX), max(tall * size, _LEAST_PX)
        x = float(chance.uniform(0, max(width - across, 1)))
        y = float(chance.uniform(0, max(height - down, 1)))
        is_apart = x + across < near[0] or x > near[2] or y + down < near[1] or y > near[3]
        if is_apart:
            found.append((x, y, min(x + across, float(width)), min(y + down, float(height))))
        if len(found) == _CONTROLS:
            break
    return found


def occlusion(eyes: Eyes, image: Image, target: Target, seed: int, told: Callable[[int], object]) -> Occlusion:
    """Hide every patch once."""
    height, width = image.shape[:2]
    grey, clean = mean_veil(image)[0, 0], similarity(eyes.look(image), target)

    def looked(box: Box) -> Patch:
        x1, y1, x2, y2 = (round(value) for value in box)
        hidden = image.copy()
        hidden[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)] = grey
        return Patch(box, similarity(eyes.look(hidden), target) - clean)

    near, far = places(target, width, height), controls(target, width, height, seed)
    made = []
    for patch in eyes.over(looked, [*near, *far]):
        made.append(patch)
        told(1)
    return Occlusion(tuple(made[: len(near)]), tuple(made[len(near) :]), clean)


def looks_needed(target: Target, width: int, height: int) -> int:
    """Say how many pictures `occlusion` shows."""
    return len(places(target, width, height)) + _CONTROLS


def heat_of(found: Occlusion, width: int, height: int, long_side: int = 320) -> Heat:
    """Average over the patches on each place what hiding costs: above 0 the place helps the target."""
    scale = min(1.0, long_side / max(width, height))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    total, count = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    for patch in found.patches:
        x1, y1, x2, y2 = (round(value * scale) for value in patch.box)
        where = np.s_[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
        total[where] -= patch.change
        count[where] += 1
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)
