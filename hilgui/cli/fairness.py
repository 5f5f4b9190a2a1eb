"""`hilgui fairness`: whether some groups of people, or of objects, are found less than others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hilgui.report.fairness import Fairness


def fairness(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help='Run folders, ids or "last"; each is a drive.')],
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            help="Only this: height, distance, day_part, attribute:NAME of the labels …; again for more.",
        ),
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option("--class", help="Of this class; default: people, where labelled, else all.")
    ] = None,
    least: Annotated[int, typer.Option(min=1, help="Truths that a group needs to be compared.")] = 30,
    limit: Annotated[
        float | None, typer.Option(min=0, max=1, help="Verdict: no recall may differ by more than this.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Compare recall between groups. Exit code 0; 1 where a gap is above --limit; 3 where no two can be compared."""
    from contextlib import ExitStack, closing

    from hilgui.cli.console import Ticker, notes, print_json
    from hilgui.report.fairness import SCHEMA, fairness_of
    from hilgui.settings import load_settings
    from hilgui.store import RunReader, find_run

    root, said = load_settings().runs, list[str]()
    with ExitStack() as opened, Ticker("fairness") as ticker:
        readers = [opened.enter_context(closing(RunReader(find_run(run, root)))) for run in runs]
        found = fairness_of(
            readers,
            classes=label or (),
            dimensions=group or (),
            least=least,
            progress=ticker.count("frames"),
            tell=said.append,
        )
    gaps = [one.disparity.gap for one in found if one.disparity.gap is not None]
    verdict = "INCONCLUSIVE" if not gaps else None
    if gaps and limit is not None:
        verdict = "FAIL" if max(gaps) > limit else "PASS"
    if as_json:
        print_json(
            {
                "schema": SCHEMA,
                "runs": runs,
                "verdict": verdict,
                "limit": limit,
                "groups": [one.as_json() for one in found],
                "notes": said,
            }
        )
    else:
        for note in said:
            notes.print(note, markup=False)
        _print(found, verdict, limit)
    raise typer.Exit({"FAIL": 1, "INCONCLUSIVE": 3}.get(verdict or "", 0))


def _print(found: list[Fairness], verdict: str | None, limit: float | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import results

    table = Table("model", "class", "group", "recall", "truths", "", box=None)
    for one in found:
        told = one.disparity
        for name, count in told.counts.items():
            rate = told.rates[name]
            marks = [word for word, is_so in (("best", name == told.best), ("worst", name == told.worst)) if is_so]
            marks += ["smallest"] if name == told.smallest else []
            marks += ["too few to compare"] if name in told.left_out else []
            sure = told.intervals.get(name)
            shown = "–" if rate is None else f"{rate:.3f}"
            shown += "" if sure is None else f" [{sure.low:.3f}, {sure.high:.3f}]"
            words = (escape(f"{one.dimension}: {name}"), shown, str(count), ", ".join(marks))
            table.add_row(one.role.value, escape(one.label), *words)
    results.print(table)
    for one in found:
        results.print(f"  {one.role.value}, {one.label} by {one.dimension}: {one.disparity.in_words}", markup=False)
    if verdict is not None:
        why = "" if limit is None else f", limit {limit:g}"
        results.print(f"{verdict}{why}", markup=False)
