"""Flicker: an object that disappears from a model's output for a moment and returns."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, NamedTuple

from hilgui.cornercases.boxes import strongest_near
from hilgui.cornercases.criticality import Grade
from hilgui.cornercases.following import Sighting
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Detections, FoundObject, Hit, Kind, Moment, Role, Severity, Telling

COVERED_IOU = 0.3  # with another object
SLACK_S = 1e-6  # stamps of videos are rounded


class _Seen(NamedTuple):
    """What became of one track on one frame."""

    seq: int
    time_s: float
    is_present: bool
    has_changed: bool
    last: Sighting  # as seen; where it would be, while it is gone
    detections: Detections  # everything the model said, at any score
    graded: dict[int, Grade]  # what that frame's objects matter in which it was seen last


@dataclass(slots=True)
class _Past:
    """The last half second of a track that was gone in it, from the frame on in which it went."""

    frames: deque[_Seen] = field(default_factory=deque)
    changes: int = 0  # of presence, within them
    reported: int = -1  # seq up to which hits were given

    def note(self, seen: _Seen, since_s: float) -> None:
        """Add a frame, and forget those before a time."""
        self.frames.append(seen)
        self.changes += seen.has_changed
        while self.frames[0].time_s < since_s:
            self.changes -= self.frames.popleft().has_changed


_Shown = tuple[dict[int, Sighting], dict[int, Grade]]  # what a model showed on one frame, by track


class Flicker:
    """Reports a track whose presence changed `changes` times within `within_s` seconds, `changes_low` of a LOW one.

    The first appearance is no change, and an object is not gone while another one is shown in its place: two boxes on
    neighbours may have become one; nor where its score is below the threshold by no more than the noise of the model.
    Needs no truth, and so cannot tell a flicker from an object that passed behind a pole. A frame that the model
    skipped is not looked at.
    """

    kind: ClassVar[Kind] = Kind.FLICKER
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.flicker
        self._before: dict[Role, _Shown] = {role: ({}, {}) for role in context.thresholds}
        self._pasts: dict[Role, dict[int, _Past]] = {role: {} for role in context.thresholds}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hits of every frame from the first change on, once there were enough changes."""
        hits: list[Hit] = []
        following = self._context.following
        for role, present in following.at(moment).items():
            pasts, ended = self._pasts[role], following.ended(role)
            for number in ended:
                pasts.pop(number, None)
            before, graded = self._before[role]
            for number in before.keys() - present.keys() - pasts.keys() - set(ended):
                pasts[number] = _Past()
            grades = self._context.grading.shown(moment, role)
            self._before[role] = present, grades
            if not pasts:
                continue
            detections = moment.inferences[role].detections
            unseen = following.unseen(role) if len(pasts.keys() - present.keys()) else {}
            seq, now_s = moment.ref.seq, moment.ref.time_s
            since_s = now_s - self._limits.within_s - SLACK_S
            covered = following.covered(role, COVERED_IOU) if unseen else set()
            for number, past in sorted(pasts.items()):
                newest = past.frames[-1] if past.frames else None
                sighting, of, is_present = present.get(number), grades, True
                if sighting is None:
                    last, of = (newest.last, newest.graded) if newest else (before[number], graded)
                    sighting = last._replace(box=unseen[number])
                    is_present = number in covered or self._is_noise(role, sighting, detections)
                has_changed = is_present != (newest is None or newest.is_present)
                past.note(_Seen(seq, now_s, is_present, has_changed, sighting, detections, of), since_s)
                if has_changed and past.changes >= self._least(number, past.frames[-1]):
                    hits += self._hits(role, number, past, self._context.grading.thread(moment, role, number))
                elif not past.changes and number in present:
                    del pasts[number]
        return hits

    def _is_noise(self, role: Role, last: Sighting, detections: Detections) -> bool:
        """Say whether so little keeps it below the threshold that another replay might show it."""
        if not self._context.noise.score:
            return False
        score, _ = strongest_near(detections, last.box, last.classed)
        return score > 0.0 and self._context.noise.blurs(score, self._context.thresholds[role])

    def _least(self, number: int, seen: _Seen) -> float:
        """Give how often the presence of such an object must change."""
        if seen.last.box[3] - seen.last.box[1] < self._limits.min_height_px:
            return math.inf
        return self._limits.changes if seen.graded[number].severity > Severity.LOW else self._limits.changes_low

    def _hits(self, role: Role, number: int, past: _Past, thread: str) -> list[Hit]:
        frames = list(past.frames)
        first = next(index for index, frame in enumerate(frames) if frame.has_changed)
        gone = sum(not frame.is_present for frame in frames)
        hits = [self._hit(role, number, thread, frame, gone) for frame in frames[first:] if frame.seq > past.reported]
        past.reported = frames[-1].seq
        return hits

    def _hit(self, role: Role, number: int, thread: str, frame: _Seen, gone: int) -> Hit:
        return Hit(
            kind=self.kind,
            seq=frame.seq,
            thread=thread,
            severity=min(frame.graded[number].severity, Severity.MEDIUM),  # it came back
            weight=frame.last.score if frame.is_present else 1.0 + frame.last.score,
            role=role,
            telling=partial(self._tell, role, number, frame, gone),
        )

    def _tell(self, role: Role, number: int, frame: _Seen, gone: int) -> Telling:
        last, label = frame.last, self._context.vocabulary.name(frame.last.classed)
        evidence = {"frames_gone": float(gone), "height_px": last.box[3] - last.box[1]}
        why = f"{label} (track {number}) flickers in the output of the {role} for {DURATION}"
        if frame.is_present:
            evidence["score"] = last.score
            why += f": score {last.score:.2f} here"
        else:
            while_gone, _ = strongest_near(frame.detections, last.box, last.classed)
            evidence |= {"score_before": last.score, "score_while_gone": while_gone}
            below = f"{while_gone:.2f} while gone" if while_gone else "nothing at any score while gone"
            why += f": score {last.score:.2f} before, {below}"
        return Telling(why, (FoundObject(label, last.box, number, last.score if frame.is_present else None),), evidence)
