"""Deadline miss: the baseline takes longer than a frame lasts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Hit, Kind, Moment, Role, Severity

LATE = 2.0  # times the limit: MEDIUM
VERY_LATE = 5.0  # HIGH


class DeadlineMiss:
    """Reports frames whose baseline latency is above the limit, live and in real time only.

    The limit is `limit_ms`, else the nominal period of the source, also when it is replayed faster or slower. Latency
    is preprocess, run and postprocess. The candidate has no deadline: it may skip frames, and those are counted.
    """

    kind: ClassVar[Kind] = Kind.DEADLINE_MISS
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = True

    def __init__(self, context: RunContext) -> None:
        period_ms = context.period_s * 1e3 if context.period_s is not None else math.inf
        self._limit_ms = context.limits.deadline_miss.limit_ms or period_ms

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give at most one hit."""
        inference = moment.inferences.get(Role.BASELINE)
        if inference is None or inference.latency_ms <= self._limit_ms:
            return []
        latency_ms = inference.latency_ms
        factor = latency_ms / self._limit_ms
        stages = {
            "preprocess_ms": inference.preprocess_ns / 1e6,
            "run_ms": inference.run_ns / 1e6,
            "postprocess_ms": inference.postprocess_ns / 1e6,
        }
        slowest = max(stages, key=lambda stage: stages[stage])
        return [
            Hit(
                kind=self.kind,
                seq=moment.ref.seq,
                thread="",
                severity=_severity(factor),
                weight=factor,
                why=f"the baseline missed its deadline of {self._limit_ms:.1f} ms for {DURATION}: {latency_ms:.1f} ms "
                f"here, of which {slowest.removesuffix('_ms')} took {stages[slowest]:.1f} ms",
                role=Role.BASELINE,
                evidence={"latency_ms": latency_ms, "limit_ms": self._limit_ms, **stages},
            )
        ]


def _severity(factor: float) -> Severity:
    if factor > VERY_LATE:
        return Severity.HIGH
    return Severity.MEDIUM if factor > LATE else Severity.LOW
