"""The registry on the command line: `hilgui models` import, list, alias, golden, promote, rollback and more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.cli.models import models_app

if TYPE_CHECKING:
    from hilgui.models import Entry, Move

__all__ = ["models_app"]

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_Slot = Annotated[str, typer.Argument(metavar="SLOT", help="A job, such as front-detector.")]
_Model = Annotated[str, typer.Argument(metavar="MODEL", help="Name, hash or its beginning, or SLOT@ALIAS.")]
_Operator = Annotated[str | None, typer.Option(help="Who does this; default: the setting, or who is logged in.")]
_LIMIT_S = 60.0  # a rollback with its proof has to be done by then


@models_app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="ONNX file; its card and weights come along.")],
    name: Annotated[str, typer.Option(help="Name in the registry; default: that of the file.")] = "",
    made_from: Annotated[list[str] | None, typer.Option("--made-from", help="Model it was made from; again.")] = None,
    made_by: Annotated[str, typer.Option("--made-by", help="Command that made it, as it was typed.")] = "",
    notes: Annotated[str, typer.Option(help="Anything worth remembering.")] = "",
    operator: _Operator = None,
    as_json: _Json = False,
) -> None:
    """Copy a model into the registry, under the hash of its content, after it was tried in a limited process."""
    registry, by = _open(operator)
    entry = registry.shelf.put(file, name=name, by=by, command=made_by, made_from=tuple(made_from or ()), notes=notes)
    _print_entry(entry, as_json=as_json)


@models_app.command("list")
def list_models(as_json: _Json = False) -> None:
    """List the models of the registry and what the slots name."""
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import print_json, results
    from hilgui.models import Alias

    registry, _ = _open(None)
    entries = registry.shelf.entries()
    placed = [one for slot in registry.slots() for alias in Alias if (one := registry.placed(slot, alias))]
    if as_json:
        print_json({"models": [entry.as_json() for entry in entries], "aliases": [one.as_json() for one in placed]})
        return
    if not entries:
        results.print("The registry is empty; `hilgui models import FILE` brings a model in.", markup=False)
        return
    table = Table("model", "sha256", "task", "adapter", "imported", "in use as", box=None)
    for entry in entries:
        uses = ", ".join(f"{one.slot}@{one.alias}" for one in placed if one.sha256 == entry.sha256)
        when = f"{entry.lineage.at[:16]} by {entry.lineage.by}"
        table.add_row(escape(entry.name), entry.short, entry.task, entry.adapter, escape(when), uses)
    results.print(table)


@models_app.command("show")
def show_model(model: _Model, as_json: _Json = False) -> None:
    """Show a model of the registry: files, tensors, lineage; its bytes are compared with its hash."""
    registry, _ = _open(None)
    entry = registry.entry(model)
    registry.shelf.path(entry)
    _print_entry(entry, as_json=as_json)


@models_app.command("alias")
def set_alias(
    slot: _Slot,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="champion, candidate or last_good.")],
    model: _Model,
    reason: Annotated[str, typer.Option(help="Why.")] = "set by hand",
    operator: _Operator = None,
    as_json: _Json = False,
) -> None:
    """Let an alias of a slot name a model; a champion changes by promoting and rolling back only."""
    from hilgui.errors import CallWrong
    from hilgui.models import Alias

    if alias not in set(Alias):
        raise CallWrong(f"{alias} is no alias; there are {', '.join(Alias)}")
    registry, by = _open(operator)
    _print_move(registry.set(slot, Alias(alias), model, by=by, reason=reason), as_json=as_json)


@models_app.command("golden")
def set_golden(
    slot: _Slot, clip: Annotated[Path, typer.Argument(metavar="CLIP", help="Short recording that models answer.")]
) -> None:
    """Give a slot its golden clip; what its models say to it now is what they have to say later."""
    from hilgui.cli.console import results

    registry, _ = _open(None)
    registry.set_golden(slot, clip)
    results.print(f"{clip} is the golden clip of slot {slot}", markup=False)


@models_app.command("promote")
def promote_model(
    slot: _Slot,
    decision: Annotated[str, typer.Option(help='Recorded decision PROMOTE: its id, its beginning, or "last".')],
    reason: Annotated[str, typer.Option(help="Anything to add.")] = "",
    as_json: _Json = False,
) -> None:
    """Make the candidate champion, as a recorded and signed decision says about exactly these models."""
    from hilgui.evidence import Decisions, promote
    from hilgui.settings import load_settings

    recorded = Decisions(load_settings().home).find(decision)
    registry, _ = _open(None, decision=recorded.id)
    _print_move(promote(registry, slot, recorded, reason=reason), as_json=as_json)


@models_app.command("rollback")
def roll_back(
    slot: _Slot,
    reason: Annotated[str, typer.Option(help="Why; it goes into the journal.")],
    incident: Annotated[str, typer.Option(help="Incident that this contains: its id or its beginning.")] = "",
    operator: _Operator = None,
    as_json: _Json = False,
) -> None:
    """Bring the last good model back; one person is enough. The alias moves first, the proof follows."""
    from hilgui.cli.console import notes
    from hilgui.evidence import Incidents, containing
    from hilgui.settings import load_settings

    home = load_settings().home
    found = Incidents(home).find(incident).id if incident else ""
    registry, by = _open(operator, incident=found)
    with containing(home, found, registry, slot, by=by):
        move = registry.roll_back(slot, by=by, reason=reason)
    _print_move(move, as_json=as_json)
    if move.seconds > _LIMIT_S:
        notes.print(f"  that is more than {_LIMIT_S:.0f} s; take a shorter golden clip", markup=False)


@models_app.command("history")
def history(slot: _Slot, as_json: _Json = False) -> None:
    """Tell every move of a slot, in order."""
    from hilgui.cli.console import print_json, results

    registry, _ = _open(None)
    moves = registry.history(slot)
    if as_json:
        print_json({"slot": slot, "moves": moves})
        return
    for move in moves:
        by = ", ".join(move["by"])
        line = f"{move['at']}  {move['action']:<9} {move['alias']} → {move['sha256'][:12]}  by {by}: {move['reason']}"
        results.print(line, markup=False)


@models_app.command("follow")
def follow(
    slot: _Slot,
    alias: Annotated[str, typer.Option(help="champion, candidate or last_good.")] = "champion",
    once: Annotated[bool, typer.Option("--once", help="Print the model that is named now and end.")] = False,
    every_s: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks.")] = 1.0,
) -> None:
    """Print the file of the model an alias names, and again whenever it moves, as a runtime would follow it."""
    import time

    from hilgui.cli.console import results
    from hilgui.errors import CallWrong
    from hilgui.models import Alias, Follower

    if alias not in set(Alias):
        raise CallWrong(f"{alias} is no alias; there are {', '.join(Alias)}")
    registry, _ = _open(None)
    follower = Follower(registry, slot, Alias(alias))
    if once and registry.placed(slot, Alias(alias)) is None:
        raise CallWrong(f"slot {slot} has no {alias}")
    while True:
        path = follower.poll()
        if path is not None:
            results.print(str(path), markup=False)
        if once:
            return
        time.sleep(every_s)


def _open(operator: str | None, **more: str) -> Any:
    from hilgui.cli.recording import open_registry, who
    from hilgui.settings import load_settings

    settings = load_settings(operator=operator)
    return open_registry(settings, **more), who(settings)


def _print_entry(entry: Entry, *, as_json: bool) -> None:
    from hilgui.cli.console import print_json, results

    if as_json:
        print_json(entry.as_json())
        return
    lines = [
        f"{entry.name}  {entry.sha256}",
        f"  {entry.task}, read by {entry.adapter}, {entry.size:,} bytes, licence {entry.licence or 'not stated'}",
        *(f"  in  {one}" for one in entry.inputs),
        *(f"  out {one}" for one in entry.outputs),
        *(f"  file {name}  {digest}" for name, digest in sorted(entry.files.items())),
        f"  imported {entry.lineage.at} by {entry.lineage.by} from {entry.lineage.source}",
    ]
    if entry.lineage.command:
        lines.append(f"  made by: {entry.lineage.command}")
    lines += [f"  made from {one}" for one in entry.lineage.made_from]
    if entry.lineage.notes:
        lines.append(f"  {entry.lineage.notes}")
    for line in lines:
        results.print(line, markup=False)


def _print_move(move: Move, *, as_json: bool) -> None:
    from hilgui.cli.console import print_json, results

    if as_json:
        print_json(move.as_json())
        return
    before = f" (before: {move.before[:12]})" if move.before else ""
    checked = f"checked: {', '.join(move.checked)}; " if move.checked else ""
    results.print(
        f"{move.slot}: {move.alias} is {move.sha256[:12]}{before}, {checked}{move.seconds:.2f} s", markup=False
    )
