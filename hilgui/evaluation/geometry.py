"""Geometry of one camera over a flat road: from a box to metres, to seconds, to a required deceleration.

Pure functions over arrays. The road is a plane, the camera a pinhole without distortion, its roll is nought: Z comes
from the row in which an object stands on the road (Stein, Mano, Shashua 2003). A pitch that is wrong by 1 px costs
about Z² / (f·h): 3 m at 50 m with f = 640 px and h = 1.4 m.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui import records

Floats = NDArray[np.float64]

NOT_ON_ROAD_PX = 1.0  # a box that ends less below the horizon than this has no distance
REST_M = 2.0  # room that is left in front of the object when the vehicle has stopped


@dataclass(frozen=True, slots=True)
class CameraGeometry:
    """Where a camera is mounted and how it looks; pixels belong to a picture of `width` × `height`."""

    fx: float  # focal length, px
    fy: float
    cx: float  # principal point, px
    cy: float
    height_m: float  # of the camera above the road
    pitch_rad: float = 0.0  # positive looks down
    width: int = 0  # 0: of the recording
    height: int = 0

    @property
    def horizon_px(self) -> float:
        """Give the row in which the road ends."""
        return self.cy - self.fy * math.tan(self.pitch_rad)

    def scaled(self, width: int, height: int) -> CameraGeometry:
        """Fit it to pictures of another size."""
        if not self.width or not self.height or (width, height) == (self.width, self.height):
            return self
        across, down = width / self.width, height / self.height
        return CameraGeometry(
            self.fx * across, self.fy * down, self.cx * across, self.cy * down,
            self.height_m, self.pitch_rad, width, height,
        )  # fmt: skip

    @classmethod
    def of(cls, told: records.CameraGeometry | None) -> CameraGeometry | None:
        """Take what a recording or a camera profile tells; None where mounting height or horizon are not known."""
        if told is None or told.height_m is None or told.horizon_px is None or told.focal_px <= 0:
            return None
        pitch = math.atan2(told.cy - told.horizon_px, told.focal_px)
        return cls(told.focal_px, told.focal_px, told.cx, told.cy, told.height_m, pitch, told.width, told.height)


CameraOf = Callable[[str], CameraGeometry | None]  # by channel; None: nobody knows


def no_camera(_channel: str) -> CameraGeometry | None:
    """Know nothing about any camera."""
    return None


def cameras_of(source: records.SourceFacts) -> CameraOf:
    """Give a function that tells how each camera of a recording is mounted, by its channel."""
    return lambda channel: CameraGeometry.of(source.geometry_of(channel))


def ground_distance_m(bottom_px: Floats, camera: CameraGeometry) -> Floats:
    """Give Z = f·h / (v_bottom − v_horizon) of points on the road, in metres; NaN at and above the horizon."""
    below = np.asarray(bottom_px, np.float64) - camera.horizon_px
    on_road = below > NOT_ON_ROAD_PX
    distance: Floats = np.full(below.shape, np.nan)
    np.divide(camera.fy * camera.height_m, below, out=distance, where=on_road)
    return distance


def lateral_m(across_px: Floats, distance_m: Floats, camera: CameraGeometry) -> Floats:
    """Give X = (u − cx)·Z / f in metres: positive to the right of the optical axis."""
    lateral: Floats = (np.asarray(across_px, np.float64) - camera.cx) * distance_m / camera.fx
    return lateral


def is_in_corridor(
    lateral: Floats, distance_m: Floats, half_m: float = 1.75, widening: float = 0.02
) -> NDArray[np.bool_]:
    """Say whether |X| ≤ 1.75 + 0.02·Z: the straight strip that the vehicle is about to drive through."""
    inside: NDArray[np.bool_] = np.abs(lateral) <= half_m + widening * distance_m  # NaN compares false
    return inside


def is_in_polygon(
    boxes: Floats, width: int, height: int, *, foot: float, apex: float, horizon: float
) -> NDArray[np.bool_]:
    """Say whether the middle of a box's lower side lies in a trapezoid: the corridor where nothing is calibrated.

    `foot` and `apex` are half its width at the lower border of the picture and at `horizon`, as shares of the picture's
    width; `horizon` is a share of its height.
    """
    across = (boxes[:, 0] + boxes[:, 2]) / 2 / max(width, 1) - 0.5
    depth = (boxes[:, 3] / max(height, 1) - horizon) / max(1.0 - horizon, 1e-9)
    inside: NDArray[np.bool_] = (depth >= 0) & (np.abs(across) <= apex + (foot - apex) * np.minimum(depth, 1.0))
    return inside


def time_to_collision_s(growth: Floats) -> Floats:
    """Give TTC = h/ḣ from the growth d(ln h)/dt in 1/s; inf where an object does not grow, NaN unknown."""
    growth = np.asarray(growth, np.float64)
    ttc: Floats = np.where(np.isnan(growth), np.nan, np.inf)
    np.divide(1.0, growth, out=ttc, where=growth > 0)
    return ttc


def required_deceleration(speed_mps: Floats, distance_m: Floats) -> Floats:
    """Give v² / (2(Z − 2)) in m/s² for a closing speed v: what stops 2 m short; inf from 2 m, 0 where it recedes."""
    speed = np.maximum(np.asarray(speed_mps, np.float64), 0.0)
    room = np.asarray(distance_m, np.float64) - REST_M
    needed: Floats = np.where(np.isnan(speed) | np.isnan(room), np.nan, np.where(speed > 0, np.inf, 0.0))
    np.divide(speed * speed, 2 * room, out=needed, where=room > 0)
    return needed
