"""Deadline miss: the baseline takes longer than a frame lasts."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Hit, Inference, Kind, Moment, Role, Severity

LATE = 2.0  # times the limit: MEDIUM
VERY_LATE = 5.0  # HIGH
WINDOW = 1000  # frames over which the share of late ones counts


class DeadlineMiss:
    """Reports frames whose baseline latency is above the limit, live and in real time only.

    The limit is `limit_ms`, else the nominal period of the source, also when it is replayed faster or slower. Latency
    is preprocess, run and postprocess. The candidate has no deadline: it may skip frames, and those are counted.
    One late frame in a thousand (`rate`) is the operating system: it waits until the share is exceeded over the last
    thousand frames, and is then reported too. A very late one, above five times the limit, is reported at once.
    """

    kind: ClassVar[Kind] = Kind.DEADLINE_MISS
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = True

    def __init__(self, context: RunContext) -> None:
        period_ms = context.period_s * 1e3 if context.period_s is not None else math.inf
        self._limit_ms = context.limits.deadline_miss.limit_ms or period_ms
        self._allowed = context.limits.deadline_miss.rate * WINDOW
        self._frames = 0
        self._late: deque[int] = deque()  # which of the last frames were late
        self._waiting: list[Hit] = []

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hit of this frame, and those of before that only the rate excused."""
        inference = moment.inferences.get(Role.BASELINE)
        if inference is None:
            return []
        self._frames += 1
        while self._late and self._late[0] <= self._frames - WINDOW:
            self._late.popleft()
            self._waiting = self._waiting[1:] if len(self._waiting) > len(self._late) else self._waiting
        if inference.latency_ms <= self._limit_ms:
            return []
        self._late.append(self._frames)
        hit = self._hit(inference, moment)
        if hit.severity is Severity.HIGH:
            return [hit]
        self._waiting.append(hit)
        if len(self._late) <= self._allowed:
            return []
        ready, self._waiting = self._waiting, []
        return ready

    def _hit(self, inference: Inference, moment: Moment) -> Hit:
        latency_ms = inference.latency_ms
        factor = latency_ms / self._limit_ms
        stages = {
            "preprocess_ms": inference.preprocess_ns / 1e6,
            "run_ms": inference.run_ns / 1e6,
            "postprocess_ms": inference.postprocess_ns / 1e6,
        }
        slowest = max(stages, key=lambda stage: stages[stage])
        return Hit(
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


def _severity(factor: float) -> Severity:
    if factor > VERY_LATE:
        return Severity.HIGH
    return Severity.MEDIUM if factor > LATE else Severity.LOW
