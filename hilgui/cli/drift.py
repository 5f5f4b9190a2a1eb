"""`hilgui drift`: whether pictures and outputs are still what they were in a reference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.errors import CallWrong

if TYPE_CHECKING:
    from hilgui.drift import Reference
    from hilgui.robustness.drifting import Checked

drift_app = typer.Typer(
    help="Compare pictures and outputs with a reference.", rich_markup_mode=None, no_args_is_help=True
)

_MOST_ROWS = 12  # alarms that are printed; --json has all
_Model = Annotated[
    Path | None, typer.Option("--model", "-m", help="Of a recording: compare the outputs of this detector too.")
]
_Features = Annotated[
    bool, typer.Option("--features", help="The network's own features too: of --model, or those that the run kept.")
]
_Fps = Annotated[float | None, typer.Option(min=0.01, help="Frame rate of a folder of images.")]
_Provider = Annotated[str | None, typer.Option(help="auto, cpu, cuda, tensorrt …")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


@drift_app.command("reference")
def drift_reference(
    targets: Annotated[
        list[str], typer.Argument(metavar="RUN|SOURCE...", help="Runs (folder, id, last) or recordings of one kind.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="File of the reference (JSON).")],
    model: _Model = None,
    features: _Features = False,
    camera: Annotated[str, typer.Option(help="Of several cameras: the one that the reference is of.")] = "",
    fps: _Fps = None,
    provider: _Provider = None,
    as_json: _Json = False,
) -> None:
    """Make a reference of where all was well: figures of pictures and outputs, in blocks that are independent."""
    from hilgui.cli.console import Ticker, notes, print_json, results
    from hilgui.drift import usual_window, write_reference
    from hilgui.robustness.drift_drives import target_of
    from hilgui.robustness.drifting import reference_of
    from hilgui.settings import load_settings

    settings = load_settings(provider=provider)
    how = (settings.runs, model, settings.provider, fps)
    found = tuple(target_of(text, *how, has_features=features) for text in targets)
    if features and model is None and not all(each.is_run for each in found):
        raise CallWrong("--features of a recording are those of a model; name it with --model")
    per_s = settings.corner_cases.drift.features_per_s
    with Ticker("drift reference") as ticker:
        reference, told = reference_of(found, camera, ticker.count("frames"), per_s)
    write_reference(out, reference)
    window = usual_window(reference) * reference.block
    if as_json:
        print_json(
            {
                "reference": str(out),
                "figures": list(reference.names),
                "blocks": reference.blocks,
                "block_frames": reference.block,
                "window_frames": window,
                "alike_over_frames": reference.memory,
                "models": reference.models,
                "features": _features_as_document(reference),
                "camera": reference.camera or None,
                "notes": list(told),
                "of": [{"name": one.name, "path": one.path, "frames": one.frames} for one in reference.origins],
            }
        )
        return
    for note in told:
        notes.print(note, markup=False)
    alike = f"frames are alike over {reference.memory:.0f}" if reference.memory else "pictures without order"
    results.print(
        f"{out}: {reference.blocks} blocks of {reference.block} frames ({alike}), {len(reference.names)} figures; "
        f"a window takes {window} frames",
        markup=False,
    )
    told_features = _features_as_document(reference)
    if told_features is not None:
        results.print(
            f"  features: {told_features['blocks']} blocks of {told_features['block_samples']} samples, "
            f"{told_features['per_s']:g} a second; a window takes {told_features['window_samples']} samples",
            markup=False,
        )


def _features_as_document(reference: Reference) -> dict[str, Any] | None:
    from hilgui.drift import usual_window

    features = reference.features
    if features is None:
        return None
    return {
        "figures": list(features.names),
        "per_s": features.per_s,
        "blocks": features.blocks,
        "block_samples": features.block,
        "window_samples": usual_window(features) * features.block,
        "alike_over_samples": features.memory,
    }


@drift_app.command("check")
def drift_check(
    target: Annotated[str, typer.Argument(metavar="RUN|SOURCE", help='A run (folder, id, "last") or a recording.')],
    reference: Annotated[Path, typer.Option("--reference", "-r", help="What it is compared with.")],
    model: _Model = None,
    features: _Features = False,
    rate: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Chance of any alarm in all of it where nothing drifted.")
    ] = 0.05,
    window: Annotated[
        int | None, typer.Option(min=1, help="Frames of a window; default: two blocks of the reference, 100 at least.")
    ] = None,
    fps: _Fps = None,
    provider: _Provider = None,
    as_json: _Json = False,
) -> None:
    """Compare window by window. Exit code 0: no drift, 1: drift, 3: too little to tell."""
    from hilgui.cli.console import Ticker, print_json
    from hilgui.robustness.drift_check import DriftCheck
    from hilgui.robustness.drifting import DRIFTED, STEADY
    from hilgui.settings import load_settings

    settings, command = load_settings(provider=provider), tuple(sys.argv)
    asked = DriftCheck(target, reference, settings, model, features, rate, window, fps, command)
    with Ticker("drift") as ticker:
        checked, folder = asked.run(ticker.count("frames"))
    if as_json:
        print_json({**as_document(checked), "reference": str(reference), "folder": str(folder)})
    else:
        _print(checked, folder)
    raise typer.Exit({DRIFTED: 1, STEADY: 0}.get(checked.verdict, 3))


def as_document(checked: Checked) -> dict[str, Any]:
    """Give a check as plain values for JSON."""
    import math

    calibration = checked.calibration
    return {
        "schema": "hilgui/drift.v1",
        "verdict": checked.verdict,
        "why": checked.why or None,
        "of": checked.facts.name,
        "frames": checked.facts.frames,
        "rate": checked.rate,
        "window_frames": None if calibration is None else calibration.window_frames,
        "window_samples": None if checked.features is None else checked.features.window_frames,
        "windows": [
            {
                "first": look.first_seq,
                "last": look.last_seq,
                "first_s": None if math.isnan(look.first_s) else look.first_s,
                "last_s": None if math.isnan(look.last_s) else look.last_s,
                "statistics": [
                    {
                        "figure": one.figure,
                        "statistic": one.statistic,
                        "value": one.value,
                        "limit": one.limit,
                        "before": one.before,
                        "now": one.now,
                        "alarm": one.is_alarm,
                    }
                    for one in look.measured
                ],
            }
            for look in checked.looks
        ],
        "no_verdict": [{"figure": one.figure, "statistic": one.statistic} for one in checked.silent],
        "notes": list(checked.notes),
    }


def _print(checked: Checked, folder: Path) -> None:
    from rich.markup import escape
    from rich.table import Table

    from hilgui.cli.console import notes, results
    from hilgui.drift.monitor import WORDS

    for note in checked.notes:
        notes.print(note, markup=False)
    calibration = checked.calibration
    if calibration is None:
        results.print(f"{checked.verdict}: {checked.why}", markup=False)
        return
    windows = f"{len(checked.alarms)} of {len(checked.looks)} windows of {calibration.window_frames} frames"
    if checked.features is not None:
        windows += f" or {checked.features.window_frames} samples of features"
    chance = f"without drift any alarm has a chance of {checked.rate:.1%}"
    why = f"; {checked.why}" if checked.why else ""
    results.print(f"{checked.verdict}: {windows} with alarms; {chance}{why}", markup=False)
    table = Table("frames", "figure", "statistic", "value", "limit", "before", "now", box=None)
    rows = [(look, one) for look in checked.alarms for one in look.alarms]
    for look, one in rows[:_MOST_ROWS]:
        table.add_row(
            f"{look.first_seq}–{look.last_seq}",
            escape(one.figure),
            WORDS[one.statistic],
            *(("–" if each is None else f"{each:.4g}") for each in (one.value, one.limit, one.before, one.now)),
        )
    if rows:
        results.print(table)
    if len(rows) > _MOST_ROWS:
        results.print(f"  and {len(rows) - _MOST_ROWS} more; --json lists all", markup=False)
    if checked.silent:
        names = ", ".join(dict.fromkeys(f"{one.figure} {one.statistic}" for one in checked.silent))
        results.print(f"  no verdict from windows of this size: {names}", markup=False)
    results.print(f"  result: {folder}", markup=False)
