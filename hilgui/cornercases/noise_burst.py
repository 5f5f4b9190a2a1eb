"""Noise burst: the picture is suddenly full of edges that are none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.cornercases.usual import Usual
from hilgui.records import Hit, Kind, Moment, Severity


class NoiseBurst:
    """Reports a picture whose sharpness (variance of the Laplacian) is above `factor` times its running median."""

    kind: ClassVar[Kind] = Kind.NOISE_BURST
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        assert context.period_s is not None
        self._factor = context.limits.noise_burst.factor
        self._usual = Usual(context.period_s)

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give at most one hit."""
        sharpness, usual = moment.health.sharpness, self._usual.median
        is_noisy = sharpness > self._factor * usual
        self._usual.learn(sharpness, is_odd=is_noisy)
        if not is_noisy:
            return []
        return [
            Hit(
                kind=self.kind,
                seq=moment.ref.seq,
                thread="",
                severity=Severity.MEDIUM,
                weight=sharpness / usual if usual else sharpness,
                why=f"the picture is noisy for {DURATION}: the variance of its Laplacian is "
                f"{sharpness / max(usual, 1e-9):.1f} times the usual, the limit is {self._factor:g}",
                evidence={"sharpness": sharpness, "usual_sharpness": usual},
            )
        ]
