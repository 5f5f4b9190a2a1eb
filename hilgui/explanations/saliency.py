"""D-RISE: which parts of the picture an answer rests on, found by hiding random parts; with its own test of noise.

Petsiuk, Jain, Manjunatha et al., "Black-box Explanation of Object Detectors via Saliency Maps", CVPR 2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.explanations.eyes import Eyes
from hilgui.explanations.masks import grid_for, mask, mean_veil, through
from hilgui.explanations.target import Box, Image, Target, similarity

SIGNIFICANT = 0.05
_LONG_SIDE = 160  # cells of a map
_SHUFFLES = 200
_CHUNK = 256  # masks that are multiplied at once

Heat = NDArray[np.float32]  # (rows, columns) over the whole picture


@dataclass(frozen=True, slots=True, eq=False)
class Saliency:
    """A map in standard deviations under chance: above 0 seeing helps the target, below 0 it hurts."""

    heat: Heat
    shuffled: tuple[Heat, ...]  # maps of the same masks with the answers shuffled: chance, of the same texture
    level: float  # height that the peak of 5 % of the shuffled maps reaches
    helps_p: float  # share of 200 shuffled maps whose peak is as high
    hurts_p: float  # ... whose trough is as low
    agreement: float  # correlation of the maps of both halves of the masks, 0 where a half is constant
    clean: float  # similarity of the whole picture
    masked: float  # mean similarity behind masks
    spread: float  # its standard deviation
    grid: tuple[int, int]

    @property
    def has_signal(self) -> bool:
        """Say whether the peak is above chance."""
        return self.helps_p <= SIGNIFICANT


def saliency(
    eyes: Eyes, image: Image, target: Target, count: int, seed: int, told: Callable[[int], object]
) -> Saliency:
    """Hide random parts of a picture `count` times, see what becomes of the target; `told(looks)` is progress."""
    height, width = image.shape[:2]
    grid, veil = grid_for(target.box, width, height), mean_veil(image)
    shrink = max(1.0, max(width, height) / _LONG_SIDE)
    small = (max(1, round(width / shrink)), max(1, round(height / shrink)))

    def looked(number: int) -> tuple[float, NDArray[np.uint8]]:
        drawn = mask(seed, number, (width, height), grid)
        seen = similarity(eyes.look(through(image, veil, drawn)), target)
        kept = cv2.resize(drawn, small, interpolation=cv2.INTER_AREA)
        return seen, np.rint(kept * 255).astype(np.uint8).ravel()

    weights, masks = np.empty(count), np.empty((count, small[0] * small[1]), np.uint8)
    for number, (weight, drawn) in enumerate(eyes.over(looked, range(count))):
        weights[number], masks[number] = weight, drawn
        told(1)
    clean = similarity(eyes.look(image), target)
    return judged(weights, masks, (small[1], small[0]), seed, clean, grid)


def judged(
    weights: NDArray[np.float64],
    masks: NDArray[np.uint8],
    shape: tuple[int, int],
    seed: int,
    clean: float,
    grid: tuple[int, int],
) -> Saliency:
    """Turn similarities (N,) behind masks (N, rows · columns) into a map, and say whether chance gives the like.

    The map is the correlation of visibility and similarity × √N: RISE's weighted sum, freed from how often a place was
    visible, in units of what shuffled similarities scatter by. Peak against peak of shuffles keeps the chance of a
    false alarm over the whole map at the stated one.
    """
    chance = np.random.default_rng((seed, len(weights)))
    shuffles = np.stack([chance.permutation(weights) for _ in range(_SHUFFLES)])
    maps = correlations(np.vstack((weights[None], shuffles)), masks)
    heat, others = maps[0], maps[1:]
    half = len(weights) // 2
    first, second = (
        correlations(part[None], rows)[0]
        for part, rows in ((weights[:half], masks[:half]), (weights[half:], masks[half:]))
    )
    return Saliency(
        heat=heat.reshape(shape),
        shuffled=tuple(each.reshape(shape) for each in others[:4]),
        level=float(np.quantile(others.max(axis=1), 1 - SIGNIFICANT)),
        helps_p=(1 + int((others.max(axis=1) >= heat.max()).sum())) / (1 + _SHUFFLES),
        hurts_p=(1 + int((others.min(axis=1) <= heat.min()).sum())) / (1 + _SHUFFLES),
        agreement=_agreement(first, second),
        clean=clean,
        masked=float(weights.mean()),
        spread=float(weights.std()),
        grid=grid,
    )


def correlations(weights: NDArray[np.float64], masks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Correlate each row of weights (K, N) with every place of the masks (N, P), times √N: (K, P); 0 where constant."""
    count = weights.shape[1]
    centred = (weights - weights.mean(axis=1, keepdims=True)).astype(np.float32)
    norm = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 1e-9)
    product = np.zeros((len(weights), masks.shape[1]), np.float32)
    sums, squares = np.zeros(masks.shape[1]), np.zeros(masks.shape[1])
    for start in range(0, count, _CHUNK):
        rows = masks[start : start + _CHUNK].astype(np.float32)
        product += unit[:, start : start + _CHUNK] @ rows
        sums += rows.sum(axis=0)
        squares += (rows.astype(np.float64) ** 2).sum(axis=0)
    deviation = np.sqrt(np.maximum(squares - sums**2 / max(count, 1), 0)).astype(np.float32)
    spread: NDArray[np.float32] = np.zeros_like(product)
    np.divide(product * np.float32(math.sqrt(count)), deviation, out=spread, where=deviation > 1e-3)
    return spread


def share_within(found: Saliency, box: Box, width: int, height: int) -> tuple[float, float]:
    """Give the share of what is above chance that lies on the box, and the share of the picture that the box is.

    The energy-based pointing game of Wang et al. (Score-CAM, CVPRW 2020), the noise left out. Half a cell around the
    box counts as the box: masks cannot tell places apart that are nearer.
    """
    rows, columns = found.heat.shape
    inside = np.zeros((rows, columns), np.bool_)
    x, y = width / found.grid[1] / 2, height / found.grid[0] / 2
    left, right = (round(at / width * columns) for at in (box[0] - x, box[2] + x))
    top, bottom = (round(at / height * rows) for at in (box[1] - y, box[3] + y))
    left, top = max(min(left, columns - 1), 0), max(min(top, rows - 1), 0)
    inside[top : max(bottom, top + 1), left : max(right, left + 1)] = True
    above = np.where(found.heat >= found.level, found.heat, 0)
    total = float(above.sum())
    return (float(above[inside].sum()) / total if total > 0 else 0.0), float(inside.mean())


def peak(heat: Heat, width: int, height: int) -> tuple[float, float]:
    """Give the place of the maximum in pixels of the picture."""
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    return (float(column) + 0.5) * width / heat.shape[1], (float(row) + 0.5) * height / heat.shape[0]


def _agreement(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    if first.std() < 1e-6 or second.std() < 1e-6:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
