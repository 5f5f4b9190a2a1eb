"""Identity switch: the tracks of two labelled objects are taken for one another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from hilgui.cornercases.labelled import Labelled
from hilgui.cornercases.protocol import RunContext
from hilgui.records import NO_TRACK, FoundObject, Hit, Kind, Moment, Role, Severity


class _Last(NamedTuple):
    number: int
    time_s: float


class IdentitySwitch:
    """Reports a labelled object that is matched by another object's track, or whose track goes to another object.

    Tracks are those of the bench, followed over the model's boxes, as models give none: that a track breaks and a new
    one begins is told by flicker and gaps. Asked is for objects with a track id in the labels that were matched within
    the last `within_s` seconds.
    """

    kind: ClassVar[Kind] = Kind.IDENTITY_SWITCH
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._within_s = context.limits.identity_switch.within_s
        self._last: dict[Role, dict[int, _Last]] = {role: {} for role in context.thresholds}
        self._owner: dict[Role, dict[int, int]] = {role: {} for role in context.thresholds}  # of each track, the label

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each object whose track is not the one of before, but one that somebody else had or has."""
        if moment.truth is None:
            return []
        asked = {one.row: one for one in self._context.labelling.at(moment) if one.track != NO_TRACK}
        hits: list[Hit] = []
        seen = self._context.following.at(moment)
        for role, comparison in moment.comparisons.items():
            last, owner, partners = self._last[role], self._owner[role], comparison.partner.tolist()
            shown = seen.get(role, {})
            matched = {
                number: one
                for number, sighting in shown.items()
                if sighting.row < len(partners) and (one := asked.get(partners[sighting.row])) is not None
            }
            for number, one in matched.items():
                before = last.get(one.track)
                last[one.track] = _Last(number, moment.ref.time_s)
                if before is None or before.number == number:
                    continue
                away_s = moment.ref.time_s - before.time_s
                is_swap = owner.get(number, one.track) != one.track or before.number in matched
                if is_swap and away_s <= self._within_s:
                    hits.append(self._hit(role, one, before.number, number, shown[number].score, away_s, moment))
            owner.update({number: one.track for number, one in matched.items()})
            for number in self._context.following.ended(role):
                owner.pop(number, None)
        return hits

    def _hit(
        self, role: Role, one: Labelled, before: int, now: int, score: float, away_s: float, moment: Moment
    ) -> Hit:
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=one.thread,
            severity=Severity.MEDIUM if one.is_critical else Severity.LOW,
            weight=one.height_px,
            why=f"{one.name} is track {now} of the {role} here and was track {before} {away_s:.2f} s ago: "
            "two objects are taken for one another",
            role=role,
            objects=(FoundObject(one.label, one.box, one.track, score, one.distance_m),),
            evidence={"track_before": float(before), "track": float(now), "away_s": away_s, "score": score},
        )
