"""`hilgui gate`: may the candidate replace the baseline? And `hilgui gate plan`: how many drives will say so?"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.errors import CallWrong, GateBroken

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
    from hilgui.gate import decide, gather, read_specification
    from hilgui.store import RunReader, find_run

    is_plan = bool(words) and words[0] == PLAN
    if is_plan and record:
        raise CallWrong("a plan decides nothing; leave --record away")
    rest = words[1:] if is_plan else words
    if not rest:
        raise CallWrong("name the specification: hilgui gate SPEC.yaml --runs RUN…")
    spec = read_specification(Path(rest[0]))
    wanted = [*runs, *rest[1:]]
    if not wanted:
        raise CallWrong("a gate needs runs: add --runs RUN… (ids, folders, or a folder that holds runs)")
    with ExitStack() as stack:
        readers = [
            stack.enter_context(closing(RunReader(folder)))
            for one in wanted
            for folder in _folders(one, settings, find_run)
        ]
        with Ticker("measuring") as ticker:
            evidence = gather(
                readers, spec, resolve=lambda name: resolve(name, settings), progress=ticker.count("frames")
            )
        decision = decide(spec, evidence)
        acted = None
        if record:
            from hilgui.cli.recording import record_decision

            acted = record_decision(decision, spec, readers, evidence.notes, settings)
    if as_json:
        recorded = {} if acted is None else {"recorded": acted.as_json()}
        print_json({**decision.as_json(), "notes": list(evidence.notes), **recorded})
    elif is_plan:
        _print_plan(decision)
    else:
        _print(decision, evidence.notes)
        if acted is not None:
            acted.print()
    return 0 if is_plan else decision.action.exit_code


def resolve(name: str, settings: Settings) -> str:
    """Give the sha256 of the ONNX file that a specification names: an alias or hash of the registry, or a path."""
    from hilgui.inference.session import fingerprint
    from hilgui.models import Registry

    if Path(name).is_file():
        return fingerprint(Path(name))
    try:
        return Registry(settings.models).entry(name).onnx_sha256
    except CallWrong as failure:
        raise GateBroken(f"the plan names the model {name}: {failure}") from failure


def _folders(one: str, settings: Settings, find_run: Any) -> list[Path]:
    """Give the run that a word names, or every run in the folder that it names."""
    from hilgui.store import is_run

    folder = Path(one)
    if folder.is_dir() and not is_run(folder):
        found = sorted(inner for inner in folder.iterdir() if is_run(inner))
        if not found:
            raise CallWrong(f"the folder {folder} holds no runs")
        return found
    return [find_run(one, settings.runs)]


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
        f"{decision.drives} drives, {decision.frames:,} judged frames"
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
