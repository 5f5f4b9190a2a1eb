"""`hilgui evaluate`: figures of stored runs, also by other rules than those they were made with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.numerals import number_of

if TYPE_CHECKING:
    from hilgui.evaluation import Figure
    from hilgui.records import Role
    from hilgui.report import Evaluated

_HEAD = ("map_50_95", "map_50", "map_75", "recall", "precision", "f1")
_SHOWN = 20


def evaluate(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help='Run folders, ids or "last"; each is a drive.')],
    threshold: Annotated[float | None, typer.Option(help="Score of the operating point instead of the card's.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Other labels of the same recording.")] = None,
    classes: Annotated[str, typer.Option(help="Judge only these classes, separated by commas.")] = "",
    protocol: Annotated[str, typer.Option(help="coco, or besides: kitti, voc, scalabel (inclusive boxes).")] = "coco",
    by: Annotated[str | None, typer.Option(help="class: one row for each class.")] = None,
    explain: Annotated[
        str | None, typer.Option(help="The frames behind a figure, such as recall.person or tide.duplicate.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Measure stored runs again, without running the models."""
    from contextlib import ExitStack, closing

    from hilgui.cli.console import Ticker, notes, print_json
    from hilgui.errors import CallWrong
    from hilgui.report import Changes, evaluate_runs
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run

    if by not in (None, "class"):
        raise CallWrong(f"--by {by} is not known; figures can be shown by class")
    root = load_settings().runs
    names = tuple(name.strip() for name in classes.split(",") if name.strip())
    with ExitStack() as opened, Ticker("evaluate") as ticker:
        readers = [opened.enter_context(closing(RunReader(find_run(run, root)))) for run in runs]
        evaluated = evaluate_runs(readers, Changes(threshold, names, truth, protocol), ticker.count("frames"))
    if explain is not None:
        _explain(evaluated, explain, as_json=as_json)
        return
    if as_json:
        print_json(evaluated.as_json())
        return
    for note in evaluated.notes:
        notes.print(note, markup=False)
    _print(evaluated, by_class=by == "class")


def _print(evaluated: Evaluated, *, by_class: bool) -> None:
    from rich.table import Table

    from hilgui.cli.console import results
    from hilgui.cli.more_figures import print_more
    from hilgui.evaluation import PROTOCOLS

    for role, figures in evaluated.figures().items():
        if _HEAD[0] in figures:
            table = Table(role.value, *_HEAD, "truths", box=None)
            table.add_row("all", *_row(figures, ""))
            if by_class:
                for name in _classes(evaluated, role):
                    table.add_row(name, *_row(figures, f".{name}"))
            results.print(table)
            if why := figures[_HEAD[0]].why_no_interval:
                results.print(f"  no interval: {why}", markup=False)
        rest = {name: figure for name, figure in figures.items() if name.split(".")[0] in PROTOCOLS}
        for name, figure in rest.items():
            if figure.value is None and name.count(".") > 1:
                continue  # a class without labels
            results.print(f"  {name}: {in_words(figure)} ({figure.count} {figure.of})", markup=False)
        for why in dict.fromkeys(figure.why_no_interval for figure in rest.values() if figure.why_no_interval):
            results.print(f"  no interval: {why}", markup=False)
        print_more(role, figures, without=_HEAD, by_class=by_class)
    kinds: dict[str, int] = {}
    for _, found in evaluated.findings:
        for finding in found:
            kinds[finding.kind.value] = kinds.get(finding.kind.value, 0) + 1
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
    results.print(f"corner cases: {told}", markup=False)


def _explain(evaluated: Evaluated, figure: str, *, as_json: bool) -> None:
    from hilgui.cli.console import print_json, results
    from hilgui.report.behind import frames_of

    card = evaluated.scorecard
    behind = {role: frames_of(card, role, figure, evaluated.findings) for role in card.subjects}
    if as_json:
        frames = {role.value: [each.as_json() for each in found] for role, found in behind.items()}
        print_json({"figure": figure, "frames": frames})
        return
    for role, found in behind.items():
        results.print(f"{role.value}: {number_of(len(found), 'frame')} behind {figure}", markup=False)
        for each in found[:_SHOWN]:
            results.print(f"  {each.contribution:7.2f}  {each.drive} #{each.seq} {each.key}", markup=False)
        if len(found) > _SHOWN:
            results.print(f"  … and {len(found) - _SHOWN} more; --json lists all")


def _classes(evaluated: Evaluated, role: Role) -> list[str]:
    subject = evaluated.scorecard.subjects[role]
    return [subject.vocabulary.name(number) for number in subject.judged]


def _row(figures: dict[str, Figure], label: str) -> list[str]:
    found = [figures[f"{name}{label}"] for name in _HEAD]
    return [*(in_words(each) for each in found), str(found[0].count)]


def in_words(figure: Figure | Any) -> str:
    """Write a figure with its interval."""
    if figure.value is None:
        return "–"
    value = f"{figure.value:.3f}"
    return value if figure.interval is None else f"{value} [{figure.interval.low:.3f}, {figure.interval.high:.3f}]"
