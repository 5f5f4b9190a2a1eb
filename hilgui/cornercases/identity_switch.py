"""Identity switch: the tracks of two labelled objects are taken for one another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from hilgui.cornercases.labelled import Labelled
from hilgui.cornercases.protocol import RunContext
from hilgui.records import NO_TRACK, FoundObject, Hit, Kind, Moment, Role, Severity


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
        self._last: dict[Role, dict[int, tuple[int, float]]] = {role: {} for role in context.thresholds}  # track, time
        self._owner: dict[Role, dict[int, int]] = {role: {} for role in context.thresholds}  # of each track, the label

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each object whose track is not the one of before, but one that somebody else had or has."""
        if moment.truth is None:
            return []
        asked = self._context.labelling.at(moment)
        tracks = moment.truth.tracks.tolist()
        places = {row: place for place, row in enumerate(asked.rows) if tracks[row] != NO_TRACK}
        hits: list[Hit] = []
        now_s = moment.ref.time_s
        for role in moment.comparisons:
            last, owner = self._last[role], self._owner[role]
            matched = {
                number: row for number, row in self._context.following.matched(moment, role).items() if row in places
            }
            for number, row in matched.items():
                track = tracks[row]
                before, since_s = last.get(track, (number, now_s))
                last[track] = number, now_s
                if before == number:
                    continue
                is_swap = owner.get(number, track) != track or before in matched
                if is_swap and now_s - since_s <= self._within_s:
                    one, score = asked[places[row]], self._context.following.at(moment)[role][number].score
                    hits.append(self._hit(role, one, before, number, score, now_s - since_s, moment))
            owner.update({number: tracks[row] for number, row in matched.items()})
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
