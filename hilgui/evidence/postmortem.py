"""The draft of a post-mortem: everything that is known, and room for what only people know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hilgui.evidence.incidents import Incident, playbook
from hilgui.evidence.journal import Event, EventKind, Journal

_DAY_S = 86_400.0
_TO_WRITE = "_To be written by people: {}_"


def timeline(home: Path, incident: Incident) -> list[Event]:
    """Give the events of the journal that belong to an incident: its own, and those of its decision and runs."""
    runs = set(incident.runs)

    def belongs(event: Event) -> bool:
        facts = event.facts
        return (
            facts.get("incident") == incident.id
            or bool(incident.decision and facts.get("decision") == incident.decision)
            or facts.get("run_id") in runs
        )

    return [event for event in Journal(home).events() if belongs(event)]


def draft(home: Path, incident: Incident) -> str:
    """Write the draft in Markdown."""
    return "\n".join(_lines(home, incident)) + "\n"


def event_in_words(event: Event) -> str:
    """Say in one line what an event tells."""
    facts = event.facts
    match event.kind:
        case EventKind.INCIDENT:
            told = facts.get("state") or facts.get("title") or f"champion is {facts['move']['sha256'][:12]} again"
            note = f": {facts['note']}" if facts.get("note") else ""
            return f"incident {facts['action']} {told}{note}"
        case EventKind.RUN:
            return f"run {facts['run_id']} ended {facts['outcome']}"
        case EventKind.DECISION:
            return f"decision {facts['action']} {facts['decision']}"
        case EventKind.SIGN_OFF:
            return f"agreed to {facts['decision']}"
        case EventKind.ALIAS:
            return f"{facts['action']} {facts['slot']}: {facts['alias']} is {facts['sha256'][:12]}: {facts['reason']}"
        case EventKind.ARMING:
            return f"rig {facts['rig']}: {facts['state'].get('from')} → {facts['state'].get('to')}"
        case EventKind.EXPORT:
            name = facts.get("file") or facts.get("bundle")
            return f"wrote {name}" + (f", sha256 {facts['sha256'][:12]}" if facts.get("sha256") else "")
    return event.kind


def _lines(home: Path, incident: Incident) -> Iterator[str]:
    yield f"# {incident.id}: {_plain(incident.title)}"
    yield ""
    opened = f"opened {incident.opened} by {_plain(incident.by)}"
    yield f"Severity {incident.severity.value}, state {incident.state.value}, {opened}."
    yield "This is a draft: the facts are out of the journal, the rest is to be written."
    yield ""
    yield "## In one paragraph"
    yield ""
    yield _TO_WRITE.format("what happened, to whom it could have mattered, what was done.")
    yield ""
    yield "## Times"
    yield ""
    yield "| | took | limit |"
    yield "|---|---|---|"
    times = incident.times_s
    for name, words, limit in (
        ("detect", "to detect, from what happened until this was opened", ""),
        ("contain", "to contain, from opening", ""),
        ("contain_command", "the rollback command until the alias had moved", "5 s"),
        ("roll_back", "the rollback with hash check and golden clip", "60 s"),
    ):
        yield f"| {words} | {_time(times[name])} | {limit} |"
    for late in incident.late:
        yield f"\n**Limit not kept:** {late}."
    yield ""
    yield "## Timeline"
    yield ""
    yield "| when (UTC) | who | what |"
    yield "|---|---|---|"
    for event in timeline(home, incident):
        yield f"| {event.at[:23]} | {_plain(event.by)} | {_plain(event_in_words(event))} |"
    yield ""
    yield "## What it is about"
    yield ""
    if incident.decision:
        yield f"- decision {incident.decision}"
    yield from (f"- run {run}" for run in incident.runs)
    if incident.finding:
        yield f"- finding {incident.finding}"
    yield f"- playbook {Path(playbook(home, incident.trigger)[0]).name}"
    yield ""
    for title, question in (
        ("Cause", "why did it happen; why did nothing stop it before?"),
        ("What went well", "what noticed it, what kept it small?"),
        ("What changes", "each with an owner and a date; which drive or test shows it from now on?"),
    ):
        yield f"## {title}"
        yield ""
        yield _TO_WRITE.format(question)
        yield ""


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "not measured"
    return f"{seconds / 3600:.1f} h" if seconds > _DAY_S / 24 else f"{seconds:.2f} s"


def _plain(text: str) -> str:
    """Keep what people typed from being markup."""
    return "".join("\\" + letter if letter in "|<>`*_[]" else letter for letter in " ".join(text.split()))
