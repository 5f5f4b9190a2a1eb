"""Short-lived: a model shows an object for a moment only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.boxes import touches_border
from hilgui.cornercases.following import Sighting
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import FoundObject, Hit, Kind, Moment, Role, Severity

_Seen = list[tuple[int, Sighting, Severity]]  # sequence number, what was seen, and how much it matters


class ShortLived:
    """Reports a track that was seen in fewer than `frames` frames and never came back.

    One that touches the border of the picture comes or goes by right, and so does one that was seen in the first
    frames of the drive. One whose best score is less than `margin` above the threshold is left to `borderline`.
    Needs no truth; the hits come when the track has ended.
    """

    kind: ClassVar[Kind] = Kind.SHORT_LIVED
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.short_lived
        self._young: dict[Role, dict[int, _Seen]] = {role: {} for role in context.thresholds}
        self._looked = dict.fromkeys(context.thresholds, 0)  # frames of each model

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give the hits of the tracks that ended with this frame, on the frames in which they were seen."""
        hits: list[Hit] = []
        following = self._context.following
        for role, present in following.at(moment).items():
            self._looked[role] += 1
            young, grades = self._young[role], self._context.grading.shown(moment, role)
            for number in following.ended(role):
                seen = young.pop(number, [])
                if 0 < len(seen) < self._limits.frames and self._is_clear(role, seen):
                    hits += [self._hit(role, number, *each, len(seen)) for each in seen]
            for number, sighting in present.items():
                if self._looked[role] <= self._limits.frames:
                    young[number] = []  # nobody knows how long it was there before
                elif number not in young or 0 < len(young[number]) < self._limits.frames:
                    border = touches_border(sighting.box, moment.ref.width, moment.ref.height)
                    one = (moment.ref.seq, sighting, grades[number].severity)
                    young[number] = [] if border else [*young.get(number, ()), one]
        return hits

    def _is_clear(self, role: Role, seen: _Seen) -> bool:
        best = max(sighting.score for _, sighting, _ in seen)
        return best >= self._context.thresholds[role] + max(self._limits.margin, self._context.noise.score)

    def _hit(self, role: Role, number: int, seq: int, sighting: Sighting, severity: Severity, frames: int) -> Hit:
        label, height_px = self._context.vocabulary.name(sighting.classed), sighting.box[3] - sighting.box[1]
        return Hit(
            kind=self.kind,
            seq=seq,
            thread=f"track {number}",
            severity=Severity(max(min(severity, Severity.MEDIUM) - 1, Severity.LOW)),  # gone before anything can act
            weight=sighting.score,
            why=f"the {role} shows a {label} for {DURATION} only, with score {sighting.score:.2f} at its best",
            role=role,
            objects=(FoundObject(label, sighting.box, number, sighting.score),),
            evidence={"score": sighting.score, "height_px": height_px, "frames": float(frames)},
        )
