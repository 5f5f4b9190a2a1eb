"""A patch to print: optimised over transformations with answers only, placed on objects in true size and perspective.

Expectation over transformations (Athalye et al., ICML 2018): every try is judged on placements that differ in size,
turn, tilt, light and blur, so that it holds on a real bench. The search is greedy on a coarse grid of colours, as
anything finer does not survive a printer and a camera.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.aims import Target
from hilgui.attacks.gallery import Gallery, Shot
from hilgui.attacks.objective import remaining

Pixels = NDArray[np.uint8]

CELLS = 8  # of the grid, each side
HEIGHTS_MM = {
    "person": 1700.0, "pedestrian": 1700.0, "cyclist": 1750.0, "bicycle": 1100.0, "car": 1500.0, "truck": 3000.0,
    "bus": 3000.0, "stop sign": 750.0,
}  # fmt: skip
_HEIGHT_MM = 1500.0  # of whatever else
_LOWEST_PX = 40.0  # a patch on less is a few pixels
_SIZE_SPREAD, _TURN_DEG, _TILT, _LIGHT, _SHIFT = 0.12, 12.0, 0.12, 0.25, 0.06


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """One object that gets the patch: where, how large, and how the camera sees it this time."""

    shot: int  # place in the gallery
    target: Target  # the one object
    corners: NDArray[np.float32]  # (4, 2) of the patch in the picture: top left, top right, bottom right, bottom left
    light: float
    blur_px: float


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """The patch, and how the search went."""

    grid: Pixels  # (CELLS, CELLS, 3) BGR
    start: float  # mean objective of the grey patch
    end: float
    tries: int
    kept: int


def objects_of(gallery: Gallery, targets: Sequence[Target]) -> list[tuple[int, Target]]:
    """List the objects that are tall enough to carry a patch, each with its picture."""
    found = []
    for place, target in enumerate(targets):
        for row in range(len(target.boxes)):
            box = target.boxes[row]
            if gallery.is_classifier or box[3] - box[1] >= _LOWEST_PX:
                found.append((place, Target(target.goal, target.boxes[row : row + 1], target.classes[row : row + 1])))
    return found


def height_mm(name: str) -> float:
    """Give how tall an object of a class usually is."""
    return HEIGHTS_MM.get(name.lower(), _HEIGHT_MM)


def placed(place: int, target: Target, share: float, random: np.random.Generator) -> Placement:
    """Put the patch on an object: `share` of its height, in the middle, seen a little otherwise each time."""
    x1, y1, x2, y2 = target.boxes[0]
    tall = y2 - y1
    side = share * tall * (1 + random.uniform(-_SIZE_SPREAD, _SIZE_SPREAD))
    shift = random.uniform(-_SHIFT, _SHIFT, 2) * tall
    centre = np.array([(x1 + x2) / 2, y1 + 0.45 * tall]) + shift * np.array([0.5, 1.0])
    angle = np.deg2rad(random.uniform(-_TURN_DEG, _TURN_DEG))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    square = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    square *= np.array([random.uniform(0.8, 1.0), 1.0])  # turned away around the upright axis
    left, right = random.uniform(-_TILT, _TILT, 2)
    square[[0, 3], 1] *= 1 + left  # the nearer edge is the taller one
    square[[1, 2], 1] *= 1 + right
    corners = (square @ turn.T) * side + centre
    light = 1 + random.uniform(-_LIGHT, _LIGHT)
    return Placement(place, target, corners.astype(np.float32), light, random.uniform(0, 0.8))


def apply(image: Pixels, grid: Pixels, placement: Placement) -> Pixels:
    """Draw the patch into a picture."""
    side = 16 * len(grid)
    sheet = cv2.resize(grid, (side, side), interpolation=cv2.INTER_NEAREST).astype(np.float32) * placement.light
    source = np.array([(0, 0), (side, 0), (side, side), (0, side)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, placement.corners)
    size = image.shape[1], image.shape[0]
    drawn = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_AREA)
    weight = cv2.warpPerspective(np.ones((side, side), np.float32), matrix, size)[..., None]
    if placement.blur_px > 0.2:
        drawn = cv2.GaussianBlur(drawn, (0, 0), placement.blur_px)
    mixed = image * (1 - weight) + np.clip(drawn, 0, 255) * weight
    made: Pixels = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return made


def search(
    gallery: Gallery,
    objects: Sequence[tuple[int, Target]],
    share: float,
    tries: int,
    random: np.random.Generator,
    *,
    batch: int = 8,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Searched:
    """Change a rectangle of the grid to another colour and keep what lowers the mean objective over a batch.

    Old and new are judged on the same placements; these are drawn anew every 16 tries, so that none is learnt by heart.
    """
    grid = np.full((CELLS, CELLS, 3), 128, np.uint8)
    placements = _batch(objects, share, batch, random)
    start = value = score(gallery, grid, placements)
    kept = 0
    for tried in range(tries):
        if tried % 16 == 0 and tried:
            placements = _batch(objects, share, batch, random)
            value = score(gallery, grid, placements)
        new = _mutated(grid, tried / tries, random)
        found = score(gallery, new, placements)
        if found < value:
            grid, value, kept = new, found, kept + 1
        tell(tried + 1, tries)
    return Searched(grid, start, value, tries, kept)


def score(gallery: Gallery, grid: Pixels, placements: Sequence[Placement]) -> float:
    """Give the mean of what remains of the model's answers, lower is better for the attacker."""
    values = []
    for placement in placements:
        shot: Shot = gallery.shots[placement.shot]
        answer = gallery.look(apply(shot.image, grid, placement), shot)
        values.append(remaining(answer.inference, placement.target))
    return float(np.mean(values))


def random_grid(random: np.random.Generator) -> Pixels:
    """Make the control: a patch of the same size and the same coarseness that nobody optimised."""
    return random.integers(0, 256, (CELLS, CELLS, 3), np.uint8)


def _batch(
    objects: Sequence[tuple[int, Target]], share: float, batch: int, random: np.random.Generator
) -> list[Placement]:
    chosen = random.choice(len(objects), min(batch, len(objects)), replace=False)
    return [placed(number, target, share, random) for number, target in (objects[place] for place in chosen.tolist())]


def _mutated(grid: Pixels, done: float, random: np.random.Generator) -> Pixels:
    """Repaint a rectangle: large ones first, single cells at the end; saturated colours, as they print well."""
    most = max(1, round(CELLS * 0.6 * (1 - done)))
    tall, wide = (int(size) for size in random.integers(1, most + 1, 2))
    top, left = int(random.integers(0, CELLS - tall + 1)), int(random.integers(0, CELLS - wide + 1))
    made = grid.copy()
    made[top : top + tall, left : left + wide] = random.choice(np.array([0, 128, 255], np.uint8), 3)
    return made
