"""What becomes of grey levels and edges between the screen and the sensor."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.sources.screen.finder import Pose
from hilgui.sources.screen.layout import LEVELS, Floats, ScreenLayout

_INSIDE = 0.25  # of a patch stays free on each side
_GRID = 9
_EDGE_ROWS = 15
_EDGE_LEVELS = 8.0  # grey levels between its sides, else it is lost in the noise
_RISE = 2.563  # a Gaussian blur rises from 10 to 90 % within so many standard deviations
_EDGE_STEP = 0.5  # pixels of the screen between samples across an edge
_SATURATED = 250.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """How one camera picture shows the levels of the screen; grey levels 0..255."""

    levels: tuple[float, ...]  # what the camera sees of each of LEVELS, mean of the patches above and below
    unevenness: float  # largest difference between the patch above and the one below
    blur_px: float  # standard deviation of the blur across the edge of a black patch, in pixels of the recorded frame

    @property
    def contrast(self) -> float:
        """Give white minus black."""
        return self.levels[-1] - self.levels[0]

    @property
    def gain(self) -> float:
        """Give the slope between black and white: 1 is a camera that sees what was shown."""
        return self.contrast / (LEVELS[-1] - LEVELS[0])

    @property
    def is_saturated(self) -> bool:
        """Say whether bright levels can no longer be told apart."""
        return self.levels[-2] >= _SATURATED


def measure(grey: NDArray[np.uint8], layout: ScreenLayout, pose: Pose) -> Transfer:
    """Measure one picture in which the screen was found."""
    boxes = layout.patches.reshape(-1, 4)
    values = sample(grey, pose, grid_in(boxes, _GRID, _GRID, _INSIDE)).mean(axis=1)
    above, below = values[: len(LEVELS)], values[len(LEVELS) :][::-1]
    across = layout.frame_width / layout.picture[2]
    return Transfer(
        levels=tuple(round(float(value), 2) for value in (above + below) / 2),
        unevenness=round(float(np.abs(above - below).max()), 2),
        blur_px=round(_blur_px(grey, layout, pose) * across, 3),
    )


def grid_in(boxes: Floats, columns: int, rows: int, inside: float) -> Floats:
    """Give points (n, rows * columns, 2) within boxes (n, 4: left, top, width, height), `inside` from each edge."""
    x, y = (np.linspace(inside, 1 - inside, count) if count > 1 else np.array([0.5]) for count in (columns, rows))
    shares = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return np.asarray(boxes[:, None, :2] + shares * boxes[:, None, 2:], np.float64)


def sample(grey: NDArray[np.uint8], pose: Pose, points: Floats) -> Floats:
    """Read the camera picture at points of the screen (..., 2), between pixels by interpolation."""
    flat = points.reshape(-1, 2)
    x, y = (pose.place(flat) - 0.5).astype(np.float32).T[:, None]
    values = np.empty(len(flat), np.float64)
    for first in range(0, len(flat), 16384):  # OpenCV's maps are shorter than 32768
        some = slice(first, first + 16384)
        part = cv2.remap(grey, x[:, some], y[:, some], cv2.INTER_LINEAR)
        values[some] = np.asarray(part, np.float64).ravel()
    return values.reshape(points.shape[:-1])


def _blur_px(grey: NDArray[np.uint8], layout: ScreenLayout, pose: Pose) -> float:
    """Give the standard deviation of the line spread between the grey ground and the black patch above.

    Black and grey, as white may be saturated. Taken from the rise between 10 and 90 %, which noise moves less than the
    moments of the line spread function. NaN without an edge.
    """
    left, top, _, height = layout.patches[0, 0]
    reach = 0.25 * layout.margin
    offsets = np.arange(-reach, reach + _EDGE_STEP, _EDGE_STEP)
    rows = top + height * np.linspace(0.3, 0.7, _EDGE_ROWS)
    points = np.stack(np.meshgrid(round(float(left)) + offsets, rows), axis=-1)
    profile = sample(grey, pose, points).mean(axis=0)
    third = len(profile) // 3
    light, dark = float(profile[:third].mean()), float(profile[-third:].mean())
    if light - dark < _EDGE_LEVELS:
        return float("nan")
    shares = (light - profile) / (light - dark)
    first, last = (float(np.interp(share, np.maximum.accumulate(shares), offsets)) for share in (0.1, 0.9))
    return (last - first) / _RISE
