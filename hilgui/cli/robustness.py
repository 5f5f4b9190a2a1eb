"""`hilgui robustness`: how far a detector stands bad light, weather, lenses and links."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hilgui.errors import CallWrong

if TYPE_CHECKING:
    from hilgui.pipeline import RunPlan
    from hilgui.records import Role
    from hilgui.robustness import Headline, Result
    from hilgui.settings import Settings

_FIGURES = ("clean", "mPC", "rPC")


def robustness(
    targets: Annotated[
        list[str] | None, typer.Argument(metavar="RUN|SOURCE...", help="Runs (folder, id, last) or recordings.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="The model, an ONNX file; of a run: its baseline.")
    ] = None,
    candidate: Annotated[
        Path | None, typer.Option("--candidate", "-c", help="A second one beside it; of a run: its candidate.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Labels of the one recording; default: those beside it.")] = None,
    suite: Annotated[
        str, typer.Option(help="corruptions (the published 15), bench (what a bench adds) or all.")
    ] = "corruptions",
    corruption: Annotated[
        list[str] | None, typer.Option("--corruption", help="Only this one, or several with commas; may be repeated.")
    ] = None,
    severity: Annotated[
        list[str] | None, typer.Option("--severity", help="Severities with commas, 0 to 5; default 1,2,3,4,5.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Labelled frames of each recording, evenly spread.")] = 100,
    measure: Annotated[str, typer.Option(help="map_50_95 (AP of COCO) or map_50.")] = "map_50_95",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the corruptions.")] = 0,
    depth: Annotated[
        Path | None, typer.Option(help="Of depth_fog: 16-bit PNG (metres · 256), or a folder of one for each frame.")
    ] = None,
    no_search: Annotated[
        bool, typer.Option("--no-search", help="Leave out where the first critical object is lost.")
    ] = False,
    limit: Annotated[
        list[str] | None, typer.Option(help='Verdict: "rPC >= 0.6", also of clean and mPC; may be repeated.')
    ] = None,
    classes: Annotated[str, typer.Option(help="Judge only these classes, separated by commas.")] = "",
    class_map: Annotated[
        str | None, typer.Option(help="Class map, shipped or a file; none for names as they are.")
    ] = None,
    fps: Annotated[float | None, typer.Option(min=0.01, help="Frame rate of a folder of images.")] = None,
    provider: Annotated[str | None, typer.Option(help="auto, cpu, cuda, tensorrt …")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the result; default: one below the data folder.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Measure anew what is stored.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the results that are stored, of every kind.")] = False,
    show: Annotated[str | None, typer.Option(help='Show a stored result: folder, id, part of it or "last".')] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
) -> None:
    """Measure AP clean and corrupted, mPC and rPC, and the severity at which the first critical object is lost.

    The same call goes on where it was stopped (130), and shows what is stored once it is whole. Without --limit the
    exit code is 0; a limit that is broken is 1, one that cannot be told 3.
    """
    from hilgui.robustness import find_result, read_result, results_root
    from hilgui.settings import load_settings

    settings = load_settings(provider=provider)
    root = results_root(settings.home)
    if list_:
        _list(root, as_json=as_json)
        return
    limits = [_limit(text) for text in limit or ()]
    if show is not None:
        folder = find_result(show, root)
    else:
        plans = _plans(targets or [], model, candidate, truth, classes, class_map, fps, settings)
        folder = _measure(
            plans, suite, corruption or [], severity or [], frames, measure, seed, no_search, root, out, again, depth
        )
    result = read_result(folder)
    raise typer.Exit(_tell(result, folder, limits, as_json=as_json))


def _measure(
    plans: tuple[RunPlan, ...],
    suite: str,
    corruption: Sequence[str],
    severity: Sequence[str],
    frames: int,
    measure: str,
    seed: int,
    no_search: bool,
    root: Path,
    out: Path | None,
    again: bool,
    depth: Path | None,
) -> Path:
    import signal

    from hilgui.cli.console import Ticker
    from hilgui.corruptions.recipe import DEPTH_FOG
    from hilgui.robustness.heat_map import save_heat_map
    from hilgui.robustness.looking import Stopped
    from hilgui.robustness.question import MEASURES, Question, chosen, severities
    from hilgui.robustness.shelf import read_result
    from hilgui.robustness.suite import measure as answer

    if measure not in MEASURES:
        raise CallWrong(f"there is no measure {measure!r}; there are {', '.join(MEASURES)}")
    question = Question(
        plans=plans,
        corruptions=chosen(suite, corruption),
        severities=severities(severity),
        seed=seed,
        frames=frames,
        measure=measure,
        is_searched=not no_search,
        command=tuple(sys.argv),
        depth=depth,
    )
    if depth is not None and (len(plans) > 1 or DEPTH_FOG not in question.corruptions):
        raise CallWrong("depth maps belong to one recording and to depth_fog: --suite bench, or --corruption depth_fog")
    pressed: list[int] = []

    def on_interrupt(number: int, _frame: object) -> None:
        pressed.append(number)

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Ticker("robustness") as ticker:
            folder = answer(
                question, root, ticker.count("frames"), folder=out, is_stopped=lambda: bool(pressed), is_anew=again
            )
    except Stopped:
        from hilgui.cli.console import notes

        notes.print("hilgui: stopped; the same call goes on where it was", markup=False)
        raise typer.Exit(130) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    result = read_result(folder)
    for role in result.roles:
        for ending in ("svg", "png"):
            save_heat_map(folder / f"heat-map-{role.value}.{ending}", result, role)
    return folder


def _plans(
    targets: Sequence[str],
    model: Path | None,
    candidate: Path | None,
    truth: Path | None,
    classes: str,
    class_map: str | None,
    fps: float | None,
    settings: Settings,
) -> tuple[RunPlan, ...]:
    from contextlib import closing
    from dataclasses import replace

    from hilgui.errors import HilguiError
    from hilgui.pipeline import RunPlan
    from hilgui.pipeline.again import plan_again
    from hilgui.records import Role
    from hilgui.robustness import results_root
    from hilgui.store import RunReader, find_run
    from hilgui.truth import find_truth

    if not targets:
        raise CallWrong("name a run or a recording: hilgui robustness drive.mp4 --model model.onnx")
    if truth is not None and len(targets) > 1:
        raise CallWrong("one label file cannot serve several recordings; put labels beside each of them")
    judged = tuple(name.strip() for name in classes.split(",") if name.strip())
    scratch = results_root(settings.home) / "class-maps"
    plans = []
    for target in targets:
        path = Path(target).expanduser()
        try:
            folder = find_run(target, settings.runs)
        except HilguiError:
            folder = None
        if folder is None and not path.exists():
            raise CallWrong(f"there is no run and no recording {target!r}; `hilgui runs list` shows the runs")
        if folder is not None:
            own = scratch / folder.name
            own.mkdir(parents=True, exist_ok=True)
            with closing(RunReader(folder)) as reader:
                plan = plan_again(reader.header, own, settings)
                # clean is the recording, whatever the run did to it
                plan = replace(plan, corrupt=(), corrupt_depth=None)
                if model is not None:
                    plan = replace(plan, baseline=model, candidate=None)
                elif reader.header.models.get(Role.BASELINE) is None:
                    raise CallWrong(f"{target} has no baseline; name a model: --model")
            plans.append(
                replace(
                    plan,
                    candidate=candidate or plan.candidate,
                    truth=truth or plan.truth,
                    classes=judged or plan.classes,
                )
            )
            continue
        if model is None:
            raise CallWrong("a recording needs a model: add --model MODEL.onnx")
        plans.append(
            RunPlan(
                source=path,
                baseline=model,
                candidate=candidate,
                out=scratch,
                settings=settings,
                truth=truth or find_truth(path),
                provider=settings.provider,
                classes=judged,
                class_map=class_map,
                fps=fps,
            )
        )
    return tuple(plans)


def _limit(text: str) -> tuple[str, str]:
    """Split "rPC >= 0.6" into the figure and its limit; raises CallWrong."""
    from hilgui.evaluation.limits import parse_limit

    name, _, rest = text.strip().partition(" ")
    if name not in _FIGURES:
        raise CallWrong(f"{text!r} is no limit of clean, mPC or rPC, such as 'rPC >= 0.6'")
    try:
        parse_limit(rest)
    except ValueError as failure:
        raise CallWrong(str(failure)) from failure
    return name, rest


def _tell(result: Result, folder: Path, limits: Sequence[tuple[str, str]], *, as_json: bool) -> int:
    from hilgui.cli.console import print_json
    from hilgui.evaluation.limits import parse_limit

    judged: list[dict[str, Any]] = []
    for name, text in limits:
        for role in result.roles:
            told = result.headline(name, role)
            value = None if told is None else told.value
            word = "INCONCLUSIVE" if value is None else "PASS" if parse_limit(text).holds(value) else "FAIL"
            judged.append({"figure": name, "model": role.value, "limit": text, "value": value, "verdict": word})
    verdicts = [each["verdict"] for each in judged]
    verdict = next((one for one in ("FAIL", "INCONCLUSIVE", "PASS") if one in verdicts), None)
    if limits and not judged:
        verdict = "INCONCLUSIVE"  # a limit that nothing was compared with
    if as_json:
        import json

        from hilgui.robustness.result import to_json

        print_json({**json.loads(to_json(result)), "folder": str(folder), "limits": judged, "verdict": verdict})
    else:
        _print(result, folder)
        _print_limits(judged)
    return {"FAIL": 1, "INCONCLUSIVE": 3}.get(verdict or "", 0)


def _print_limits(judged: Sequence[dict[str, Any]]) -> None:
    from hilgui.cli.console import results

    for each in judged:
        value = "not measured" if each["value"] is None else f"{each['value']:.3f}"
        results.print(
            f"{each['verdict']}: {each['figure']} of the {each['model']} {value}, limit {each['limit']}", markup=False
        )


def _print(result: Result, folder: Path) -> None:
    from rich.table import Table

    from hilgui.cli.console import notes, results

    for note in result.notes:
        notes.print(note, markup=False)
    if not result.is_whole:
        notes.print("not whole yet: the call that began it goes on", markup=False)
    for role in result.roles:
        lost = ("first lost",) if result.tippings else ()
        table = Table(f"{result.called(role)}: {result.measure}", "family", *result.heads, *lost, box=None)
        for row in result.rows:
            tipping = (_tipping(result, row, role),) if result.tippings else ()
            values = map(_number, result.line(row, role))
            table.add_row(row, result.families.get(row, ""), *values, *tipping)
        results.print(table)
    for headline in result.headlines:
        results.print(f"  {in_words(result, headline)}", markup=False)
    for check in result.checks:
        sign = {True: "✓", False: "✕", None: "?"}[check.is_good]
        results.print(f"  {sign} {check.name}: {check.sentence}", markup=False)
    results.print(f"  result: {folder}", markup=False)


def in_words(result: Result, headline: Headline) -> str:
    """Write a figure over the whole with its interval."""
    whose = "candidate − baseline" if headline.role is None else result.called(headline.role)
    value = _number(headline.value)
    if headline.interval is not None:
        value += f" [{headline.interval.low:.3f}, {headline.interval.high:.3f}]"
    return f"{headline.name} {whose}: {value}"


def _tipping(result: Result, row: str, role: Role) -> str:
    found = next((one for one in result.tippings if (one.row, one.role) == (row, role)), None)
    if found is None:
        return ""
    if found.severity is None:
        return "not lost"
    return f"{found.severity:.2f}{'' if found.is_monotone else ' (not monotone)'}"


def _number(value: float | int | None) -> str:
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _list(root: Path, *, as_json: bool) -> None:
    from rich.table import Table

    from hilgui.cli.console import print_json, results
    from hilgui.robustness import list_results

    found = list_results(root)
    if as_json:
        rows = []
        for one in found:
            row: dict[str, Any] = {"folder": str(one.folder), "problem": one.problem}
            if one.result is not None:
                row |= {name: getattr(one.result, name) for name in ("kind", "title", "created", "is_whole")}
            rows.append(row)
        print_json({"folder": str(root), "results": rows})
        return
    if not found:
        results.print(
            f"There are no results in {root}; `hilgui robustness DRIVE --model MODEL` makes one.", markup=False
        )
        return
    table = Table("result", "kind", "made", "of", "", box=None)
    for one in found:
        if one.result is None:
            table.add_row(one.folder.name, "damaged", "", one.problem, "")
        else:
            whole = "" if one.result.is_whole else "not whole"
            table.add_row(one.folder.name, one.result.kind, one.result.created, one.result.title, whole)
    results.print(table)
