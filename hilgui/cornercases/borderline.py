"""Borderline: a score that stays near the threshold, so that chance decides what is reported."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from hilgui.cornercases.boxes import strongest_near
from hilgui.cornercases.following import Sighting
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Detections, FoundObject, Hit, Kind, Moment, Role, Severity, Telling


@dataclass(slots=True)
class _Streak:
    last: Sighting
    severity: Severity = Severity.LOW  # of losing it
    frames: int = 0
    crossed: int = 0  # frames below the threshold
    waiting: list[Hit] = field(default_factory=list)


class Borderline:
    """Reports a track whose score is within `margin` of the threshold for `frames` frames in a row.

    On frames in which the score is below the threshold, the best score of its class at its place counts. Such an
    object flickers as soon as anything changes, and a threshold moved by a hundredth gives other figures.
    """

    kind: ClassVar[Kind] = Kind.BORDERLINE
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.borderline
        self._streaks: dict[Role, dict[int, _Streak]] = {role: {} for role in context.thresholds}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hits of each track near the threshold; the first ones come when it has lasted long enough."""
        hits: list[Hit] = []
        following = self._context.following
        for role, present in following.at(moment).items():
            threshold, before = self._context.thresholds[role], self._streaks[role]
            today: dict[int, _Streak] = {}
            grades = self._context.grading.shown(moment, role)
            for number, sighting in present.items():
                height_px = sighting.box[3] - sighting.box[1]
                if sighting.score < threshold + self._limits.margin and height_px >= self._limits.min_height_px:
                    streak = today[number] = before.get(number) or _Streak(sighting)
                    streak.last, streak.severity = sighting, grades[number].severity
                    hits += self._grown(role, number, streak, sighting.score, moment)
            if len(before) > len(today):
                detections = moment.inferences[role].detections
                hits += self._below(role, before, today, detections, moment)
            self._streaks[role] = today
        return hits

    def _below(
        self,
        role: Role,
        before: dict[int, _Streak],
        today: dict[int, _Streak],
        detections: Detections,
        moment: Moment,
    ) -> list[Hit]:
        """Go on with tracks that are not shown here, where a score just below the threshold says why."""
        hits: list[Hit] = []
        unseen = self._context.following.unseen(role)
        for number, streak in before.items():
            box = unseen.get(number)
            if box is None or number in today:
                continue
            score, _ = strongest_near(detections, box, streak.last.classed)
            if score > self._context.thresholds[role] - self._limits.margin:
                today[number] = streak
                streak.crossed += 1
                streak.last = streak.last._replace(box=box)
                hits += self._grown(role, number, streak, score, moment)
        return hits

    def _grown(self, role: Role, number: int, streak: _Streak, score: float, moment: Moment) -> list[Hit]:
        streak.frames += 1
        streak.waiting.append(self._hit(role, number, streak, score, moment))
        if streak.frames < self._limits.frames:
            return []
        ready, streak.waiting = streak.waiting, []
        return ready

    def _hit(self, role: Role, number: int, streak: _Streak, score: float, moment: Moment) -> Hit:
        threshold, last = self._context.thresholds[role], streak.last
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=self._context.grading.thread(moment, role, number),
            severity=Severity(max(min(streak.severity, Severity.MEDIUM) - 1, Severity.LOW)),
            weight=(last.box[3] - last.box[1]) / (1.0 + 10.0 * abs(score - threshold)),
            role=role,
            telling=partial(self._tell, role, number, last, streak.crossed, score),
        )

    def _tell(self, role: Role, number: int, last: Sighting, crossed: int, score: float) -> Telling:
        threshold, label = self._context.thresholds[role], self._context.vocabulary.name(last.classed)
        below = f", {crossed} × below it so far" if crossed else ""
        return Telling(
            f"the score of the {role} for a {label} (track {number}) stays near the threshold for {DURATION}: "
            f"{score:.2f} here, the threshold is {threshold:.2f}{below}",
            (FoundObject(label, last.box, number, score),),
            {"score": score, "threshold": threshold, "frames_below": float(crossed)},
        )
