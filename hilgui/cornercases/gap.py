"""Gap: an object is lost between two matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.protocol import RunContext
from hilgui.cornercases.waits import SLACK_S, Wait
from hilgui.records import FoundObject, Hit, Kind, Moment, Role, Severity, Suspect


class Gap:
    """Reports a labelled object that was matched, then not for more than `longer_s`, and then again.

    The hits come with the second match and cover the frames between the two (the last 1,000).
    What is not found again is missed.
    """

    kind: ClassVar[Kind] = Kind.GAP
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._longer_s = context.limits.gap.longer_s

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hits of the objects that are matched again."""
        if moment.truth is None:
            return []
        return [
            hit
            for role, waits in self._context.waits.ended(moment).items()
            for wait in waits
            if wait.after_match and wait.lasted_s > self._longer_s + SLACK_S
            for hit in self._hits(role, wait)
        ]

    def _hits(self, role: Role, wait: Wait) -> list[Hit]:
        frames = wait.frames[:-1]
        largest = max(frame.one.height_px for frame in frames)
        shifted = self._context.shifts.explain(role, frames[0].one.thread)
        return [
            Hit(
                kind=self.kind,
                seq=frame.seq,
                thread=frame.one.thread,
                severity=min(frame.one.severity, Severity.MEDIUM),  # it was found again
                weight=frame.one.height_px * frame.one.visible,
                why=f"{frame.one.name} is lost by the {role} for {wait.lasted_s:.1f} s between two matches",
                role=role,
                objects=(FoundObject(frame.one.label, frame.one.box, frame.one.track, None, frame.one.distance_m),),
                evidence={"gap_s": wait.lasted_s, "frames_lost": float(wait.asked), "height_px": largest},
                suspect=Suspect.TIMING if shifted else None,
                suspect_why=shifted,
            )
            for frame in frames
        ]
