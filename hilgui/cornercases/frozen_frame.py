"""Frozen frame: the camera repeats itself although the scene was moving."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from statistics import median
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Hit, Kind, Moment, Severity

BEFORE_S = 1.0
ABRUPT = 3  # frames from moving to standing still, at most
LONG_S = 0.5  # from here on a freeze is HIGH


class FrozenFrame:
    """Reports `frames` or more pictures in a row that changed by less than `change` grey levels while moving.

    Moving means that the median change over the second before the first repeated picture was at least `moving`,
    and that one of the last three changes was: a freeze comes at once, a car comes to rest over many frames. One
    change in between, when a key frame renews the frozen picture, does not hide the rest of the freeze.
    """

    kind: ClassVar[Kind] = Kind.FROZEN_FRAME
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        assert context.period_s is not None
        self._limits = context.limits.frozen_frame
        self._period_s = context.period_s
        self._before: deque[float] = deque(maxlen=max(3, round(BEFORE_S / context.period_s)))
        self._usual = 0.0  # median change before the streak
        self._streak = 0
        self._waiting: list[Hit] = []

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each repeated picture; the first ones come when there are enough."""
        change = moment.health.change
        if math.isnan(change) or change >= self._limits.change:
            self._streak, self._waiting = 0, []
            if not math.isnan(change):
                self._before.append(change)
            return []
        if self._streak == 0:
            self._usual = self._change_before()
        if self._usual < self._limits.moving:
            self._before.append(change)
            return []
        self._streak += 1
        self._waiting.append(self._hit(moment, change))
        if self._streak < self._limits.frames:
            return []
        ready, self._waiting = self._waiting, []
        return ready

    def _change_before(self) -> float:
        """Give the usual change of a scene that was moving until now, else 0."""
        before = list(self._before)
        if len(before) < self._limits.frames or max(before[-ABRUPT:]) < self._limits.moving:
            return 0.0
        return median(before)

    def _hit(self, moment: Moment, change: float) -> Hit:
        lasts_s = self._streak * self._period_s
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread="",
            severity=Severity.HIGH if lasts_s >= LONG_S else Severity.MEDIUM,
            weight=float(self._streak),
            why=f"the picture stands still for {DURATION}: it changes by {change:.2f} grey levels, "
            f"by {self._usual:.1f} in the second before",
            evidence={"change": change, "change_before": self._usual},
        )
