"""What labels say about pixels, lanes, distances and whole pictures: counterparts of outputs that are no boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IGNORED_PIXEL = 255


@dataclass(frozen=True, slots=True, eq=False)
class MaskTruth:
    """One class number for every pixel of a frame; `IGNORED_PIXEL` where nothing is to be judged."""

    classes: NDArray[np.uint8]  # (height, width), read-only; index into `names` or IGNORED_PIXEL
    names: tuple[str, ...]
    ignore: int = IGNORED_PIXEL


@dataclass(frozen=True, slots=True, eq=False)
class LaneTruth:
    """The lane lines of a frame, each a polyline from near to far."""

    lanes: tuple[NDArray[np.float32], ...]  # each (P, 2) x y in pixels

    def __len__(self) -> int:
        """Count the lanes."""
        return len(self.lanes)


@dataclass(frozen=True, slots=True, eq=False)
class DepthTruth:
    """Measured distances along the optical axis, mostly sparse (a lidar), as KITTI's depth benchmark writes them."""

    raw: NDArray[np.uint16]  # (height, width), read-only; metres · 256, 0 where nothing was measured

    @property
    def metres(self) -> NDArray[np.float32]:
        """Give metres (height, width), NaN where nothing was measured."""
        known = self.raw.astype(np.float32) / np.float32(256)
        known[self.raw == 0] = np.nan
        return known


@dataclass(frozen=True, slots=True, eq=False)
class ClassTruth:
    """What a whole picture shows; several where any of them is right."""

    classes: NDArray[np.int32]  # (K,) index into `names`
    names: tuple[str, ...]
