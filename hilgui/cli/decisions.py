"""`hilgui sign` and `hilgui decisions`: who agrees to a recorded decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hilgui.numerals import number_of

if TYPE_CHECKING:
    from hilgui.evidence import Recorded

decisions_app = typer.Typer(help="Recorded decisions and who agreed to them.", rich_markup_mode=None)

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_Decision = Annotated[str, typer.Argument(metavar="DECISION", help='Id of a decision, its beginning, or "last".')]


@decisions_app.command("list")
def list_decisions(as_json: _Json = False) -> None:
    """List the recorded decisions, the newest first; one that was edited ends the list with its name."""
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import print_json, results
    from hilgui.evidence import Decisions
    from hilgui.settings import load_settings

    found = Decisions(load_settings().home).all()
    if as_json:
        print_json({"decisions": [one.as_json() for one in found]})
        return
    if not found:
        results.print("No decision is recorded; `hilgui decide SPEC --runs …` records one.", markup=False)
        return
    table = Table("decision", "action", "stage", "agreed", "sentence", box=None)
    for one in found:
        agreed = f"{len(one.agreed)} of {one.people_needed}" if one.people_needed else "–"
        sentence = str(one.plain["decision"]["sentence"])
        table.add_row(one.id, one.action.value, one.plain["stage"], agreed, escape(sentence))
    results.print(table)


@decisions_app.command("show")
def show_decision(decision: _Decision, as_json: _Json = False) -> None:
    """Show one decision: what, about which models and runs, who agreed."""
    from hilgui.cli.console import print_json
    from hilgui.evidence import Decisions
    from hilgui.settings import load_settings

    found = Decisions(load_settings().home).find(decision)
    if as_json:
        print_json(found.as_json())
    else:
        _print(found)


def sign(
    decision: _Decision,
    key: Annotated[str, typer.Option(help="Name of your key; its passphrase is asked for.")],
    as_json: _Json = False,
) -> None:
    """Agree to a decision with your key."""
    from hilgui.cli.console import print_json
    from hilgui.cli.passphrase import unlock
    from hilgui.evidence import Decisions, KeyRing
    from hilgui.settings import load_settings

    home = load_settings().home
    decisions = Decisions(home)
    found = decisions.find(decision)
    if not as_json:
        _print(found)
    signed = decisions.sign(found, unlock(KeyRing(home), key))
    if as_json:
        print_json(signed.as_json())
    else:
        _print_agreed(signed)


def _print(one: Recorded) -> None:
    from hilgui.cli.console import results

    decision = one.plain["decision"]
    results.print(f"{one.id}\n{one.action.value}  {decision['sentence']}", markup=False)
    for reason in decision["reasons"][1:]:  # the sentence tells the first
        results.print(f"  · {reason}", markup=False)
    for role, model in sorted(one.models.items()):
        results.print(f"  {role} {model}", markup=False)
    for looser in one.plain["loosened"]:
        results.print(f"  looser than {one.plain['previous']}: {looser}", markup=False)
    results.print(f"  {number_of(len(one.runs), 'run')}, recorded {one.plain['at']} by {one.plain['by']}", markup=False)
    _print_agreed(one)


def _print_agreed(one: Recorded) -> None:
    from hilgui.cli.console import results

    if not one.people_needed:
        results.print("  takes nobody's agreement", markup=False)
        return
    have = ", ".join(one.agreed) or "nobody yet"
    results.print(f"  agreed: {have} ({len(one.agreed)} of {one.people_needed})", markup=False)
