"""`hilgui slices`: where a model is weaker, by condition, and a search for combinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hilgui.evaluation import Interval
    from hilgui.evaluation.slice_search import Searched
    from hilgui.report.slices import Sliced

_EXPLAIN = "Name frames behind each slice: drive and number of those with the most misses and false positives."


def slices(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help='Run folders, ids or "last"; each is a drive.')],
    with_search: Annotated[
        bool, typer.Option("--search", help="Look for weak slices of up to three conditions, confirm on other drives.")
    ] = False,
    by: Annotated[str | None, typer.Option(help="Only this dimension, such as distance or day_part.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Score of the operating point instead of the card's.")] = None,
    least_truths: Annotated[int, typer.Option(min=5, help="Truths that a slice needs to be searched.")] = 50,
    explain: Annotated[bool, typer.Option("--explain", help=_EXPLAIN)] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Split stored runs by distance, height, occlusion, corridor, speed, image quality and conditions."""
    from contextlib import ExitStack, closing

    from hilgui.cli.console import Ticker, print_json
    from hilgui.errors import CallWrong
    from hilgui.evaluation.slice_search import SearchRule
    from hilgui.report.slices import SCHEMA, slice_runs
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run

    root = load_settings().runs
    with ExitStack() as opened, Ticker("slices") as ticker:
        readers = [opened.enter_context(closing(RunReader(find_run(run, root)))) for run in runs]
        sliced = slice_runs(
            readers,
            with_search=with_search,
            rule=SearchRule(least_truths=least_truths),
            threshold=threshold,
            progress=ticker.count("frames"),
            with_tags=not with_search,
        )
    known = sorted({each.dimension for one in sliced for each in one.figures})
    if by is not None and by not in known:
        raise CallWrong(f"there is no dimension {by!r} in these runs; there are {', '.join(known) or 'none'}")
    if as_json:
        print_json({"schema": SCHEMA, "runs": runs, "models": {one.role.value: one.as_json() for one in sliced}})
        return
    for one in sliced:
        _print(one, by, explain=explain)
        if one.searched is not None:
            _print_search(one.searched)


def _print(one: Sliced, by: str | None, *, explain: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import results

    table = Table(one.role.value, "slice", "recall", "precision", "AP50", "truths", "false", "drives", box=None)
    before = ""
    reasons: dict[str, list[str]] = {}
    for each in one.figures:
        if by is not None and each.dimension != by:
            continue
        name = each.dimension if each.dimension != before else ""
        before = each.dimension
        ratios = (
            _sure(each.recall, each.recall_interval),
            _sure(each.precision, each.precision_interval),
            _sure(each.map_50, each.map_50_interval),
        )
        if each.why_no_interval and each.truths:
            reasons.setdefault(each.why_no_interval, []).append(f"{each.dimension} {each.value}")
        counts = (
            str(each.truths),
            "–" if each.false_positives is None else str(each.false_positives),
            str(each.drives),
        )
        table.add_row(name, escape(each.value), *ratios, *counts)
    results.print(table)
    for each in one.figures if explain else ():
        for words, behind in (("missed", each.examples), ("false", each.phantoms)):
            if behind and by in (None, each.dimension):
                frames = ", ".join(f"{drive} #{seq}" for drive, seq in behind)
                results.print(f"{each.dimension} {each.value}: {words} in {frames}", markup=False)
    for why, where in reasons.items():
        results.print(f"no interval for {', '.join(where)}: {why}", markup=False)
    for dimension, gap in one.disparities.items():
        if (by is None or by == dimension) and gap.gap is not None:
            results.print(f"{dimension}: {gap.in_words}", markup=False)


def _print_search(searched: Searched) -> None:
    from rich.table import Table

    from hilgui.cli.console import results

    results.print(
        f"search: {searched.looked_at} slices on {len(searched.discovery)} drives (Benjamini-Hochberg), confirmed on "
        f"{len(searched.others)} others (Holm)",
        markup=False,
    )
    if searched.hint:
        results.print(searched.hint, markup=False)
    if not searched.weak:
        results.print("no weak slice", markup=False)
        return
    table = Table("weak slice", "recall", "elsewhere", "truths", "q", "other drives", "Holm p", "confirmed", box=None)
    for each in searched.weak:
        words = {True: "yes", False: "no", None: "too little"}[each.confirmed]
        p = "–" if each.other_p is None else f"{each.other_p:.3g}"
        figures = (_ratio(each.recall), _ratio(each.outside), str(each.truths), f"{each.q:.3g}")
        table.add_row(each.words, *figures, _ratio(each.other_recall), p, words)
    results.print(table)


def _sure(value: float | None, interval: Interval | None) -> str:
    return _ratio(value) if interval is None else f"{_ratio(value)} [{interval.low:.3f}, {interval.high:.3f}]"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
