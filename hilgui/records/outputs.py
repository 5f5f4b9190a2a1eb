"""What models other than detectors say about one frame; all in pixels of the picture they were given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


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
