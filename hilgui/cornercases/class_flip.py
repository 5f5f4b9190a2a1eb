"""Class flip: a model calls an object something else than it usually does."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.boxes import strongest_near
from hilgui.cornercases.criticality import is_vulnerable
from hilgui.cornercases.following import Sighting
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import FoundObject, Hit, Kind, Moment, Role, Severity

LEAST_FRAMES = 3  # before there is anything usual


class ClassFlip:
    """Reports a track whose class differs from the most frequent one of its last `window` frames, `frames` in a row.

    Frames in which the track is not seen do not count. A class that is as frequent as the first is no flip; one that
    stays becomes the usual one, and the flip is over.
    """

    kind: ClassVar[Kind] = Kind.CLASS_FLIP
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.class_flip
        self._pasts: dict[Role, dict[int, deque[int]]] = {role: {} for role in context.thresholds}
        self._waiting: dict[Role, dict[int, list[Hit]]] = {role: {} for role in context.thresholds}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each track that is called differently in this frame."""
        hits: list[Hit] = []
        following = self._context.following
        for role, present in following.at(moment).items():
            pasts, before, today = self._pasts[role], self._waiting[role], {}
            for number, sighting in present.items():
                past = pasts.get(number)
                if past is None:
                    past = pasts[number] = deque(maxlen=self._limits.window)
                elif len(past) >= LEAST_FRAMES and (share := past.count(sighting.classed)) < len(past):
                    usual, frequency = Counter(past).most_common(1)[0]
                    is_tall = sighting.box[3] - sighting.box[1] >= self._limits.min_height_px
                    if share < frequency and is_tall and not self._is_noise(role, sighting, usual, moment):
                        hit = self._hit(role, number, sighting, usual, frequency / len(past), moment)
                        waiting = today[number] = [*before.get(number, ()), hit]
                        if len(waiting) >= self._limits.frames:
                            hits += waiting[-1:] if len(waiting) > self._limits.frames else waiting
                past.append(sighting.classed)
            for number in following.ended(role):
                pasts.pop(number, None)
            self._waiting[role] = today
        return hits

    def _is_noise(self, role: Role, sighting: Sighting, usual: int, moment: Moment) -> bool:
        """Say whether the usual class has so nearly the same score there that another replay might show it."""
        if not self._context.noise.score:
            return False
        score, _ = strongest_near(moment.inferences[role].detections, sighting.box, usual)
        return score > 0.0 and self._context.noise.blurs(sighting.score, score)

    def _hit(self, role: Role, number: int, sighting: Sighting, usual: int, share: float, moment: Moment) -> Hit:
        limits, names = self._context.limits.criticality, self._context.vocabulary
        label, before = names.name(sighting.classed), names.name(usual)
        matters = is_vulnerable(label, limits) != is_vulnerable(before, limits)
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=self._context.grading.thread(moment, role, number),
            severity=Severity.MEDIUM if matters else Severity.LOW,
            weight=sighting.score,
            why=f"track {number}, usually {before}, is {label} with score {sighting.score:.2f} for the {role} "
            f"for {DURATION}",
            role=role,
            objects=(FoundObject(label, sighting.box, number, sighting.score),),
            evidence={"score": sighting.score, "usual_share": share},
        )
