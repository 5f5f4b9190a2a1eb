"""`hilgui triage`: decide about findings, take it back, see who decided what."""

from __future__ import annotations

import getpass
import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from hilgui.errors import CallWrong

if TYPE_CHECKING:
    from hilgui.records.triage import Triage, TriageChange
    from hilgui.triage import Journal

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
_RunText = Annotated[str, typer.Argument(metavar="RUN", help='Run folder, its id or the beginning of it, or "last".')]
_MOST = 100_000


class _RunFirst(TyperGroup):
    """Takes `triage RUN N --state S` for `triage set RUN N --state S`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # click's own
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["set", *args]
        return super().parse_args(ctx, args)


triage_app = typer.Typer(
    cls=_RunFirst,
    help="Decide about findings: hilgui triage RUN N --state label_error --note … (the same as triage set).",
    rich_markup_mode=None,
)


@triage_app.callback()
def triage() -> None:
    """Decide about findings; every decision is kept with who and when."""


@triage_app.command("set")
def set_state(
    run: _RunText,
    numbers: Annotated[list[str], typer.Argument(metavar="N...", help="Numbers of findings: 3 5-9 12,14.")],
    state: Annotated[
        str | None,
        typer.Option(
            help="open, model_fault, label_error, rig_or_timing_fault, unlabelled_object, accepted or duplicate."
        ),
    ] = None,
    note: Annotated[str | None, typer.Option(help="A sentence for the next person; replaces the note.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Add a tag; may be given again.")] = None,
    untag: Annotated[list[str] | None, typer.Option(help="Take a tag away; may be given again.")] = None,
    assignee: Annotated[str | None, typer.Option(help='Who shall look at it; "" for nobody.')] = None,
    who: Annotated[str | None, typer.Option(help="Who decides; default: the operator of the settings.")] = None,
    as_json: _Json = False,
) -> None:
    """Decide about one or several findings of a run."""
    from hilgui.cli.console import print_json, results
    from hilgui.records.triage import Triage
    from hilgui.triage.journal import change_json, state_named

    if state is None and note is None and assignee is None and not tag and not untag:
        raise CallWrong("nothing is decided; give --state, --note, --tag, --untag or --assignee")
    chosen = parse_numbers(numbers)
    wanted = None if state is None else state_named(state)
    folder, journal = _journal(run)
    _check_numbers(folder, chosen)
    standing = journal.states() if tag or untag else {}
    by_tags: dict[tuple[str, ...] | None, list[int]] = {}
    for number in chosen:
        tags = None
        if tag or untag:
            before = set(standing.get(number, Triage()).tags)
            tags = tuple(sorted((before | {t.strip().lower() for t in tag or ()}) - {t.lower() for t in untag or ()}))
        by_tags.setdefault(tags, []).append(number)
    made = [
        journal.change(group, who=who or _operator(), state=wanted, note=note, tags=tags, assignee=assignee)
        for tags, group in by_tags.items()
    ]
    _keep_up(folder)
    after = journal.states()
    if as_json:
        told = {str(number): _plain(after.get(number, Triage())) for number in chosen}
        print_json({"run": str(folder), "changes": [change_json(each) for each in made], "findings": told})
        return
    for number in chosen:
        results.print(f"finding {number}: {_in_words(after.get(number, Triage()))}", markup=False)


@triage_app.command()
def undo(
    run: _RunText,
    number: Annotated[int | None, typer.Argument(metavar="[N]", help="Only of this finding.")] = None,
    who: Annotated[str | None, typer.Option(help="Who takes it back.")] = None,
    as_json: _Json = False,
) -> None:
    """Take back the newest decision; the history keeps both."""
    from hilgui.cli.console import print_json, results
    from hilgui.records.triage import Triage
    from hilgui.triage.journal import change_json

    folder, journal = _journal(run)
    made = journal.undo(who=who or _operator(), number=number)
    if made is None:
        raise CallWrong("there is nothing to take back" + ("" if number is None else f" of finding {number}"))
    _keep_up(folder)
    after = journal.states()
    if as_json:
        told = {str(each): _plain(after.get(each, Triage())) for each in made.findings}
        print_json({"run": str(folder), "changes": [change_json(made)], "findings": told})
        return
    for each in made.findings:
        results.print(f"finding {each}: {_in_words(after.get(each, Triage()))} again", markup=False)


@triage_app.command()
def history(
    run: _RunText,
    number: Annotated[int | None, typer.Argument(metavar="[N]", help="Only of this finding.")] = None,
    as_json: _Json = False,
) -> None:
    """Show who decided what, and when."""
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import print_json, results
    from hilgui.triage.journal import change_json

    folder, journal = _journal(run)
    changes = journal.history(number)
    if as_json:
        print_json({"run": str(folder), "changes": [change_json(change) for change in changes]})
        return
    if not changes:
        results.print("Nobody has decided anything yet.")
        return
    table = Table("when (UTC)", "who", "findings", "what", box=None)
    for change in changes:
        plain = change_json(change)
        what = "; ".join(f"{name}: {plain[name]}" for name in ("state", "note", "tags", "assignee") if name in plain)
        if change.undoes:
            what = f"takes back the decision of {_when_of(change.undoes, changes)}"
        numbers = ", ".join(map(str, change.findings[:8])) + (" …" if len(change.findings) > 8 else "")
        table.add_row(change.when[:19].replace("T", " "), escape(change.who), numbers, escape(what))
    results.print(table)


def parse_numbers(words: list[str]) -> list[int]:
    """Read "3 5-9 12,14"; raises CallWrong."""
    found: set[int] = set()
    for word in ",".join(words).split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?\s*", word)
        if match is None:
            raise CallWrong(f"{word!r} is no number of a finding; give numbers such as 3 5-9 12,14")
        first, last = int(match[1]), int(match[2] or match[1])
        if last - first > _MOST:
            raise CallWrong(f"{word} are more than {_MOST} findings")
        found.update(range(first, last + 1))
    return sorted(found)


def _keep_up(folder: Path) -> None:
    """Take the decision into the journal of the bench as well."""
    from hilgui.cli.console import notes
    from hilgui.evidence import Intake, keep_up
    from hilgui.settings import load_settings

    for sentence in keep_up(Intake(load_settings().home), [folder]):
        notes.print(sentence, markup=False)


def _journal(run: str) -> tuple[Path, Journal]:
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run
    from hilgui.triage import Journal

    settings = load_settings()
    folder = find_run(run, settings.runs)
    with closing(RunReader(folder)) as reader:
        return folder, Journal(folder, settings.home, run_id=reader.header.run_id)


def _check_numbers(folder: Path, chosen: list[int]) -> None:
    from hilgui.store import RunReader

    with closing(RunReader(folder)) as reader:
        known = {finding.number for finding in reader.findings()}
    strange = [number for number in chosen if number not in known]
    if strange:
        has = f"1 to {max(known)}" if known else "none"
        raise CallWrong(f"{folder.name} has no finding {strange[0]} (it has {has}); `hilgui findings` lists them")


def _operator() -> str:
    from hilgui.settings import load_settings

    try:
        return load_settings().operator or getpass.getuser()
    except (KeyError, OSError):  # a container without user names
        return "unknown"


def _plain(triage: Triage) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(triage)


def _in_words(triage: Triage) -> str:
    parts = [triage.state.value]
    parts += [f"#{tag}" for tag in triage.tags]
    parts += [f"for {triage.assignee}"] if triage.assignee else []
    parts += [f"“{triage.note}”"] if triage.note else []
    return " · ".join(parts)


def _when_of(change_id: str, changes: list[TriageChange]) -> str:
    return next((change.when[:19].replace("T", " ") for change in changes if change.id == change_id), change_id)
