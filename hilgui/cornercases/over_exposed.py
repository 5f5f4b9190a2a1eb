"""Over-exposed: much of the picture is white."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Hit, Kind, Moment, Severity

LONG_S = 0.5  # from here on a blinded picture is HIGH


class OverExposed:
    """Reports a picture of which more than the share `saturated` is at 250 of 255 or above."""

    kind: ClassVar[Kind] = Kind.OVER_EXPOSED
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._limit = context.limits.over_exposed.saturated
        self._period_s = context.period_s or 0.0
        self._streak = 0

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give at most one hit."""
        health = moment.health
        if not health.saturated > self._limit:
            self._streak = 0
            return []
        self._streak += 1
        return [
            Hit(
                kind=self.kind,
                seq=moment.ref.seq,
                thread="",
                severity=Severity.HIGH if self._streak * self._period_s >= LONG_S else Severity.MEDIUM,
                weight=health.saturated,
                why=f"{health.saturated:.0%} of the picture are saturated for {DURATION}, "
                f"the limit is {self._limit:.0%}",
                evidence={"saturated": health.saturated, "mean": health.mean},
            )
        ]
