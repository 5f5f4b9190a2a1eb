"""Criticality: which objects of a frame matter now, and where that is known from.

Critical is an object in the corridor with TTC ≤ 3 s or a required deceleration ≥ 3 m/s², or a vulnerable road user
within 15 m. Distance comes from the labels, else from the calibration of the camera, else nobody knows it: then a
vulnerable road user is near from a share of the picture's height on, and the corridor is a polygon in the picture.
Each row says which.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.geometry import (
    CameraGeometry,
    Floats,
    ground_distance_m,
    is_in_corridor,
    is_in_polygon,
    lateral_m,
    required_deceleration,
    time_to_collision_s,
)
from hilgui.evaluation.heights import BORDER_PX, Heights
from hilgui.evaluation.tracker import Tracker
from hilgui.records import NO_TRACK, FrameRef, Moment, Role, Vocabulary
from hilgui.settings import CriticalityLimits

_KEEP = 15  # frames for which the heights of an object that is not seen are remembered


class Basis(IntEnum):
    """Where the distance of an object is known from."""

    HEIGHT = 0  # nowhere: the height of its box and a corridor polygon stand in
    CALIBRATION = 1  # the row in which it stands on a flat road
    LABEL = 2

    @property
    def words(self) -> str:
        """Give the words for screens and exports."""
        return ("box height and corridor polygon", "calibrated camera", "distance of the label")[self]


@dataclass(frozen=True, slots=True, eq=False)
class Criticality:
    """What is known about the objects of one frame, one row each, in the order of truth or detections."""

    distance_m: Floats  # (N,) NaN unknown
    lateral_m: Floats  # (N,) right of the optical axis, NaN without calibration
    ttc_s: Floats  # (N,) inf where the object does not come nearer, NaN unknown
    deceleration_mps2: Floats  # (N,) that stops 2 m short of it, NaN unknown
    in_corridor: NDArray[np.bool_]  # (N,)
    vulnerable: NDArray[np.bool_]  # (N,)
    critical: NDArray[np.bool_]  # (N,)
    basis: NDArray[np.uint8]  # (N,) Basis of each row

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.critical)


def is_vulnerable(name: str, limits: CriticalityLimits) -> bool:
    """Say whether a class is a road user without a shell around."""
    return name.lower() in limits.vulnerable


def criticality_of(
    boxes: Floats,
    vulnerable: NDArray[np.bool_],
    growth: Floats,
    size: tuple[int, int],
    limits: CriticalityLimits,
    *,
    camera: CameraGeometry | None = None,
    labelled_m: Floats | None = None,
) -> Criticality:
    """Judge the objects of one frame; pure.

    `boxes` (N, 4) x1 y1 x2 y2 px, `growth` (N,) d(ln h)/dt in 1/s, NaN unknown; `size` width and height of the picture;
    `labelled_m` (N,) distances of the labels, NaN unknown. The closing speed is Z / TTC.
    """
    width, height = size
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    count = len(boxes)
    distance, basis = np.full(count, np.nan), np.full(count, Basis.HEIGHT, np.uint8)
    sideways = np.full(count, np.nan)
    if camera is not None:
        camera = camera.scaled(width, height)
        distance = ground_distance_m(boxes[:, 3], camera)
        distance[boxes[:, 3] >= height - BORDER_PX] = np.nan  # its feet are below the picture
        basis[~np.isnan(distance)] = Basis.CALIBRATION
    if labelled_m is not None:
        known = ~np.isnan(labelled_m)
        distance = np.where(known, labelled_m, distance)
        basis[known] = Basis.LABEL
    corridor = is_in_polygon(
        boxes, width, height, foot=limits.polygon_foot, apex=limits.polygon_apex, horizon=limits.polygon_horizon
    )
    if camera is not None:
        sideways = lateral_m((boxes[:, 0] + boxes[:, 2]) / 2, distance, camera)
        inside = is_in_corridor(sideways, distance, limits.corridor_half_m, limits.corridor_widening)
        corridor = np.where(np.isnan(sideways), corridor, inside)
    ttc = time_to_collision_s(growth)
    closing = np.divide(distance, ttc, out=np.zeros(count), where=np.isfinite(ttc))
    closing[np.isnan(ttc)] = np.nan
    needed = required_deceleration(closing, distance)
    near = np.where(
        np.isnan(distance), boxes[:, 3] - boxes[:, 1] >= limits.near_share * height, distance <= limits.near_m
    )
    urgent = (ttc <= limits.ttc_s) | (needed >= limits.deceleration_mps2)  # NaN compares false
    critical = (corridor & urgent) | (vulnerable & near)
    return Criticality(distance, sideways, ttc, needed, corridor, vulnerable, critical, basis)


class CriticalityMeter:
    """Judges truths and detections of one camera, frame by frame; keeps the heights of the last half second.

    Several askers share one meter: it works out each moment once. Frames in order, one thread.
    """

    def __init__(self, limits: CriticalityLimits, vocabulary: Vocabulary, camera: CameraGeometry | None = None) -> None:
        self._limits = limits
        self._camera = camera
        self._vulnerable = np.array([is_vulnerable(name, limits) for name in (*vocabulary.names, "")], np.bool_)
        self._heights = {name: Heights(limits.smooth_s) for name in (None, *Role)}
        self._trackers = {name: Tracker(_KEEP) for name in (None, *Role)}
        self._moment: Moment | None = None
        self._of_truth: Criticality | None = None
        self._of_detections: dict[Role, Criticality] = {}

    def truths(self, moment: Moment) -> Criticality | None:
        """Judge the labelled objects, row by row; None where the frame has no labels."""
        self._turn(moment)
        if self._of_truth is None and moment.truth is not None:
            truth = moment.truth
            names = self._followed(None, moment, truth.boxes, truth.classes, truth.tracks)
            self._of_truth = self.judge(
                moment.ref, truth.boxes, truth.classes, names, truth.distance_m.astype(np.float64), None
            )
        return self._of_truth

    def detections(self, moment: Moment, role: Role, threshold: float) -> Criticality | None:
        """Judge the detections at or above the threshold; None where the model skipped the frame."""
        self._turn(moment)
        if role not in self._of_detections and role in moment.inferences:
            shown = moment.inferences[role].detections
            shown = shown.first(shown.count_above(threshold))
            names = self._followed(role, moment, shown.boxes, shown.classes, None)
            self._of_detections[role] = self.judge(moment.ref, shown.boxes, shown.classes, names, None, role)
        return self._of_detections.get(role)

    def judge(
        self,
        ref: FrameRef,
        boxes: NDArray[np.floating],
        classes: NDArray[np.int32],
        names: Sequence[Hashable],
        labelled_m: Floats | None = None,
        who: Role | None = None,
    ) -> Criticality:
        """Judge objects that somebody else follows, by the names they have; `who` says whose names these are."""
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        return criticality_of(
            boxes,
            self._vulnerable[classes],  # NO_CLASS is the last entry
            self._heights[who].growth(ref, boxes, names),
            (ref.width, ref.height),
            self._limits,
            camera=self._camera,
            labelled_m=labelled_m,
        )

    def _turn(self, moment: Moment) -> None:
        if moment is not self._moment:
            self._moment = moment
            self._of_truth, self._of_detections = None, {}

    def _followed(
        self,
        who: Role | None,
        moment: Moment,
        boxes: NDArray[np.floating],
        classes: NDArray[np.int32],
        tracks: NDArray[np.int64] | None,
    ) -> list[Hashable]:
        """Name objects by the tracks of the labels; those without one are followed."""
        names: list[Hashable] = [None] * len(boxes) if tracks is None else tracks.tolist()
        if math.isnan(moment.ref.time_s):
            return names
        nameless = [row for row, name in enumerate(names) if name is None or name == NO_TRACK]
        numbers = self._trackers[who].update(np.asarray(boxes, np.float64)[nameless], classes=classes[nameless])
        for row, number in zip(nameless, numbers, strict=True):
            names[row] = ("followed", number)
        return names
