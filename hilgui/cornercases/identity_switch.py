"""Identity switch: the track of one labelled object changes."""

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
    """Reports a labelled object that is matched by another track than when it was last matched.

    Tracks are those of the bench, followed over the model's boxes, as models give none. Asked is for objects with a
    track id in the labels that were matched within the last `within_s` seconds.
    """

    kind: ClassVar[Kind] = Kind.IDENTITY_SWITCH
    needs_time: ClassVar[bool] = True
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._within_s = context.limits.identity_switch.within_s
        self._last: dict[Role, dict[int, _Last]] = {role: {} for role in context.thresholds}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each object whose track is not the one of before."""
        if moment.truth is None:
            return []
        asked = {one.row: one for one in self._context.labelling.at(moment) if one.track != NO_TRACK}
        hits: list[Hit] = []
        seen = self._context.following.at(moment)
        for role, comparison in moment.comparisons.items():
            last, partners = self._last[role], comparison.partner.tolist()
            for number, sighting in seen.get(role, {}).items():
                one = asked.get(partners[sighting.row]) if sighting.row < len(partners) else None
                if one is None:
                    continue
                before = last.get(one.track)
                last[one.track] = _Last(number, moment.ref.time_s)
                if before is not None and before.number != number:
                    away_s = moment.ref.time_s - before.time_s
                    if away_s <= self._within_s:
                        hits.append(self._hit(role, one, before.number, number, sighting.score, away_s, moment))
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
            why=f"{one.name} is track {now} of the {role} here and was track {before} {away_s:.2f} s ago",
            role=role,
            objects=(FoundObject(one.label, one.box, one.track, score, one.distance_m),),
            evidence={"track_before": float(before), "track": float(now), "away_s": away_s, "score": score},
        )
