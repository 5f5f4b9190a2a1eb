"""`hilgui gate`: may the candidate replace the baseline? And `hilgui gate plan`: how many drives will say so?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilgui.errors import CallWrong
from hilgui.numerals import number_of

if TYPE_CHECKING:
    from rich.table import Table

    from hilgui.records import Decision, GateResult
    from hilgui.settings import Settings

PLAN = "plan"


def gate(
    words: Annotated[
        list[str],
        typer.Argument(metavar="[plan] SPEC [RUN...]", help="Gate specification (YAML); more words are runs."),
    ],
    runs: Annotated[
        list[str] | None, typer.Option("--runs", help="Paired run, or a folder of runs; may be given again.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
    ] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Store the decision, to be signed; a ROLL BACK in the field acts at once.")
    ] = False,
    operator: Annotated[
        str | None, typer.Option(help="Who decides; default: the setting, or who is logged in.")
    ] = None,
) -> None:
    """Decide from paired runs: PROMOTE 0, ROLL BACK 1, HOLD or INCONCLUSIVE 3; "plan" says how many drives it takes."""
    from hilgui.settings import load_settings

    settings = load_settings(operator=operator)
    raise typer.Exit(run_gate(words, runs or [], settings, as_json=as_json, record=record))


def decide_command(
    words: Annotated[
        list[str], typer.Argument(metavar="SPEC [RUN...]", help="Gate specification (YAML); more words are runs.")
    ],
    runs: Annotated[
        list[str] | None, typer.Option("--runs", help="Paired run, or a folder of runs; may be given again.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
    ] = False,
    operator: Annotated[
        str | None, typer.Option(help="Who decides; default: the setting, or who is logged in.")
    ] = None,
) -> None:
    """Put runs through a gate and record the decision: the same as `hilgui gate --record`."""
    gate(words, runs, as_json, True, operator)


def run_gate(
    words: Sequence[str], runs: Sequence[str], settings: Settings, *, as_json: bool, record: bool = False
) -> int:
    """Decide, or plan where the first word says so; give the exit code of the decision."""
    from hilgui.cli.console import Ticker, print_json
    from hilgui.pipeline.deciding import Decide, record_decided, runs_of

    is_plan = bool(words) and words[0] == PLAN
    if is_plan and record:
        raise CallWrong("a plan decides nothing; leave --record away")
    rest = words[1:] if is_plan else words
    if not rest:
        raise CallWrong("name the specification: hilgui gate SPEC.yaml --runs RUN…")
    wanted = [*runs, *rest[1:]]
    if not wanted:
        raise CallWrong("a gate needs runs: add --runs RUN… (ids, folders, or a folder that holds runs)")
    ask = Decide(Path(rest[0]), tuple(runs_of(wanted, settings.runs)), settings.models)
    with Ticker("measuring") as ticker:
        decided = ask({}, ticker.count("frames"))
    decision = decided.decision
    acted = record_decided(decided, settings) if record else None
    if as_json:
        recorded = {} if acted is None else {"recorded": acted.as_json()}
        print_json({**decision.as_json(), "notes": list(decided.notes), **recorded})
    elif is_plan:
        _print_plan(decision)
    else:
        _print(decision, decided.notes)
        if acted is not None:
            from hilgui.cli.recording import print_acted

            print_acted(acted)
    return 0 if is_plan else decision.action.exit_code


def _print(decision: Decision, notes: Sequence[str]) -> None:
    from rich.markup import escape

    from hilgui.cli.console import results as console

    console.print(f"[bold]{decision.action.value}[/]  {escape(decision.sentence)}")
    for reason in decision.reasons[1:]:
        console.print(f"  · {escape(reason)}")
    for step in decision.next_steps:
        console.print(f"  → {escape(step)}")
    console.print(_gates(decision.gates))
    for one in decision.invariants:
        mark = {True: "holds", False: "BROKEN", None: "not measured"}[one.holds]
        measured = "–" if one.measured is None else f"{one.measured:.4g}"
        console.print(f"  invariant {escape(one.id)}: {escape(one.metric)} {measured}, limit {one.limit}: {mark}")
    for lost in decision.slices:
        if lost.significant:
            console.print(f"  slice {escape(lost.name)}: {lost.metric} {lost.difference:+.4g}, p {lost.p_worse:.2g}")
    for note in notes:
        console.print(f"  note: {escape(note)}")
    console.print(
        f"  plan {escape(decision.specification)} {decision.specification_sha256[:12]}, "
        f"{number_of(decision.drives, 'drive')}, {number_of(decision.frames, 'judged frame')}"
    )


def _gates(gates: Sequence[GateResult]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("gate", "baseline", "candidate", "difference", "interval", "margin", "verdict", "drives needed"):
        table.add_column(title, justify="left" if title in ("gate", "verdict") else "right")
    for one in gates:
        interval = "–" if one.low is None or one.high is None else f"{one.low:+.4g} … {one.high:+.4g}"
        table.add_row(
            escape(f"{one.id} ({one.role.replace('_', '-')})"),
            _number(one.baseline),
            _number(one.candidate),
            "–" if one.difference is None else f"{one.difference:+.4g}",
            interval,
            _number(one.margin),
            one.verdict.value,
            _count(one.drives_needed),
        )
    return table


def _print_plan(decision: Decision) -> None:
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import results as console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("gate", "margin", "spread", "seen", "drives if equal", "drives as seen", f"{decision.drives} show"):
        table.add_column(title, justify="left" if title == "gate" else "right")
    for one in decision.gates:
        table.add_row(
            escape(one.id),
            _number(one.margin),
            _number(one.deviation),
            "–" if one.difference is None else f"{one.difference:+.4g}",
            _count(one.drives_needed),
            _count(one.drives_needed_as_seen),
            _number(one.smallest_detectable),
        )
    console.print(table)
    console.print(
        "spread: standard deviation of the difference between drives; drives: for a power of 80 %; "
        "last column: the smallest difference that the drives at hand show"
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
