"""What an adapter reads from the outputs of a network that is no detector, still on the network's own grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.candidates import Candidates
from hilgui.inference.preprocess import Geometry
from hilgui.records import Classification, Depth, DepthUnit, LabelMap, Lanes, Segmentation

_Grid = TypeVar("_Grid", NDArray[np.uint8], NDArray[np.float32])

_MOST_CLASSES = 5  # of a classifier that are kept for a frame


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """One probability for every class of the picture."""

    scores: NDArray[np.float32]  # (C,)


@dataclass(frozen=True, slots=True, eq=False)
class GridMap:
    """One head of a segmentation; the grid covers the whole input, however fine it is."""

    head: str
    names: tuple[str, ...]
    labels: NDArray[np.uint8]  # (h, w)


@dataclass(frozen=True, slots=True, eq=False)
class GridMaps:
    """All heads of a segmentation."""

    maps: tuple[GridMap, ...]


@dataclass(frozen=True, slots=True, eq=False)
class InputLines:
    """Lane lines in pixels of the input; a line of less than two points is none."""

    lines: tuple[NDArray[np.float32], ...]  # each (P, 2)
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class GridDepth:
    """Distances; the grid covers the whole input."""

    values: NDArray[np.float32]  # (h, w)
    unit: DepthUnit


Reading = Candidates | ClassScores | GridMaps | InputLines | GridDepth


def classification(read: ClassScores) -> Classification:
    """Keep the best classes; of equal scores the first. A score that is no number counts as 0."""
    scores = np.nan_to_num(read.scores, nan=0.0)
    best = np.argsort(-scores, kind="stable")[:_MOST_CLASSES]
    return Classification(best.astype(np.int32), scores[best])


def segmentation(read: GridMaps, geometry: Geometry, width: int, height: int) -> Segmentation:
    """Cut the maps to where the picture lies in an input of (width, height), and scale them to it, nearest label."""
    size = geometry.image_width, geometry.image_height
    placed = (
        LabelMap.of_grid(each.head, each.names, _inner(each.labels, geometry, width, height), size)
        for each in read.maps
    )
    return Segmentation(tuple(placed))


def depth(read: GridDepth, geometry: Geometry, width: int, height: int) -> Depth:
    """Cut and scale likewise, between neighbours; what is not finite is NaN."""
    inner = _inner(read.values, geometry, width, height)
    return Depth.of_grid(inner, read.unit, (geometry.image_width, geometry.image_height))


def lanes(read: InputLines, geometry: Geometry) -> Lanes:
    """Move the points to the picture and leave out those outside; lines by falling score."""
    origin = np.array([geometry.offset_x, geometry.offset_y], np.float32)
    scale = np.array([geometry.scale_x, geometry.scale_y], np.float32)
    limit = np.array([geometry.image_width, geometry.image_height], np.float32)
    found: list[tuple[float, NDArray[np.float32]]] = []
    for line, score in zip(read.lines, read.scores.tolist(), strict=True):
        points = ((line - origin) / scale).astype(np.float32)
        inside = ((points >= 0) & (points < limit)).all(axis=1)  # False for a NaN
        if np.count_nonzero(inside) > 1:
            found.append((score, points[inside]))
    found.sort(key=lambda each: -each[0])
    return Lanes(tuple(points for _, points in found), np.array([score for score, _ in found], np.float32))


def softmax(values: NDArray[np.float32], axis: int = -1) -> NDArray[np.float32]:
    """Give probabilities that add up to 1 along an axis."""
    raised = np.exp(values - values.max(axis=axis, keepdims=True))
    shares: NDArray[np.float32] = raised / raised.sum(axis=axis, keepdims=True)
    return shares


def _inner(grid: _Grid, geometry: Geometry, width: int, height: int) -> _Grid:
    """Cut a grid over an input of (width, height) to the cells in which the picture lies."""
    rows, columns = grid.shape
    across, down = columns / width, rows / height
    left, top = round(max(geometry.offset_x, 0) * across), round(max(geometry.offset_y, 0) * down)
    right = round(min(geometry.offset_x + geometry.image_width * geometry.scale_x, width) * across)
    bottom = round(min(geometry.offset_y + geometry.image_height * geometry.scale_y, height) * down)
    inner: _Grid = grid[top : max(bottom, top + 1), left : max(right, left + 1)].copy()
    return inner
