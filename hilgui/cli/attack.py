"""`hilgui attack`: what somebody who means harm can do to a model, and what helps against it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hilgui.errors import CallWrong

if TYPE_CHECKING:
    from hilgui.attacks.benchmark import Attacked
    from hilgui.evaluation import Interval

attack_app = typer.Typer(
    help="Attack a model with pixels or a printed patch, and measure defences.", rich_markup_mode=None
)

_HELP = {
    "fgsm": "One step along the gradient; noise and PGD beside it. Needs the extra `attacks` (PyTorch).",
    "pgd": "Many steps along the gradient; noise and FGSM beside it. Needs the extra `attacks` (PyTorch).",
    "square": "Random squares, answers of onnxruntime only: works on every detector and classifier.",
    "noise": "Random noise of the same size: the control, not an attack.",
}

Model = Annotated[Path, typer.Argument(metavar="MODEL", help="Detector or classifier, an ONNX file.")]
Source = Annotated[Path, typer.Argument(metavar="IMAGES", help="Folder of images, video or bag.")]
Truth = Annotated[
    str | None, typer.Option(help='Labels; default: those beside IMAGES. "self": the clean answers of the model.')
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Out = Annotated[Path | None, typer.Option(help="Folder of the result; default: one below the data folder.")]


def _pixel_attack(method: str) -> Callable[..., None]:
    def run(
        model: Model,
        source: Source,
        truth: Truth = None,
        epsilon: Annotated[float, typer.Option(help="Largest change of a sample, share of the full range.")] = 0.03,
        count: Annotated[int, typer.Option(min=1, help="Pictures, evenly spread.")] = 100,
        steps: Annotated[int, typer.Option(min=1, help="Steps of PGD.")] = 10,
        queries: Annotated[int, typer.Option(min=1, help="Questions to the model a picture, of Square.")] = 500,
        goal: Annotated[str, typer.Option(help="hide, create or change objects.")] = "hide",
        class_name: Annotated[
            str, typer.Option("--class", help="Only objects of this class; to create: the class that appears.")
        ] = "",
        defences: Annotated[
            bool, typer.Option("--defences", help="Measure smoothing, JPEG, ensemble, randomised smoothing.")
        ] = False,
        baseline: Annotated[Path | None, typer.Option("--baseline", "-b", help="Second model of the ensemble.")] = None,
        sigma: Annotated[float, typer.Option(min=0.01, help="Noise of randomised smoothing.")] = 0.25,
        certified: Annotated[int, typer.Option(min=1, help="Pictures that are certified.")] = 10,
        classes: Annotated[str, typer.Option(help="Judge only these classes, separated by commas.")] = "",
        class_map: Annotated[str | None, typer.Option(help="Class map, shipped or a file.")] = None,
        seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
        out: Out = None,
        as_json: Json = False,
    ) -> None:
        from hilgui.attacks.aims import Goal
        from hilgui.attacks.question import AttackQuestion
        from hilgui.attacks.record import attack
        from hilgui.cli.console import Ticker, print_json
        from hilgui.robustness import results_root
        from hilgui.settings import load_settings

        if goal not in [each.value for each in Goal]:
            raise CallWrong(f"there is no goal {goal!r}; there are {', '.join(Goal)}")
        if baseline is not None and not defences:
            raise CallWrong("--baseline is the second model of the ensemble: add --defences")
        settings = load_settings()
        question = AttackQuestion(
            model,
            source,
            method,
            truth=truth,
            epsilon=epsilon,
            count=count,
            steps=steps,
            queries=queries,
            goal=Goal(goal),
            class_name=class_name,
            seed=seed,
            is_defended=defences,
            baseline=baseline,
            sigma=sigma,
            certified=certified,
            classes=tuple(name.strip() for name in classes.split(",") if name.strip()),
            class_map=class_map,
            command=tuple(sys.argv),
        )
        with Ticker(method) as ticker:
            folder, made = attack(question, settings, results_root(settings.home), ticker.count("pictures"), out)
        if as_json:
            print_json({**made.as_json(), "folder": str(folder)})
        else:
            _print(made, folder)
        raise typer.Exit(3 if made.checks and not made.was_strong else 0)

    run.__doc__ = _HELP[method] + " Exit code 3: the attack was too weak, or nothing was at stake."
    return run


for _method in _HELP:
    attack_app.command(_method)(_pixel_attack(_method))


def _print(made: Attacked, folder: Path) -> None:
    from rich.table import Table

    from hilgui.attacks.question import CLEAN, NAMES
    from hilgui.cli.console import notes, results

    for note in made.notes:
        notes.print(note, markup=False)
    table = Table("", made.measure, "AP .50", "change", "worked", "of", "ms a picture", box=None)
    for one in made.damages.values():
        table.add_row(
            NAMES[one.name],
            _figure(one.value, one.interval),
            _figure(one.value_50, None),
            "" if one.name == CLEAN else _between(one.change),
            "" if one.name == CLEAN else _figure(one.success, one.success_interval),
            str(one.at_stake),
            f"{one.ms:.0f}",
        )
    results.print(table)
    for check in made.checks:
        results.print(f"{check.name}: {check.sentence}", markup=False)
    if made.defences:
        after = made.damages[made.question.method]
        table = Table("defence", "clean", "cost", "attacked", "ms more", box=None)
        table.add_row("none", _figure(made.damages[CLEAN].value, None), "", _figure(after.value, after.interval), "0")
        for each in made.defences:
            table.add_row(
                each.name,
                _figure(each.clean.value, None),
                _between(each.clean.change),
                _figure(each.attacked.value, each.attacked.interval),
                f"{each.ms:.1f}",
            )
        results.print(table)
    if made.smoothed is not None:
        smoothed = made.smoothed
        radius = f"{sorted(smoothed.radii)[len(smoothed.radii) // 2]:.2f}" if smoothed.radii else "–"
        results.print(
            f"randomised smoothing σ = {smoothed.sigma:g}: {smoothed.agreeing} of {smoothed.pictures} attacked "
            f"pictures answered as clean, {smoothed.abstained} abstained; median certified radius {radius} (attack: "
            f"{smoothed.epsilon_l2:.1f}, L2 of 0..1 pixels); {smoothed.ms:.0f} ms a picture",
            markup=False,
        )
    results.print(f"examples side by side: {folder / 'report.html'}", markup=False)


def _figure(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if interval is None else f"{value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _between(interval: Interval | None) -> str:
    return "–" if interval is None else f"[{interval.low:+.3f}, {interval.high:+.3f}]"


@attack_app.command("patch")
def patch(
    model: Model,
    source: Source,
    truth: Truth = None,
    class_name: Annotated[str, typer.Option("--class", help="Objects that wear the patch.")] = "person",
    side_mm: Annotated[float, typer.Option("--side-mm", min=10, help="Side of the printed patch.")] = 500.0,
    tries: Annotated[int, typer.Option(min=1, help="Changes of the patch that are tried.")] = 200,
    count: Annotated[int, typer.Option(min=2, help="Pictures, evenly spread; half to search, half to measure.")] = 40,
    class_map: Annotated[str | None, typer.Option(help="Class map, shipped or a file.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Search a patch to print that hides objects; any adapter. patch.pdf is in true size, patch.png for a screen.

    Exit code 3: it hides no more than a patch that nobody optimised, or not surely more.
    """
    from contextlib import closing

    from rich.table import Table

    from hilgui.attacks.gallery import Gallery
    from hilgui.attacks.patch_run import patch_attack
    from hilgui.cli.console import Ticker, print_json, results
    from hilgui.robustness import results_root
    from hilgui.settings import load_settings

    settings = load_settings()
    with (
        closing(Gallery(model, source, settings, truth=truth, count=count, class_map=class_map)) as gallery,
        Ticker("patch") as ticker,
    ):
        folder, made = patch_attack(
            gallery,
            results_root(settings.home),
            class_name=class_name,
            side_mm=side_mm,
            tries=tries,
            seed=seed,
            command=tuple(sys.argv),
            tell=ticker.count("tries"),
            folder=out,
        )
    if as_json:
        print_json({**made.as_json(), "folder": str(folder)})
    else:
        table = Table("patch", "lost", "of", box=None)
        for one in made.worn:
            table.add_row(one.name, _figure(one.rate, one.interval), str(len(one.fallen)))
        results.print(table)
        table = Table("optimised against", "difference", "p", box=None)
        for each in made.gains:
            table.add_row(each.control, f"{each.difference:+.3f} {_between(each.interval)}", f"{each.p:.2g}")
        results.print(table)
        results.print(made.check.sentence, markup=False)
        results.print(
            f"to print: {folder / 'patch.pdf'}; for a screen: {folder / 'pictures' / 'patch.png'}", markup=False
        )
    raise typer.Exit(0 if made.check.is_good else 3)
