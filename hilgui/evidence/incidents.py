"""Incidents: OPEN → CONTAINED → DIAGNOSED → ROLLED_BACK → VERIFIED → CLOSED, kept as events of the journal."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence.journal import Event, EventKind, Journal
from hilgui.records import Action, GateVerdict
from hilgui.records.decision import RAN_ON
from hilgui.resources import shipped


class IncidentState(StrEnum):
    """How far it is; it only goes on."""

    OPEN = "OPEN"
    CONTAINED = "CONTAINED"
    DIAGNOSED = "DIAGNOSED"
    ROLLED_BACK = "ROLLED_BACK"
    VERIFIED = "VERIFIED"
    CLOSED = "CLOSED"


class IncidentSeverity(StrEnum):
    """S1: actuation in shadow, missed stop, evidence that fails. S2: a safety class, the provider. S3: missing data."""

    S1 = "S1"
    S2 = "S2"
    S3 = "S3"


class Trigger(StrEnum):
    """What an incident is about; names its playbook."""

    ACTUATION = "actuation"
    EVIDENCE = "evidence"
    REGRESSION = "regression"
    PROVIDER = "provider"
    DATA_GAP = "data-gap"
    UNSURE = "unsure"


_SHADOW = "actuations_in_shadow"
_ORDER = list(IncidentState)
_SEVERITIES = {
    Trigger.ACTUATION: IncidentSeverity.S1,
    Trigger.EVIDENCE: IncidentSeverity.S1,
    Trigger.REGRESSION: IncidentSeverity.S2,
    Trigger.PROVIDER: IncidentSeverity.S2,
    Trigger.DATA_GAP: IncidentSeverity.S3,
    Trigger.UNSURE: IncidentSeverity.S1,  # unsure means the higher severity
}
_CONTAIN_S, _ROLL_BACK_S = 5.0, 60.0


@dataclass(frozen=True, slots=True)
class Incident:
    """Where an incident stands, worked out from its events."""

    id: str
    title: str
    trigger: Trigger
    severity: IncidentSeverity
    state: IncidentState
    occurred: str  # ISO 8601, UTC: when it happened, as far as it is known
    opened: str
    by: str
    decision: str = ""
    runs: tuple[str, ...] = ()
    finding: str = ""  # RUN#NUMBER
    reached: dict[str, str] = field(default_factory=dict)  # state → when
    moves: tuple[dict[str, Any], ...] = ()  # of an alias, because of it
    notes: tuple[tuple[str, str, str], ...] = ()  # when, who, what

    @property
    def is_closed(self) -> bool:
        """Say whether it is over."""
        return self.state is IncidentState.CLOSED

    @property
    def times_s(self) -> dict[str, float | None]:
        """Give seconds to detect (from what happened), to contain (from opening), and of the rollback alone.

        `contain_command` is the part of a rollback until the alias had moved, without the proof.
        """
        contained = self.reached.get(IncidentState.CONTAINED.value)
        move = self.moves[0] if self.moves else None
        return {
            "detect": _between(self.occurred, self.opened),
            "contain": None if contained is None else _between(self.opened, contained),
            "contain_command": None if move is None else move["moved_after_s"],
            "roll_back": None if move is None else move["seconds"],
        }

    @property
    def late(self) -> tuple[str, ...]:
        """Say which of the limits were not kept."""
        times = self.times_s
        said = []
        for name, limit_s in (("contain_command", _CONTAIN_S), ("roll_back", _ROLL_BACK_S)):
            took = times[name]
            if took is not None and took > limit_s:
                said.append(f"{name.replace('_', ' ')} took {took:.1f} s, the limit is {limit_s:.0f} s")
        return tuple(said)

    def as_json(self) -> dict[str, Any]:
        """Give plain values."""
        return {
            "schema": "hilgui/incident.v1",
            "id": self.id,
            "title": self.title,
            "trigger": self.trigger.value,
            "severity": self.severity.value,
            "state": self.state.value,
            "occurred": self.occurred,
            "opened": self.opened,
            "by": self.by,
            "decision": self.decision,
            "runs": list(self.runs),
            "finding": self.finding,
            "reached": self.reached,
            "moves": list(self.moves),
            "notes": [list(note) for note in self.notes],
            "times_s": self.times_s,
            "late": list(self.late),
        }


class Incidents:
    """The incidents of a home; raises EvidenceBroken where the journal refuses."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._journal = Journal(home)

    def open(
        self,
        title: str,
        *,
        by: str,
        trigger: Trigger = Trigger.UNSURE,
        severity: IncidentSeverity | None = None,
        occurred: str = "",
        decision: str = "",
        runs: Iterable[str] = (),
        finding: str = "",
        now: datetime | None = None,
    ) -> Incident:
        """Open an incident; its severity follows from the trigger where nobody gives one."""
        at = (now or datetime.now(UTC)).astimezone(UTC)
        number = f"inc-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        facts = {
            "incident": number,
            "action": "opened",
            "title": title,
            "trigger": trigger.value,
            "severity": (severity or severity_of(trigger)).value,
            "occurred": occurred or at.isoformat(timespec="milliseconds"),
            "decision": decision,
            "runs": sorted(set(runs)),
            "finding": finding,
        }
        self._journal.append(EventKind.INCIDENT, facts, by=by, now=now)
        return self.find(number)

    def move(
        self,
        wanted: str,
        state: IncidentState,
        *,
        by: str,
        note: str = "",
        severity: IncidentSeverity | None = None,
        now: datetime | None = None,
    ) -> Incident:
        """Bring an incident on; raises CallWrong for a step back, and for one that leaves states out without a note."""
        incident = self.find(wanted)
        was, goes = _ORDER.index(incident.state), _ORDER.index(state)
        if goes < was or (goes == was and severity is None and not note):
            raise CallWrong(f"{incident.id} is {incident.state.value} already; it goes on to {_after(incident.state)}")
        left_out = [one.value for one in _ORDER[was + 1 : goes]]
        if IncidentState.ROLLED_BACK.value in (*left_out, state.value) and incident.moves:
            left_out = [one for one in left_out if one != IncidentState.ROLLED_BACK.value]
        elif state is IncidentState.ROLLED_BACK and not note:
            raise CallWrong(
                f"no alias moved because of {incident.id}; `hilgui models rollback SLOT --incident {incident.id}` does "
                "that, or say with --note why there is nothing to roll back"
            )
        if left_out and not note:
            raise CallWrong(f"that leaves out {', '.join(left_out)}; say with --note why")
        if severity is not None and severity.value > incident.severity.value and not note:
            raise CallWrong(f"{severity.value} is less than {incident.severity.value}; say with --note why")
        facts = {"incident": incident.id, "action": "moved", "state": state.value, "note": note}
        if severity is not None:
            facts["severity"] = severity.value
        self._journal.append(EventKind.INCIDENT, facts, by=by, now=now)
        return self.find(incident.id)

    def rolled_back(self, wanted: str, move: dict[str, Any], *, moved_after_s: float) -> Incident:
        """Note that an alias moved because of an incident: it is contained; rolled back too where it was diagnosed.

        `move` is what the history of the slot tells, `moved_after_s` how long the command took until the alias had
        moved, without the proof.
        """
        incident = self.find(wanted)
        facts = {
            "incident": incident.id,
            "action": "rolled_back",
            "move": {**move, "moved_after_s": round(moved_after_s, 3)},
        }
        self._journal.append(EventKind.INCIDENT, facts, by=", ".join(move["by"]))
        return self.find(incident.id)

    def all(self) -> list[Incident]:
        """Give every incident, the newest first."""
        found: dict[str, Incident] = {}
        for event in self._journal.events(EventKind.INCIDENT):
            try:
                _fold(found, event)
            except (KeyError, TypeError, ValueError) as failure:
                raise EvidenceBroken(
                    f"event {event.seq} of the journal is no incident: {failure!r}; see `hilgui evidence journal`"
                ) from failure
        return sorted(found.values(), key=lambda one: one.opened, reverse=True)

    def find(self, wanted: str) -> Incident:
        """Find an incident by its id, its beginning, or "last"; raises CallWrong."""
        incidents = self.all()
        fitting = incidents[:1] if wanted == "last" else [one for one in incidents if wanted and wanted in one.id]
        if len(fitting) != 1:
            what = f"{wanted!r} fits {len(fitting)} incidents" if fitting else f"there is no incident {wanted!r}"
            raise CallWrong(f"{what}; `hilgui incident list` shows them")
        return fitting[0]

    def about(self, decision: str, runs: Iterable[str]) -> list[Incident]:
        """Give the incidents that name a decision or one of its runs, the oldest first."""
        mine = set(runs)
        return [one for one in reversed(self.all()) if one.decision == decision or mine & set(one.runs)]


def trigger_of(decision: Mapping[str, Any]) -> Trigger:
    """Say what an incident about a decision (`hilgui/decision.v1`) is about; the graver of what fits."""
    failed = [one for one in decision["invariants"] if one["holds"] is False]
    if any(one["metric"] == _SHADOW for one in failed):
        return Trigger.ACTUATION
    worse = [one for one in decision["gates"] if one["verdict"] in (GateVerdict.HARM, GateVerdict.WORSE)]
    if decision["action"] != Action.INCONCLUSIVE or failed or worse:
        return Trigger.REGRESSION
    is_elsewhere = any(sentence.startswith(RAN_ON) for sentence in decision["integrity"])
    return Trigger.PROVIDER if is_elsewhere else Trigger.DATA_GAP


def severity_of(trigger: Trigger) -> IncidentSeverity:
    """Give the severity that follows from a trigger; unsure means the higher one."""
    return _SEVERITIES[trigger]


def playbook(home: Path, trigger: Trigger) -> tuple[str, str]:
    """Give path and text of a playbook: the copy in the home where somebody edited one, else the shipped one."""
    name = f"{(Trigger.REGRESSION if trigger is Trigger.UNSURE else trigger).value}.md"
    own = home / "playbooks" / name
    place = own if own.is_file() else shipped(f"assets/playbooks/{name}")
    try:
        return str(place), place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise EvidenceBroken(f"the playbook {place} cannot be read: {failure}", path=place) from failure


def _fold(found: dict[str, Incident], event: Event) -> None:
    facts = event.facts
    name = facts["incident"]
    if facts["action"] == "opened":
        found[name] = Incident(
            id=name,
            title=facts["title"],
            trigger=Trigger(facts["trigger"]),
            severity=IncidentSeverity(facts["severity"]),
            state=IncidentState.OPEN,
            occurred=facts["occurred"],
            opened=event.at,
            by=event.by,
            decision=facts["decision"],
            runs=tuple(facts["runs"]),
            finding=facts["finding"],
            reached={IncidentState.OPEN.value: event.at},
        )
        return
    incident = found[name]
    when = event.at
    if facts["action"] == "rolled_back":
        state = incident.state
        when = facts["move"].get("at", event.at)  # the alias moved before it was proven and told
        if state is IncidentState.OPEN:
            state = IncidentState.CONTAINED
        elif state is IncidentState.DIAGNOSED:
            state = IncidentState.ROLLED_BACK
        incident = replace(incident, moves=(*incident.moves, facts["move"]))
        said = f"rolled back {facts['move']['slot']} to {facts['move']['sha256'][:12]}"
    else:
        state, said = IncidentState(facts["state"]), facts["note"]
    found[name] = replace(
        incident,
        state=state,
        severity=IncidentSeverity(facts.get("severity", incident.severity)),
        reached={state.value: when, **incident.reached},
        notes=(*incident.notes, (event.at, event.by, said)) if said else incident.notes,
    )


def _after(state: IncidentState) -> str:
    place = _ORDER.index(state) + 1
    return _ORDER[place].value if place < len(_ORDER) else "nothing: it is over"


def _between(first: str, last: str) -> float | None:
    try:
        return round(max(0.0, (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds()), 3)
    except (ValueError, TypeError):
        return None
