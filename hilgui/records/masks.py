"""What labels say about pixels and lanes; the counterparts of `Segmentation` and `Lanes`."""

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
