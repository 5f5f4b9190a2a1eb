"""Flicker: an object that disappears from a model's output for a moment and returns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from hilgui.cornercases.boxes import overlap, strongest_near
from hilgui.cornercases.following import Sighting
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Detections, FoundObject, Hit, Kind, Moment, Role, Severity

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
    severity: Severity  # of losing it


@dataclass(slots=True)
class _Past:
    """The last half second of one track."""

    frames: deque[_Seen] = field(default_factory=deque)
    reported: int = -1  # seq up to which hits were given


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
        self._pasts: dict[Role, dict[int, _Past]] = {role: {} for role in context.thresholds}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hits of every frame from the first change on, once there were enough changes."""
        hits: list[Hit] = []
        following = self._context.following
        for role, present in following.at(moment).items():
            pasts, detections = self._pasts[role], moment.inferences[role].detections
            for number in following.ended(role):
                pasts.pop(number, None)
            for number in present.keys() - pasts.keys():
                pasts[number] = _Past()
            shown = [sighting.box for sighting in present.values()]
            unseen, grades = following.unseen(role), self._context.grading.shown(moment, role)
            for number, past in pasts.items():
                sighting, is_present = present.get(number), True
                if sighting is None:
                    expected = unseen[number]
                    sighting = past.frames[-1].last._replace(box=expected)
                    is_present = any(overlap(expected, box) >= COVERED_IOU for box in shown) or self._is_noise(
                        role, sighting, detections
                    )
                severity = grades[number].severity if number in grades else past.frames[-1].severity
                has_changed = self._note(past, sighting, is_present, moment, detections, severity)
                height_px = sighting.box[3] - sighting.box[1]
                if not has_changed or height_px < self._limits.min_height_px:
                    continue
                least = self._limits.changes if severity > Severity.LOW else self._limits.changes_low
                if sum(frame.has_changed for frame in past.frames) >= least:
                    hits += self._hits(role, number, past, self._context.grading.thread(moment, role, number))
        return hits

    def _is_noise(self, role: Role, last: Sighting, detections: Detections) -> bool:
        """Say whether so little keeps it below the threshold that another replay might show it."""
        if not self._context.noise.score:
            return False
        score, _ = strongest_near(detections, last.box, last.classed)
        return score > 0.0 and self._context.noise.blurs(score, self._context.thresholds[role])

    def _note(
        self,
        past: _Past,
        sighting: Sighting,
        is_present: bool,
        moment: Moment,
        detections: Detections,
        severity: Severity,
    ) -> bool:
        """Add a frame to the past of a track; say whether its presence changed."""
        frames, now_s = past.frames, moment.ref.time_s
        has_changed = bool(frames) and frames[-1].is_present != is_present
        frames.append(_Seen(moment.ref.seq, now_s, is_present, has_changed, sighting, detections, severity))
        while frames[0].time_s < now_s - self._limits.within_s - SLACK_S:
            frames.popleft()
        return has_changed

    def _hits(self, role: Role, number: int, past: _Past, thread: str) -> list[Hit]:
        frames = list(past.frames)
        first = next(index for index, frame in enumerate(frames) if frame.has_changed)
        gone = sum(not frame.is_present for frame in frames)
        hits = [self._hit(role, number, thread, frame, gone) for frame in frames[first:] if frame.seq > past.reported]
        past.reported = frames[-1].seq
        return hits

    def _hit(self, role: Role, number: int, thread: str, frame: _Seen, gone: int) -> Hit:
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
        return Hit(
            kind=self.kind,
            seq=frame.seq,
            thread=thread,
            severity=min(frame.severity, Severity.MEDIUM),  # it came back
            weight=last.score if frame.is_present else 1.0 + last.score,
            why=why,
            role=role,
            objects=(FoundObject(label, last.box, number, last.score if frame.is_present else None),),
            evidence=evidence,
        )
