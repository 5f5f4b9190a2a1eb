"""Frames: what a source delivers, and the reference that travels after inference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FrameRef:
    """Names one frame of a source without carrying its pixels."""

    seq: int  # counts from 0 per source, in display order
    key: str  # what labels call it: a file name, or "name.mp4#000123"
    time_s: float  # recording time since the first frame; NaN in an unordered set
    stamp: datetime  # UTC wall clock: for people and file names
    captured_ns: int  # monotonic: for latency and order
    width: int
    height: int
    channel: str = ""  # the camera, in a drive of several; every channel counts on the one clock and in the one `seq`
    shown: int | None = None  # number of the recorded frame, where a camera films the screen that shows it
    shown_ns: int | None = None  # when the screen showed it, monotonic; None where nobody on this machine did

    @property
    def truth_seq(self) -> int:
        """Give the number under which labels know the frame."""
        return self.seq if self.shown is None else self.shown


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image as the source delivered it."""

    ref: FrameRef
    image: NDArray[np.uint8]  # (height, width, 3) BGR, read-only
    raw: NDArray[np.uint8] | NDArray[np.uint16] | None = None  # samples before tone mapping and Bayer interpolation


@dataclass(frozen=True, slots=True)
class FrameHealth:
    """Cheap figures of one image, from a strided sample of its grey levels (0..255)."""

    mean: float
    deviation: float
    saturated: float  # share of samples at 250 or above
    change: float  # mean absolute difference to the frame before; NaN on the first
    sharpness: float = math.nan  # variance of the Laplacian at the samples; NaN where it was not measured or stored
    saturation: float = math.nan  # mean difference of the largest and the smallest channel; NaN likewise
    warmth: float = math.nan  # mean of red minus blue; NaN likewise
    noise: float = math.nan  # deviation of the noise from the median Laplacian, grey levels; NaN likewise
