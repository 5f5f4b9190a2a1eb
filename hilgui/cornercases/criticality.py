"""Severity of what happens to an object: from its criticality, its distance or, where that is unknown, its height."""

from __future__ import annotations

import math
from typing import NamedTuple

from hilgui.evaluation.criticality import Basis, is_vulnerable
from hilgui.records import Severity
from hilgui.settings import CriticalityLimits

__all__ = ["Grade", "closeness", "is_vulnerable", "severity_of"]

_SOON_S = 10.0  # a later collision makes nothing critical, and is not told as if it did


class Grade(NamedTuple):
    """How much an object matters on one frame, and what that rests on."""

    severity: Severity  # of losing it
    is_critical: bool
    in_corridor: bool
    distance_m: float | None  # of the label, else of the calibrated camera
    ttc_s: float  # inf where it does not come nearer, NaN unknown
    deceleration_mps2: float  # that stops short of it, NaN unknown
    basis: Basis

    @property
    def evidence(self) -> dict[str, float]:
        """Give the figures behind it, those that are known."""
        figures = {"critical": float(self.is_critical), "in_corridor": float(self.in_corridor)}
        if self.distance_m is not None:
            figures["distance_m"] = self.distance_m
        if math.isfinite(self.ttc_s):
            figures["ttc_s"] = self.ttc_s
        if math.isfinite(self.deceleration_mps2):
            figures["deceleration_mps2"] = self.deceleration_mps2
        return figures

    @property
    def words(self) -> str:
        """Say why it is critical and where that is known from, "" where it is not."""
        if not self.is_critical:
            return ""
        said = ["in the corridor"] if self.in_corridor else []
        if self.distance_m is not None:
            said.append(f"{self.distance_m:.1f} m ahead")
        if self.ttc_s <= _SOON_S:
            said.append(f"{self.ttc_s:.1f} s to collision")
        return f"critical: {', '.join(said) or 'close by'} ({self.basis.words})"


def severity_of(
    height_px: float,
    picture_height: int,
    limits: CriticalityLimits,
    distance_m: float | None = None,
    *,
    is_vulnerable: bool,
    is_critical: bool = False,
    in_corridor: bool = False,
) -> Severity:
    """Grade what happens to an object: what is critical (see `evaluation.criticality`) is HIGH.

    A vulnerable road user that is near is critical; a vehicle very near in the corridor is HIGH, at rest too. For all
    others it goes by how near they are, one step lower for a vehicle.
    """
    if is_critical:
        return Severity.HIGH
    if distance_m is not None:
        near, far = distance_m <= limits.near_m, distance_m <= limits.far_m
    else:
        near = height_px >= limits.near_share * picture_height
        far = height_px >= limits.far_share * picture_height
    if is_vulnerable:
        return Severity.HIGH if near else Severity.MEDIUM if far else Severity.LOW
    if in_corridor and distance_m is not None and distance_m <= limits.vehicle_near_m:
        return Severity.HIGH
    return Severity.MEDIUM if near else Severity.LOW


def closeness(
    height_px: float, picture_height: int, limits: CriticalityLimits, distance_m: float | None = None
) -> float:
    """Give a figure that grows as the object comes closer; 1 where a vulnerable road user becomes HIGH."""
    if distance_m is not None:
        return limits.near_m / max(distance_m, 1.0)
    return height_px / (limits.near_share * picture_height)
