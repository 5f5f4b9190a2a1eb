"""The pinhole camera behind the windscreen, and where the ground lies in its picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAREST_M = 0.3  # a vertex nearer than this is drawn as if it stood here


def direction(angle_rad: float) -> tuple[float, float]:
    """Return cosine and sine, rounded so that every C library gives the same bits."""
    return round(math.cos(angle_rad), 9), round(math.sin(angle_rad), 9)


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole without distortion; x to the right, y up from the road, z ahead, all in metres."""

    width: int = 960
    height: int = 540
    fx: float = 640.0
    fy: float = 640.0
    cx: float = 480.0
    cy: float = 270.0
    height_m: float = 1.4
    pitch_rad: float = 0.05  # positive looks down

    @property
    def horizon_px(self) -> float:
        """The row in which the road ends."""
        cosine, sine = direction(self.pitch_rad)
        return self.cy - self.fy * sine / cosine

    def project(self, points_m: Floats) -> tuple[Floats, Floats]:
        """Return pixels (N, 2) and depths (N,) of points given relative to the car."""
        cosine, sine = direction(self.pitch_rad)
        rise = points_m[:, 1] - self.height_m
        depth = np.maximum(points_m[:, 2] * cosine - rise * sine, NEAREST_M)
        down = -(rise * cosine + points_m[:, 2] * sine)
        pixels = np.empty((len(points_m), 2))
        pixels[:, 0] = self.cx + self.fx * points_m[:, 0] / depth
        pixels[:, 1] = self.cy + self.fy * down / depth
        return pixels, depth

    def rays(self) -> tuple[Floats, Floats, Floats]:
        """Return x (width,), y (height,) and z (height,) of the ray through every column and row."""
        cosine, sine = direction(self.pitch_rad)
        across = (np.arange(self.width, dtype=np.float64) + 0.5 - self.cx) / self.fx
        below = (np.arange(self.height, dtype=np.float64) + 0.5 - self.cy) / self.fy
        return across, -sine - below * cosine, cosine - below * sine

    def as_record(self, fps: int) -> dict[str, float | int]:
        """Return the calibration as it is written beside a drive."""
        return {
            "fx": self.fx, "fy": self.fy, "cx": self.cx, "cy": self.cy, "height_m": self.height_m,
            "pitch_rad": self.pitch_rad, "width": self.width, "height": self.height, "fps": fps,
        }  # fmt: skip
