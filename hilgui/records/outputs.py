"""What models other than detectors say about one frame; all in pixels of the picture they were given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Grid = TypeVar("_Grid", NDArray[np.uint8], NDArray[np.float32])


class Task(StrEnum):
    """What a network answers."""

    DETECTION = "detection"
    CLASSIFICATION = "classification"
    SEGMENTATION = "segmentation"
    LANES = "lanes"
    DEPTH = "depth"


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """The likeliest classes of a whole picture, by falling score."""

    classes: NDArray[np.int32]  # (K,) the model's own numbering
    scores: NDArray[np.float32]  # (K,) 0..1; over all classes they add up to 1


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """One class number for every pixel of the picture, as one head of a network gives it."""

    head: str  # name of the output
    names: tuple[str, ...]  # class names of this head; `labels` are indices into them
    labels: NDArray[np.uint8]  # (height, width)
    grid: NDArray[np.uint8] | None = None  # the network's own cells that `labels` was scaled from; what a store keeps

    @classmethod
    def of_grid(cls, head: str, names: tuple[str, ...], grid: NDArray[np.uint8], size: tuple[int, int]) -> LabelMap:
        """Scale cells that cover the whole picture to its (width, height), nearest label."""
        return cls(head, names, _scaled(grid, size, between=False), grid)


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """One label map a head: two where road and lane marks are answered apart, as a pixel may be both."""

    maps: tuple[LabelMap, ...]

    def where(self, name: str) -> NDArray[np.bool_]:
        """Give the pixels (height, width) that any head calls `name`; raises ValueError for an unknown name."""
        found = [each.labels == each.names.index(name) for each in self.maps if name in each.names]
        if not found:
            raise ValueError(f"no head of this segmentation has a class {name!r}")
        mask: NDArray[np.bool_] = np.logical_or.reduce(found)
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """Lane lines as polylines from near to far, by falling score."""

    lines: tuple[NDArray[np.float32], ...]  # each (P, 2) x y in pixels, within the picture
    scores: NDArray[np.float32]  # (lines,) 0..1

    def __len__(self) -> int:
        """Count the lines."""
        return len(self.lines)


class DepthUnit(StrEnum):
    """What a number of a depth map means."""

    METRES = "metres"
    RELATIVE = "relative"  # larger is further, without a scale
    INVERSE = "inverse"  # larger is nearer, without a scale (MiDaS, Depth Anything)


@dataclass(frozen=True, slots=True, eq=False)
class Depth:
    """Distance of every pixel; NaN where the network gave no number."""

    values: NDArray[np.float32]  # (height, width)
    unit: DepthUnit
    grid: NDArray[np.float32] | None = None  # the network's own cells that `values` was scaled from

    @classmethod
    def of_grid(cls, grid: NDArray[np.float32], unit: DepthUnit, size: tuple[int, int]) -> Depth:
        """Scale cells that cover the whole picture to its (width, height), between neighbours; not finite is NaN."""
        values = _scaled(grid, size, between=True)
        values[~np.isfinite(values)] = np.nan
        return cls(values, unit, grid)


def _scaled(grid: _Grid, size: tuple[int, int], *, between: bool) -> _Grid:
    import cv2  # records are imported by everything, few scale

    how = cv2.INTER_LINEAR if between else cv2.INTER_NEAREST_EXACT
    placed: _Grid = cv2.resize(grid, size, interpolation=how)  # type: ignore[assignment]  # keeps the type of what it is given
    return placed
