"""Time fault: stamps that cannot be right, or labels that lie beside their pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.protocol import RunContext
from hilgui.cornercases.suspects import OF_LABELS
from hilgui.records import FrameRef, Hit, Kind, Moment, Severity


class TimeFault:
    """Reports a step of time that is not forward or longer than `periods`, and labels beside their pictures.

    Frames that are known to be lost are allowed for: the step may be longer by a period for each. Labels are reported
    where the recent misses of a model agree (see `shifts`) that they lie more than `offset_ms` beside.
    """

    kind: ClassVar[Kind] = Kind.TIME_FAULT
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        assert context.period_s is not None
        self._context = context
        self._limits = context.limits.time_fault
        self._period_s = context.period_s
        self._before: FrameRef | None = None

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for a bad step, and one while the labels are off."""
        before, self._before = self._before, moment.ref
        hits = [] if before is None else self._step(before, moment.ref)
        return hits + self._offset(moment)

    def _step(self, before: FrameRef, now: FrameRef) -> list[Hit]:
        step_s = now.time_s - before.time_s
        lost = now.seq - before.seq - 1
        if math.isnan(step_s) or 0 < step_s <= (self._limits.periods + lost) * self._period_s:
            return []
        periods = step_s / self._period_s
        if step_s <= 0:
            said = "stands still" if step_s == 0 else f"goes back by {-step_s * 1e3:.1f} ms"
            why = f"time {said} from the frame before"
        else:
            known = f"{lost} frames are" if lost > 1 else "1 frame is" if lost else "no frame is"
            why = f"{step_s * 1e3:.0f} ms passed since the frame before, {periods:.1f} periods, and {known} known lost"
        return [
            Hit(
                kind=self.kind,
                seq=now.seq,
                thread="step",
                severity=Severity.MEDIUM if step_s <= 0 else Severity.LOW,
                weight=abs(periods - 1.0),
                why=why,
                evidence={"step_ms": step_s * 1e3, "period_ms": self._period_s * 1e3, "frames_lost": float(lost)},
            )
        ]

    def _offset(self, moment: Moment) -> list[Hit]:
        hits = []
        for role in moment.comparisons:
            shift = self._context.shifts.established(role)
            offset_ms = shift * self._period_s * 1e3
            if abs(offset_ms) > self._limits.offset_ms:
                late = "behind" if shift > 0 else "ahead of"
                frames = f"{abs(shift)} frames ({abs(offset_ms):.0f} ms)"
                hits.append(
                    Hit(
                        kind=self.kind,
                        seq=moment.ref.seq,
                        thread=OF_LABELS,
                        severity=Severity.HIGH,  # no figure of the drive means anything
                        weight=abs(offset_ms),
                        why=f"the labels are {frames} {late} the pictures: moved by that, "
                        f"they fit what the {role} shows; check the offset of the clocks",
                        evidence={"offset_ms": offset_ms, "offset_frames": float(shift)},
                    )
                )
                break
        return hits
