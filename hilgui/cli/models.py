"""`hilgui models`: look at a model file before it is used, and check how it wants its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilgui.numerals import number_of

if TYPE_CHECKING:
    from hilgui.inference.inspection import Inspection
    from hilgui.inference.preflight import Trial
    from hilgui.pipeline.convention_check import ConventionCheck

models_app = typer.Typer(help="Inspect model files and check their preparation.", rich_markup_mode=None)

_MOST_OPERATORS = 12
_MOST_REASONS = 4

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else there.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="Model file (ONNX).")]
Card = Annotated[Path | None, typer.Option(help="Model card; default: the YAML file beside the model.")]


@models_app.command("inspect")
def inspect_command(
    file: File,
    card: Card = None,
    memory_mb: Annotated[int, typer.Option(min=64, help="Memory that the dry run may take.")] = 2048,
    seconds: Annotated[float, typer.Option(min=1, help="Time that the dry run may take.")] = 60.0,
    as_json: Json = False,
) -> None:
    """Say what a model file holds, which adapter reads it and where its nodes run, without trusting it."""
    from hilgui.cli.console import print_json
    from hilgui.errors import ModelBroken
    from hilgui.inference.inspection import inspect_model
    from hilgui.inference.preflight import Limits

    found = inspect_model(file, card=card, limits=Limits(memory_mb, seconds))
    if as_json:
        print_json(found.as_json())
    else:
        _print_inspection(found)
    if found.broken:
        raise typer.Exit(ModelBroken.exit_code)


@models_app.command("check")
def check_command(
    file: File,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Video file or image folder with labels.")],
    truth: Annotated[Path, typer.Option(help="Label file or folder.")],
    card: Card = None,
    class_map: Annotated[str | None, typer.Option(help="Shipped class map or a YAML file.")] = None,
    frames: Annotated[int, typer.Option(min=1, max=1000, help="Labelled frames to measure on.")] = 12,
    provider: Annotated[str, typer.Option(help="auto, cpu, cuda, tensorrt, openvino, directml or coreml.")] = "auto",
    as_json: Json = False,
) -> None:
    """Try the common ways to prepare a picture; exit with 1 where another is much better, 3 where it may be chance."""
    from hilgui.cli.console import Ticker, print_json
    from hilgui.pipeline.convention_check import check_conventions

    with Ticker("trying conventions") as ticker:

        def told(done: int, total: int) -> None:
            ticker.expect(total)
            ticker.advance(done, 0.0, "ways")

        found = check_conventions(
            file,
            truth,
            source,
            card=card,
            class_map=class_map,
            provider=provider,
            most_frames=frames,
            told=told,
        )
    if as_json:
        print_json(found.as_json())
    else:
        _print_check(found)
    if found.leading is not None:
        raise typer.Exit(1 if found.is_sure else 3)


def _print_inspection(found: Inspection) -> None:
    from rich.table import Table

    from hilgui.cli.console import results
    from hilgui.inference.onnx_file import precision_of
    from hilgui.inference.preflight import Trial

    facts = found.facts
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")

    def row(name: str, value: str) -> None:
        table.add_row(name, _plain(value))

    row("file", f"{found.path}, {found.size:,} bytes")
    row("sha256", found.sha256)
    row("made by", facts.producer or "unknown")
    row("opset", ", ".join(f"{name or 'onnx'} {version}" for name, version in facts.opsets.items()))
    most = facts.operators.most_common()
    more = f" and {len(most) - _MOST_OPERATORS} more kinds" if len(most) > _MOST_OPERATORS else ""
    row("operators", ", ".join(f"{name} {count}" for name, count in most[:_MOST_OPERATORS]) + more)
    row("precision", precision_of(facts))
    row("parameters", f"{facts.parameters:,} in weights, {facts.constants:,} in constants")
    row("metadata", ", ".join(sorted(facts.metadata)) or "none")
    cpu = found.trials.get("cpu")
    if isinstance(cpu, Trial):
        row("inputs", ", ".join(f"{each} {each.dtype}" for each in cpu.signature.inputs))
        row("outputs", ", ".join(f"{each} {each.dtype}" for each in cpu.signature.outputs))
    for name, trial in found.trials.items():
        row(f"run on {name}", trial if isinstance(trial, str) else _ran(trial))
    if found.recognised is not None:
        how = "named in the card" if found.is_named else "recognised"
        row("adapter", f"{found.adapter} ({how}), {found.recognised.task}")
        row("picture", found.recognised.preprocess.words)
    elif not found.broken:
        row("adapter", "none fits")
        for name, why in list(found.reasons.items())[:_MOST_REASONS]:
            row(f"  {name}", why)
    for each in found.suspicious:
        row("look at", each)
    if found.broken:
        row("BROKEN", found.broken)
    results.print(table)


def _ran(trial: Trial) -> str:
    took = ", ".join(
        f"{provider}: {sum(nodes.values())} nodes, {trial.share.get(provider, 0):.0%} of the time"
        for provider, nodes in trial.nodes.items()
    )
    made_of = trial.attestation
    took += f"; {made_of.precision}, {', '.join(f'{name} {version}' for name, version in made_of.libraries.items())}"
    return f"{trial.run_ms:.1f} ms (one thread, loaded in {trial.load_ms:.0f} ms, {trial.memory_mb:.0f} MB); {took}"


def _print_check(found: ConventionCheck) -> None:
    from rich.table import Table

    from hilgui.cli.console import results

    table = Table(box=None, pad_edge=False)
    table.add_column("preparation")
    table.add_column("AP", justify="right")
    table.add_column("AP50", justify="right")
    for each in (found.now, *found.tried):
        table.add_row(_plain(each.name), _figure(each.ap), _figure(each.ap50))
    results.print(f"{number_of(found.frames, 'frame')}, {number_of(found.truths, 'object')}")
    results.print(table)
    few = f"on {number_of(found.frames, 'frame')} with {number_of(found.truths, 'object')}"
    if found.leading is None:
        results.print("The way it is prepared now is as good as any that was tried.")
    elif not found.is_sure:
        results.print(
            f"INCONCLUSIVE: {_plain(found.leading.name)} looks better, which may be chance {few}: give more labels."
        )
    else:
        results.print(f"WARNING: {_plain(found.leading.name)} is much better. In a card beside the model:\n")
        results.print(found.card_lines(), markup=False)
        if found.alike:
            results.print(f"\nNot told from it {few}: {_plain('; '.join(found.alike))}. More labelled frames may tell.")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _plain(text: str) -> str:
    """Make a stranger's text fit for a terminal."""
    from rich.markup import escape

    return escape("".join(each if each.isprintable() else "?" for each in text))
