"""Late detection: an object is found some time after it could be asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.protocol import RunContext
from hilgui.cornercases.waits import SLACK_S, Wait
from hilgui.records import FoundObject, Hit, Kind, Moment, Role, Suspect


class LateDetection:
    """Reports a labelled object whose first match comes more than `after_s` after the first frame it was asked for.

    The hits come with the first match and cover the wait (its last 1,000 frames), the last frame of which is the worst.
    An object that is never matched is missed, not late.
    """

    kind: ClassVar[Kind] = Kind.LATE_DETECTION
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._after_s = context.limits.late_detection.after_s

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hits of the objects that are matched for the first time."""
        if moment.truth is None:
            return []
        return [
            hit
            for role, waits in self._context.waits.ended(moment).items()
            for wait in waits
            if not wait.after_match and wait.lasted_s > self._after_s + SLACK_S
            for hit in self._hits(role, wait)
        ]

    def _hits(self, role: Role, wait: Wait) -> list[Hit]:
        found = wait.frames[-1].one
        where = f"at {found.distance_m:.1f} m" if found.distance_m is not None else f"{found.height_px:.0f} px tall"
        why = f"{found.name} was first found by the {role} {wait.lasted_s:.1f} s after it could be seen, {where}"
        evidence = {"delay_s": wait.lasted_s, "height_px": found.height_px}
        if found.distance_m is not None:
            evidence["distance_m"] = found.distance_m
        shifted = self._context.shifts.explain(role, found.thread)
        return [
            Hit(
                kind=self.kind,
                seq=frame.seq,
                thread=frame.one.thread,
                severity=found.severity,
                weight=float(nth if nth < len(wait.frames) - 1 else 0),  # the frame before it was found
                why=why,
                role=role,
                objects=(FoundObject(frame.one.label, frame.one.box, frame.one.track, None, frame.one.distance_m),),
                evidence=evidence,
                suspect=Suspect.TIMING if shifted else None,
                suspect_why=shifted,
            )
            for nth, frame in enumerate(wait.frames)
        ]
