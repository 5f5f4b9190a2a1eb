"""Severity of what happens to an object: from its criticality, its distance or, where that is unknown, its height."""

from __future__ import annotations

from hilgui.evaluation.criticality import is_vulnerable
from hilgui.records import Severity
from hilgui.settings import CriticalityLimits

__all__ = ["closeness", "is_vulnerable", "severity_of"]


def severity_of(
    name: str,
    height_px: float,
    picture_height: int,
    limits: CriticalityLimits,
    distance_m: float | None = None,
    *,
    is_critical: bool = False,
) -> Severity:
    """Grade what happens to an object of class `name`; everything that is not vulnerable counts as a vehicle.

    What is critical (see `evaluation.criticality`) is HIGH.
    """
    if is_critical:
        return Severity.HIGH
    severity = _nearness(height_px, picture_height, limits, distance_m)
    if is_vulnerable(name, limits):
        return severity
    if distance_m is not None and distance_m <= limits.vehicle_near_m:
        return Severity.HIGH
    return Severity(max(severity - 1, Severity.LOW))


def closeness(
    height_px: float, picture_height: int, limits: CriticalityLimits, distance_m: float | None = None
) -> float:
    """Give a figure that grows as the object comes closer; 1 where a vulnerable road user becomes HIGH."""
    if distance_m is not None:
        return limits.near_m / max(distance_m, 1.0)
    return height_px / (limits.near_share * picture_height)


def _nearness(height_px: float, picture_height: int, limits: CriticalityLimits, distance_m: float | None) -> Severity:
    if distance_m is not None:
        near, far = distance_m <= limits.near_m, distance_m <= limits.far_m
    else:
        near = height_px >= limits.near_share * picture_height
        far = height_px >= limits.far_share * picture_height
    if near:
        return Severity.HIGH
    return Severity.MEDIUM if far else Severity.LOW
