"""Jitter: a box that trembles around its object."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from hilgui.cornercases.labelled import Labelled
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import FoundObject, Hit, Kind, Moment, Role, Severity, Telling

_Errors = tuple[float, float, float]  # x and y of the centre in sizes of the object, log of the height


class _Window:
    """The errors of the last matched frames of one object, with their sums: a frame costs the same at any length."""

    __slots__ = ("errors", "squares", "sums")

    def __init__(self) -> None:
        self.errors: deque[_Errors] = deque()
        self.sums = self.squares = (0.0, 0.0, 0.0)

    def add(self, errors: _Errors, length: int) -> None:
        """Take the errors of a frame; written out by axis, as this runs for every object of every frame."""
        self.errors.append(errors)
        x, y, size = errors
        (sum_x, sum_y, sum_size), (square_x, square_y, square_size) = self.sums, self.squares
        self.sums = (sum_x := sum_x + x, sum_y := sum_y + y, sum_size := sum_size + size)
        self.squares = (
            square_x := square_x + x * x,
            square_y := square_y + y * y,
            square_size := square_size + size * size,
        )
        if len(self.errors) > length:
            x, y, size = self.errors.popleft()
            self.sums = (sum_x - x, sum_y - y, sum_size - size)
            self.squares = (square_x - x * x, square_y - y * y, square_size - size * size)

    def may_exceed(self, deviation: float) -> bool:
        """Say whether a deviation could be above a limit: quicker than looking, and a little more often."""
        count, least = len(self.errors), (deviation * 0.999) ** 2
        (x, y, size), (square_x, square_y, square_size) = self.sums, self.squares
        return (
            square_x / count - (x / count) ** 2 > least
            or square_y / count - (y / count) ** 2 > least
            or square_size / count - (size / count) ** 2 > least
        )

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
        labels = moment.truth.boxes.tolist()
        for role, comparison in moment.comparisons.items():
            partners = comparison.partner.tolist()
            matched = dict(zip(partners, moment.inferences[role].detections.boxes.tolist(), strict=False))
            before, today = self._windows[role], {}
            for place, (row, thread, is_cut) in enumerate(zip(asked.rows, asked.threads, asked.cut, strict=True)):
                box = matched.get(row)
                if box is None or is_cut:
                    continue
                window = today[thread] = before.get(thread) or _Window()
                window.add(_errors(labels[row], box), self._limits.window)
                if len(window.errors) == self._limits.window and window.may_exceed(self._limits.deviation):
                    deviations, one = window.deviations(), asked[place]
                    if self._trembles(one, deviations):
                        hits.append(self._hit(role, one, box, deviations, moment))
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
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=one.thread,
            severity=Severity(max(min(one.severity, Severity.MEDIUM) - 1, Severity.LOW)),
            weight=max(deviations),
            role=role,
            telling=partial(self._tell, role, one, box, deviations),
        )

    def _tell(self, role: Role, one: Labelled, box: list[float], deviations: _Errors) -> Telling:
        x, y, size = deviations
        left, top, right, bottom = box
        worst = max(deviations)
        axis = ("sideways", "up and down", "in height")[deviations.index(worst)]
        return Telling(
            f"the box of the {role} on {one.name} trembles for {DURATION}: by {worst:.0%} of its size {axis} "
            f"(standard deviation over {self._limits.window} frames)",
            (FoundObject(one.label, (left, top, right, bottom), one.track, None, one.distance_m),),
            {"deviation_x": x, "deviation_y": y, "deviation_log_height": size, "height_px": one.height_px},
        )


def _errors(label: list[float], box: list[float]) -> _Errors:
    left, top, right, bottom = label
    x1, y1, x2, y2 = box
    high = bottom - top
    return (
        (x1 + x2 - left - right) / (2 * (right - left)),
        (y1 + y2 - top - bottom) / (2 * high),
        math.log(max(y2 - y1, 1e-6) / high),
    )
