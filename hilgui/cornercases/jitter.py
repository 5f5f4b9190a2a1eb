"""Jitter: a box that trembles around its object."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.labelled import Labelled
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import FoundObject, Hit, Kind, Moment, Role, Severity

_AXES = (0, 1, 2)
_Errors = tuple[float, float, float]  # x and y of the centre in sizes of the object, log of the height


class _Window:
    """The errors of the last matched frames of one object, with their sums: a frame costs the same at any length."""

    __slots__ = ("errors", "squares", "sums")

    def __init__(self) -> None:
        self.errors: deque[_Errors] = deque()
        self.sums = [0.0, 0.0, 0.0]
        self.squares = [0.0, 0.0, 0.0]

    def add(self, errors: _Errors, length: int) -> None:
        self.errors.append(errors)
        sums, squares = self.sums, self.squares
        for axis in _AXES:
            error = errors[axis]
            sums[axis] += error
            squares[axis] += error * error
        if len(self.errors) > length:
            oldest = self.errors.popleft()
            for axis in _AXES:
                error = oldest[axis]
                sums[axis] -= error
                squares[axis] -= error * error

    def may_exceed(self, deviation: float) -> bool:
        """Say whether a deviation could be above a limit: quicker than looking, and a little more often."""
        count, least = len(self.errors), (deviation * 0.999) ** 2
        sums, squares = self.sums, self.squares
        return any(squares[axis] / count - (sums[axis] / count) ** 2 > least for axis in _AXES)

    def deviations(self) -> _Errors:
        count = len(self.errors)
        x, y, size = (
            math.sqrt(max(square / count - (total / count) ** 2, 0.0))
            for total, square in zip(self.sums, self.squares, strict=True)
        )
        return x, y, size


class Jitter:
    """Reports a labelled object whose box had an error that deviates by more than `deviation` over `window` frames.

    The errors are those of the centre, divided by width and height of the label, and the logarithm of the ratio of
    heights: a box that is wrong, but always in the same way, does not jitter. It must also be more than `least_px`
    pixels, and than a box moves from replay to replay. A frame without a match begins anew.
    """

    kind: ClassVar[Kind] = Kind.JITTER
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.jitter
        self._windows: dict[Role, dict[str, _Window]] = {role: {} for role in context.thresholds}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each object whose box trembles."""
        if moment.truth is None:
            return []
        hits: list[Hit] = []
        asked = self._context.labelling.at(moment)
        for role, comparison in moment.comparisons.items():
            rows = {truth: row for row, truth in enumerate(comparison.partner.tolist()) if truth >= 0}
            boxes = moment.inferences[role].detections.boxes[: len(comparison.partner)].tolist()
            before, today = self._windows[role], {}
            for one in asked:
                row = rows.get(one.row)
                if row is None or one.is_cut:
                    continue
                window = today[one.thread] = before.get(one.thread) or _Window()
                window.add(_errors(one, boxes[row]), self._limits.window)
                if len(window.errors) == self._limits.window and window.may_exceed(self._limits.deviation):
                    deviations = window.deviations()
                    if self._trembles(one, deviations):
                        hits.append(self._hit(role, one, boxes[row], deviations, moment))
            self._windows[role] = today
        return hits

    def _trembles(self, one: Labelled, deviations: _Errors) -> bool:
        if max(deviations) <= self._limits.deviation:
            return False
        x, y, size = deviations
        sides = (one.box[2] - one.box[0], one.height_px, one.height_px)
        return any(
            each > self._limits.deviation and each * side > max(self._limits.least_px, self._context.noise.box_px)
            for each, side in zip((x, y, size), sides, strict=True)
        )

    def _hit(self, role: Role, one: Labelled, box: list[float], deviations: _Errors, moment: Moment) -> Hit:
        x, y, size = deviations
        left, top, right, bottom = box
        worst = max(deviations)
        axis = ("sideways", "up and down", "in height")[deviations.index(worst)]
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=one.thread,
            severity=Severity(max(min(one.severity, Severity.MEDIUM) - 1, Severity.LOW)),
            weight=worst,
            why=f"the box of the {role} on {one.name} trembles for {DURATION}: by {worst:.0%} of its size {axis} "
            f"(standard deviation over {self._limits.window} frames)",
            role=role,
            objects=(FoundObject(one.label, (left, top, right, bottom), one.track, None, one.distance_m),),
            evidence={"deviation_x": x, "deviation_y": y, "deviation_log_height": size, "height_px": one.height_px},
        )


def _errors(one: Labelled, box: list[float]) -> _Errors:
    left, top, right, bottom = one.box
    wide, high = right - left, bottom - top
    return (
        (box[0] + box[2] - left - right) / (2 * wide),
        (box[1] + box[3] - top - bottom) / (2 * high),
        math.log(max(box[3] - box[1], 1e-6) / high),
    )
