"""Where a camera looks from: what turns a row of the picture into metres on the road."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraGeometry:
    """A pinhole camera over a flat road, in pixels of the recording's pictures; what nobody tells is None."""

    width: int
    height: int
    focal_px: float
    cx: float
    cy: float
    height_m: float | None = None  # of the lens above the road
    horizon_px: float | None = None  # row of the horizon
    origin: str = ""  # who says so: a profile, CameraInfo, KITTI's calib

    @property
    def pitch_deg(self) -> float | None:
        """Give how far the camera looks down, from its horizon."""
        if self.horizon_px is None:
            return None
        return math.degrees(math.atan2(self.cy - self.horizon_px, self.focal_px))
