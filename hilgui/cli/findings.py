"""`hilgui findings`: the corner cases of one run, of several, or of all, filtered as on the Findings page."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.errors import CallWrong
from hilgui.numerals import number_of

if TYPE_CHECKING:
    from hilgui.triage import FindingRow, Query

_SHOWN = 40


def findings(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help='Run folders, ids, "last", or "all".')],
    kind: Annotated[list[str] | None, typer.Option(help="Only this kind, such as missed_object.")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="low, medium or high.")] = None,
    min_severity: Annotated[str | None, typer.Option(help="This severity or a higher one.")] = None,
    label: Annotated[list[str] | None, typer.Option("--class", help="Class of the object.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="baseline or candidate.")] = None,
    drive: Annotated[list[str] | None, typer.Option(help="Name of a recording.")] = None,
    condition: Annotated[
        list[str] | None, typer.Option("--condition", "--slice", help="Condition of the drive, such as weather=rain.")
    ] = None,
    state: Annotated[list[str] | None, typer.Option(help="State of triage, such as open or label_error.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag.")] = None,
    assignee: Annotated[list[str] | None, typer.Option(help="Given to this person.")] = None,
    suspect: Annotated[list[str] | None, typer.Option(help="model, label, rig or timing.")] = None,
    suspect_model: Annotated[
        list[str] | None, typer.Option(help="baseline or candidate: findings that point at this model.")
    ] = None,
    level: Annotated[list[str] | None, typer.Option(help="Corner-case level: object, scene, …")] = None,
    text: Annotated[str, typer.Option(help="Words that must occur in the sentence, a name, a tag or the note.")] = "",
    nearer: Annotated[float | None, typer.Option(min=0, help="Objects nearer than so many metres.")] = None,
    like: Annotated[str | None, typer.Option(help="Picture hash (16 hex digits): pictures that look alike.")] = None,
    similar_to: Annotated[
        int | None, typer.Option(min=1, help="Number of a finding of the first run: pictures that look like its own.")
    ] = None,
    told: Annotated[
        bool, typer.Option("--stories", help="Tell near-identical findings as one: 200 findings in a few lines.")
    ] = False,
    order: Annotated[str, typer.Option(help="badness, severity, kind, class, time, frames, state, distance, …")] = (
        "badness"
    ),
    descending: Annotated[bool, typer.Option("--descending", help="Turn the order round.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the list to this file, .csv or .jsonl, with state, tags and notes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """List corner cases with what people made of them, the worst first."""
    from contextlib import closing
    from dataclasses import replace

    from hilgui.records import Kind, Level, Role, Suspect
    from hilgui.settings import load_settings
    from hilgui.store import find_run, run_folders
    from hilgui.triage import FindingsIndex, Query
    from hilgui.triage.journal import state_named

    query = Query(
        kinds=tuple(_one_of(word, Kind, "corner case") for word in kind or ()),
        severities=_severities(severity or (), min_severity),
        labels=tuple(label or ()),
        roles=tuple(_one_of(word, Role, "model") for word in model or ()),
        drives=tuple(drive or ()),
        conditions=tuple(condition or ()),
        states=tuple(state_named(word) for word in state or ()),
        tags=tuple(word.strip().lower() for word in tag or ()),
        assignees=tuple(assignee or ()),
        suspects=tuple(_one_of(word, Suspect, "suspect") for word in suspect or ()),
        suspect_models=tuple(_one_of(word, Role, "model") for word in suspect_model or ()),
        levels=tuple(_one_of(word, Level, "level") for word in level or ()),
        text=text,
        nearer_m=nearer,
        like=_hash(like) if like is not None else None,
        order=order,
        descending=descending,
    )
    query.order_by()  # refused here, before any run is read
    settings = load_settings()
    is_all = runs == ["all"]
    folders = run_folders(settings.runs) if is_all else [find_run(run, settings.runs) for run in runs]
    if similar_to is not None:
        query = replace(query, like=_hash_of_finding(folders[0], similar_to))
    query = query if is_all else replace(query, runs=tuple(folders))
    with closing(FindingsIndex(settings.home)) as index:
        index.refresh(folders)
        rows = index.rows(index.ids(query))
    if told:
        from hilgui.cli.finding_stories import show_stories

        show_stories(rows, as_json=as_json)
        return
    if out is not None:
        from hilgui.cli.console import results
        from hilgui.report.finding_list import write_list

        results.print(f"{write_list(rows, out)}: {number_of(len(rows), 'finding')}", markup=False, soft_wrap=True)
        return
    _print_json(rows, folders, is_all) if as_json else _print(rows, query, len(folders))
    if similar_to is not None and len(rows) < 2 and not as_json:
        from hilgui.cli.console import results

        results.print(
            f"Nothing else looks like finding {similar_to} (at most {query.like_bits} of 64 bits differ);"
            " --stories groups findings of one object.",
            soft_wrap=True,
        )


def _print_json(rows: list[FindingRow], folders: list[Path], is_all: bool) -> None:
    from hilgui.cli.console import print_json
    from hilgui.report.finding_list import row_json

    listed = [row_json(row) for row in rows]
    if len(folders) == 1 and not is_all:
        print_json({"run": str(folders[0]), "findings": listed})
    else:
        print_json({"runs": [str(folder) for folder in folders], "findings": listed})


def _print(rows: list[FindingRow], query: Query, runs: int) -> None:
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import results
    from hilgui.cornercases.suspects import suspect_in_words

    if not rows:
        results.print("No findings." if query.is_empty else "No finding passes the filters.")
        return
    columns = ["no", "severity", "kind", "model", "suspect", "from", "frames", "state", "tags", "why"]
    table = Table(*(["run", *columns] if runs != 1 else columns), box=None)
    for row in rows[:_SHOWN]:
        finding = row.finding
        start = f"#{finding.first_seq}" if math.isnan(finding.first_s) else f"{finding.first_s:.2f} s"
        role = finding.role.value if finding.role else "–"
        head = [row.run_id] if runs != 1 else []
        who = suspect_in_words(finding) or "–"
        kept = (finding.severity.label, finding.kind.value, role, who, start, str(finding.frames))
        numbers = [str(finding.number), *kept]
        decided = [row.triage.state.value, escape(", ".join(row.triage.tags))]
        table.add_row(*head, *numbers, *decided, escape(finding.why))
    results.print(table)
    if len(rows) > _SHOWN:
        results.print(f"… and {len(rows) - _SHOWN} more; --json lists all")


def _one_of(word: str, known: Any, what: str) -> str:
    names = [str(name) for name in known]
    if word not in names:
        plural = {"severity": "severities"}.get(what, f"{what}s" if what != "corner case" else "kinds")
        raise CallWrong(f"there is no {what} {word!r}; the {plural} are {', '.join(names)}")
    return word


def _hash(text: str) -> int:
    if not re.fullmatch(r"[0-9a-fA-F]{16}", text):
        raise CallWrong(f"--like {text!r} is no picture hash of 16 hex digits; `hilgui findings --json` shows them")
    return int(text, 16)


def _severities(words: Sequence[str], least: str | None) -> tuple[int, ...]:
    from hilgui.records import Severity

    known = [severity.label for severity in Severity]
    named = {Severity[_one_of(word, known, "severity").upper()] for word in words}
    if least is not None:
        lowest = Severity[_one_of(least, known, "severity").upper()]
        named = {each for each in named or set(Severity) if each >= lowest}
        if not named:
            raise CallWrong(f"no severity of {', '.join(words)} is {least} or higher; leave one of the two out")
    return tuple(sorted(int(each) for each in named))


def _hash_of_finding(folder: Path, number: int) -> int:
    """Give the hash of what a finding shows: of its object, else of the frame."""
    from contextlib import closing

    from hilgui.store import RunReader

    with closing(RunReader(folder)) as reader:
        found = next((finding for finding in reader.findings() if finding.number == number), None)
    if found is None:
        raise CallWrong(f"--similar-to {number}: {folder.name} has no finding of this number")
    code = found.crop_hash or found.frame_hash
    if not code:
        raise CallWrong(f"--similar-to {number}: no picture was kept of this finding, so nothing can look like it")
    return int(code, 16)
