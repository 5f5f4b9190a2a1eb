"""`hilgui incident`: open, move, list, show, report, and the playbooks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hilgui.evidence import Incident, Incidents
    from hilgui.settings import Settings

incident_app = typer.Typer(help="Incidents: what went wrong, contained, diagnosed, rolled back.", rich_markup_mode=None)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_Incident = Annotated[str, typer.Argument(metavar="INCIDENT", help='Id of an incident, a part of it, or "last".')]
_Operator = Annotated[str | None, typer.Option(help="Who does this; default: the setting, or who is logged in.")]
_Severity = Annotated[str | None, typer.Option(help="S1, S2 or S3; unsure means the higher.")]


@incident_app.command("open")
def open_incident(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What happened, in a sentence.")],
    decision: Annotated[str, typer.Option(help="Recorded decision that shows it.")] = "",
    finding: Annotated[str, typer.Option(help="Finding that shows it: RUN#NUMBER.")] = "",
    runs: Annotated[list[str] | None, typer.Option("--run", help="Run that it is about; may be given again.")] = None,
    trigger: Annotated[
        str, typer.Option(help="actuation, evidence, regression, provider, data-gap or unsure; names the playbook.")
    ] = "",
    severity: _Severity = None,
    operator: _Operator = None,
    as_json: _Json = False,
) -> None:
    """Open an incident, from a finding, a failed gate or by hand; prints its playbook."""
    from hilgui.cli.console import print_json, results
    from hilgui.cli.recording import who
    from hilgui.evidence import Decisions, IncidentSeverity, Trigger, playbook, trigger_of

    incidents, settings = _open(operator)
    facts: dict[str, Any] = {"runs": [], "occurred": ""}
    kind = _choice(Trigger, trigger, "trigger") if trigger else Trigger.UNSURE
    if decision:
        recorded = Decisions(settings.home).find(decision)
        facts |= {"decision": recorded.id, "runs": list(recorded.runs), "occurred": recorded.plain["at"]}
        kind = kind if trigger else trigger_of(recorded.plain["decision"])
    if finding:
        run_id, number, occurred = _finding(finding, settings)
        facts |= {"finding": f"{run_id}#{number}", "runs": [*facts["runs"], run_id], "occurred": occurred}
        kind = kind if trigger else Trigger.REGRESSION
    facts["runs"] += [_run(one, settings) for one in runs or ()]
    opened = incidents.open(
        title,
        by=who(settings),
        trigger=kind,
        severity=None if severity is None else _choice(IncidentSeverity, severity.upper(), "severity"),
        **facts,
    )
    if as_json:
        print_json(opened.as_json())
        return
    results.print(f"{opened.id}  {opened.severity.value} {opened.state.value}", markup=False)
    place, text = playbook(settings.home, kind)
    results.print(f"\n{text}\n({place})", markup=False)


@incident_app.command("move")
def move_incident(
    incident: _Incident,
    state: Annotated[str, typer.Argument(metavar="STATE", help="contained, diagnosed, rolled_back, verified, closed.")],
    note: Annotated[str, typer.Option(help="What was done or found.")] = "",
    severity: _Severity = None,
    operator: _Operator = None,
    as_json: _Json = False,
) -> None:
    """Bring an incident on to another state."""
    from hilgui.cli.recording import who
    from hilgui.evidence import IncidentSeverity, IncidentState

    incidents, settings = _open(operator)
    moved = incidents.move(
        incident,
        _choice(IncidentState, state.upper().replace("-", "_"), "state"),
        by=who(settings),
        note=note,
        severity=None if severity is None else _choice(IncidentSeverity, severity.upper(), "severity"),
    )
    _show(moved, as_json=as_json)


@incident_app.command("list")
def list_incidents(
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False, as_json: _Json = False
) -> None:
    """List the incidents, open ones unless told otherwise; exit with 1 where an S1 is open."""
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import print_json, results
    from hilgui.evidence import IncidentSeverity

    found = [one for one in _open(None)[0].all() if everything or not one.is_closed]
    if as_json:
        print_json({"incidents": [one.as_json() for one in found]})
    elif not found:
        results.print("No incident is open.", markup=False)
    else:
        table = Table("incident", "severity", "state", "opened", "by", "what", box=None)
        for one in found:
            table.add_row(
                one.id, one.severity.value, one.state.value, one.opened[:16], *map(escape, (one.by, one.title))
            )
        results.print(table)
    if any(one.severity is IncidentSeverity.S1 and not one.is_closed for one in found):
        raise typer.Exit(1)


@incident_app.command("show")
def show_incident(incident: _Incident, as_json: _Json = False) -> None:
    """Show an incident with its times and its timeline."""
    from hilgui.cli.console import results
    from hilgui.evidence.postmortem import event_in_words, timeline

    incidents, settings = _open(None)
    found = incidents.find(incident)
    _show(found, as_json=as_json)
    if not as_json:
        for event in timeline(settings.home, found):
            results.print(f"  {event.at[:23]}  {event.by}: {event_in_words(event)}", markup=False)


@incident_app.command("report")
def report_incident(
    incident: _Incident, out: Annotated[Path | None, typer.Option(help="File to write; default: the terminal.")] = None
) -> None:
    """Write the draft of the post-mortem (Markdown), filled from the journal."""
    from hilgui.cli.console import results
    from hilgui.durable import write_whole
    from hilgui.errors import CallWrong
    from hilgui.evidence.postmortem import draft

    incidents, settings = _open(None)
    text = draft(settings.home, incidents.find(incident))
    if out is None:
        results.print(text, markup=False, end="")
        return
    try:
        write_whole(out, text.encode())
    except OSError as failure:
        raise CallWrong(f"{out} cannot be written: {failure.strerror or failure}; choose another --out") from failure
    results.print(str(out), markup=False)


@incident_app.command("playbook")
def show_playbook(
    trigger: Annotated[
        str, typer.Argument(metavar="TRIGGER", help="actuation, evidence, regression, provider, data-gap.")
    ],
    edit: Annotated[bool, typer.Option("--edit", help="Put a copy into HILGUI_HOME to be used from then on.")] = False,
) -> None:
    """Print a playbook, or make a copy that you may change."""
    from hilgui.cli.console import results
    from hilgui.evidence import Trigger, playbook

    _, settings = _open(None)
    place, text = playbook(settings.home, _choice(Trigger, trigger, "trigger"))
    if not edit:
        results.print(text, markup=False)
        return
    own = settings.home / "playbooks" / Path(place).name
    own.parent.mkdir(parents=True, exist_ok=True)
    if not own.exists():
        own.write_text(text, encoding="utf-8")
    results.print(str(own), markup=False)


def _open(operator: str | None) -> tuple[Incidents, Settings]:
    from hilgui.evidence import Incidents
    from hilgui.settings import load_settings

    settings = load_settings(operator=operator)
    return Incidents(settings.home), settings


def _show(incident: Incident, *, as_json: bool) -> None:
    from hilgui.cli.console import print_json, results

    if as_json:
        print_json(incident.as_json())
        return
    results.print(f"{incident.id}  {incident.severity.value} {incident.state.value}  {incident.title}", markup=False)
    for name, took in incident.times_s.items():
        if took is not None:
            results.print(f"  {name.replace('_', ' ')}: {took:.2f} s", markup=False)
    for late in incident.late:
        results.print(f"  late: {late}", markup=False)


def _choice(kind: Any, text: str, what: str) -> Any:
    from hilgui.errors import CallWrong

    if text not in set(kind):
        raise CallWrong(f"{text} is no {what}; there are {', '.join(kind)}")
    return kind(text)


def _run(text: str, settings: Settings) -> str:
    from contextlib import closing

    from hilgui.store import RunReader, find_run

    with closing(RunReader(find_run(text, settings.runs))) as reader:
        return reader.header.run_id


def _finding(text: str, settings: Settings) -> tuple[str, int, str]:
    """Give run, number and time of a finding; of a recording the time when it was replayed."""
    from contextlib import closing

    from hilgui.errors import CallWrong
    from hilgui.store import RunReader, find_run

    run, _, number = text.rpartition("#")
    if not number.isdigit() or not run:
        raise CallWrong(f"{text!r} names no finding; write RUN#NUMBER, as `hilgui findings` lists them")
    with closing(RunReader(find_run(run, settings.runs))) as reader:
        finding = next((one for one in reader.findings() if one.number == int(number)), None)
        if finding is None:
            raise CallWrong(f"{reader.header.run_id} has no finding {number}; `hilgui findings --run` lists them")
        moment = reader.moment(finding.worst_seq) if reader.header.source.live else None
        occurred = reader.header.created if moment is None else moment.ref.stamp.isoformat()
        return reader.header.run_id, finding.number, occurred
