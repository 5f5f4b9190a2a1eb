"""Black frame: the picture is dark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Hit, Kind, Moment, Severity

LONG_S = 0.5  # from here on a dark picture is HIGH


class BlackFrame:
    """Reports a picture whose mean grey level is below `mean`."""

    kind: ClassVar[Kind] = Kind.BLACK_FRAME
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._limit = context.limits.black_frame.mean
        self._period_s = context.period_s or 0.0
        self._streak = 0

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give at most one hit."""
        health = moment.health
        if not health.mean < self._limit:
            self._streak = 0
            return []
        self._streak += 1
        return [
            Hit(
                kind=self.kind,
                seq=moment.ref.seq,
                thread="",
                severity=Severity.HIGH if self._streak * self._period_s >= LONG_S else Severity.MEDIUM,
                weight=self._limit - health.mean,
                why=f"the picture is dark for {DURATION}: mean grey level {health.mean:.1f} of 255, "
                f"the limit is {self._limit:g}",
                evidence={"mean": health.mean, "deviation": health.deviation},
            )
        ]
