"""Blur: the picture has lost its edges or its contrast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.cornercases.usual import Usual
from hilgui.records import Hit, Kind, Moment, Severity

FLAT = 15.0  # grey levels, where flat is as bad as soft


class Blur:
    """Reports a picture whose sharpness is below `share` of the usual, or with grey levels that hardly deviate.

    Sharpness is the variance of the Laplacian, usual its median over the last two seconds. A dark picture has no
    contrast by right: below the limit of `black_frame` nothing is reported here.
    """

    kind: ClassVar[Kind] = Kind.BLUR
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        assert context.period_s is not None
        self._limits = context.limits.blur
        self._dark = context.limits.black_frame.mean
        self._usual = Usual(context.period_s)

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give at most one hit."""
        health, usual = moment.health, self._usual.median
        is_soft = health.sharpness < self._limits.share * usual
        self._usual.learn(health.sharpness, is_odd=is_soft)
        is_flat = health.deviation < self._limits.deviation
        if health.mean < self._dark or not (is_soft or is_flat):
            return []
        said = []
        if is_soft:
            said.append(f"its sharpness is {health.sharpness / usual:.0%} of the usual")
        if is_flat:
            said.append(f"its grey levels deviate by {health.deviation:.1f} only")
        return [
            Hit(
                kind=self.kind,
                seq=moment.ref.seq,
                thread="",
                severity=Severity.MEDIUM,
                weight=max(1.0 - health.sharpness / usual if is_soft else 0.0, 1.0 - health.deviation / FLAT),
                why=f"the picture is blurred or flat for {DURATION}: {' and '.join(said)}",
                evidence={"sharpness": health.sharpness, "usual_sharpness": usual, "deviation": health.deviation},
            )
        ]
