"""`hilgui replay`: one run for each drive, through the engine process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from rich.markup import escape
from rich.table import Table

from hilgui.cli.console import Ticker, notes, print_json, results
from hilgui.engine import Engine, Event, RunFailed, RunFinished, RunStarted
from hilgui.errors import CallWrong, HilguiError
from hilgui.pipeline import Progress, RunPlan, speed_factor
from hilgui.records import Outcome, People
from hilgui.report import summary
from hilgui.settings import Settings
from hilgui.sources.camera import shown_drive
from hilgui.sources.several import beside_of
from hilgui.store import RunReader
from hilgui.truth import NO_MAP, find_truth, load_class_map

_GRAVITY = (Outcome.ABORTED, Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS)


@dataclass(frozen=True, slots=True)
class ReplayCall:
    """What was typed."""

    drives: tuple[Path, ...]
    list_file: Path | None
    baseline: Path | None
    candidate: Path | None
    truth: str | None
    classes: tuple[str, ...]
    class_map: str | None
    speed: str
    fps: float | None
    topic: str | None
    beside: tuple[str, ...]
    profile: Path | None
    can: tuple[Path, ...]
    dbc: tuple[Path, ...]
    signals: tuple[str, ...]
    can_offset_s: float | None
    duration_s: float | None
    corrupt: tuple[str, ...]
    corrupt_seed: int
    corrupt_depth: Path | None
    record: bool
    record_mb: int
    out: Path | None
    notes: str
    tickets: tuple[str, ...]
    as_json: bool
    debug: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How the run of one drive ended; `folder` is None where it never began."""

    drive: Path
    folder: Path | None
    outcome: Outcome
    sentence: str = ""  # why, when the bench broke
    exit_code: int = 0


def replay_drives(call: ReplayCall, settings: Settings) -> int:
    """Run the queue; print the summaries; return the gravest exit code."""
    from hilgui.engine.metrics import serving

    with serving(settings) as metrics:
        told = None if metrics is None else metrics.take
        ended = run_queue(plans(call, settings), debug=call.debug, quiet=call.as_json, told=told)
    documents = [document(each) for each in ended]
    if call.as_json:
        outcome = min((each.outcome for each in ended), key=_GRAVITY.index)
        print_json(documents[0] if len(documents) == 1 else {"runs": documents, "verdict": outcome.value})
    else:
        for each, figures in zip(ended, documents, strict=True):
            print_summary(each, figures)
        if len(ended) > 1:
            print_queue(ended, documents)
    return max((each.exit_code for each in ended), key=_code_gravity)


def plans(call: ReplayCall, settings: Settings) -> list[RunPlan]:
    """Turn what was typed into one plan a drive; raises CallWrong."""
    if call.baseline is None:
        raise CallWrong("a replay needs a model: add --baseline MODEL.onnx")
    speed_factor(call.speed)
    if call.class_map is not None and call.class_map != NO_MAP:
        load_class_map(call.class_map)
    drives = [*call.drives, *(read_list(call.list_file) if call.list_file else ())]
    if not drives:
        raise CallWrong("a replay needs a drive: name a video file, an image folder or --list FILE")
    if len(drives) > 1 and call.truth not in (None, "none"):
        raise CallWrong(
            "one label file cannot serve several drives; put labels beside each drive or replay them one by one"
        )
    if len(drives) > 1 and (call.beside or call.can):
        raise CallWrong("further cameras and bus logs belong to one drive; replay the drives one by one")
    beside = [beside_of(text) for text in call.beside]
    people = People(settings.operator, settings.bench, settings.device_under_test, call.notes, call.tickets)
    return [
        RunPlan(
            source=drive,
            baseline=call.baseline,
            out=(call.out or settings.runs).resolve(),
            settings=settings,
            candidate=call.candidate,
            truth=_truth(call.truth, drive),
            provider=settings.provider,
            classes=call.classes,
            class_map=call.class_map,
            speed=call.speed,
            fps=call.fps,
            topic=call.topic,
            beside=tuple(path for path, _ in beside),
            offsets_s=tuple(offset_s for _, offset_s in beside),
            profile=call.profile,
            can=call.can,
            dbc=call.dbc,
            signals=call.signals,
            can_offset_s=call.can_offset_s,
            duration_s=call.duration_s,
            corrupt=call.corrupt,
            corrupt_seed=call.corrupt_seed,
            corrupt_depth=call.corrupt_depth,
            record=call.record,
            record_mb=call.record_mb,
            people=people,
            command=tuple(sys.argv),
        )
        for drive in drives
    ]


def read_list(path: Path) -> list[Path]:
    """Read one drive a line, relative to the list; # starts a comment. Raises CallWrong."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as failure:
        raise CallWrong(f"the list of drives {path} cannot be read: {failure}") from failure
    return [path.parent / line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def run_queue(
    queue: list[RunPlan], *, debug: bool = False, quiet: bool = False, told: Callable[[Event], None] | None = None
) -> list[Ended]:
    """Run one plan after the other; a drive that fails does not stop the next, Ctrl-C stops all."""
    engine = Engine(debug=debug)
    ended: list[Ended] = []
    try:
        engine.start()
        with _interrupts(engine) as interrupted:
            for plan in queue:
                ended.append(_run_one(engine, plan, quiet=quiet, debug=debug, told=told))
                if interrupted:
                    break
    finally:
        engine.close()
    return ended


def document(ended: Ended) -> dict[str, Any]:
    """Give the JSON document of one ended run."""
    figures: dict[str, Any] = {"run": None, "verdict": ended.outcome.value, "source": {"path": str(ended.drive)}}
    if ended.folder is not None:
        with suppress(HilguiError):
            reader = RunReader(ended.folder)
            try:
                figures = summary(reader)
            finally:
                reader.close()
    if ended.sentence:
        figures |= {"error": ended.sentence, "exit_code": ended.exit_code}
    return figures


def print_summary(ended: Ended, figures: dict[str, Any]) -> None:
    """Write a run for people."""
    if ended.folder is None:
        return
    frames, fps = figures["frames"], figures["fps"]
    losses = "".join(f", {frames[name]} {name}" for name in ("dropped", "skipped") if frames[name])
    rate = "" if fps is None else f" at {fps:.1f} frames/s"
    results.print(
        f"[bold]{escape(ended.drive.name)}[/]: {figures['verdict']} · {frames['evaluated']} of {frames['captured']} "
        f"frames evaluated{losses}{rate}, {frames['with_truth']} with truth"
    )
    for reason in figures["reasons"]:
        results.print(f"  {reason}", markup=False)
    models = {role: model for role, model in figures["models"].items() if model is not None}
    titles = next((list(_quality(model)) for model in models.values()), [])
    table = Table("model", "adapter", "runs on", "p50 ms", "p99 ms", *titles, box=None)
    for role, model in models.items():
        latency, quality = model["latency_ms"], _quality(model)
        table.add_row(
            escape(f"{role}: {model['name']}"),
            model["adapter"],
            escape(f"{model['runs_on']} · {model['device']}"),
            figure(latency["p50"], 1),
            figure(latency["p99"], 1),
            *(quality.get(title, "–") for title in titles),
        )
    results.print(table)
    found = ", ".join(f"{count} {kind}" for kind, count in figures["findings"].items()) or "none"
    results.print(f"  corner cases: {found}", markup=False)
    results.print(f"  run: {figures['run']}", markup=False)


def _quality(model: dict[str, Any]) -> dict[str, str]:
    """Give the figures of a model by their titles: those of its boxes, else the first three of its task."""
    judged = model["detection"] or {}
    if "figures" in judged and "map_50_95" not in judged:
        return {name: figure(one["value"], 3) for name, one in list(judged["figures"].items())[:3]}
    boxes = {"AP": "map_50_95", "AP50": "map_50", "AP75": "map_75"}
    return {"detections": str(model["detections"])} | {
        title: figure(judged.get(name), 3) for title, name in boxes.items()
    }


def print_queue(ended: list[Ended], documents: list[dict[str, Any]]) -> None:
    """Write one line a drive."""
    table = Table(
        "drive", "verdict", "frames", "fps", "AP baseline", "AP candidate", "misses", "findings", "lost", box=None
    )
    for each, figures in zip(ended, documents, strict=True):
        if each.folder is None:
            table.add_row(escape(each.drive.name), each.outcome.value, *("–" for _ in range(7)))
            continue
        frames, models = figures["frames"], figures["models"]
        quality = [(model or {}).get("detection") or {} for model in models.values()]
        misses = "/".join(figure((model or {}).get("missed"), 0) for model in models.values() if model)
        table.add_row(
            escape(each.drive.name),
            each.outcome.value,
            str(frames["evaluated"]),
            figure(figures["fps"], 1),
            *(figure(each_quality.get("map_50_95"), 3) for each_quality in quality),
            misses,
            str(sum(figures["findings"].values())),
            str(frames["dropped"] + frames["skipped"]),
        )
    results.print(table)


def _run_one(engine: Engine, plan: RunPlan, *, quiet: bool, debug: bool, told: Callable[[Event], None] | None) -> Ended:
    if plan.truth is not None and not quiet:
        notes.print(f"{plan.source.name}: truth from {plan.truth}", markup=False)
    engine.run(plan)
    folder: Path | None = None
    with Ticker(plan.source.name) as ticker:
        while True:
            event = engine.wait(3600.0)
            if told is not None and event is not None:
                told(event)
            match event:
                case RunStarted():
                    folder = event.folder
                    ticker.expect(event.total)
                    for note in event.notes:
                        notes.print(f"{plan.source.name}: {note}", markup=False)
                case Progress():
                    ticker.advance(event.evaluated, event.fps, "frames", event.seconds_left)
                case RunFinished():
                    if event.outcome is not Outcome.PASS:
                        why = "; ".join(event.reasons)
                        notes.print(f"hilgui: {plan.source.name}: {event.outcome.value}: {why}", markup=False)
                    return Ended(plan.source, event.folder, event.outcome, "", event.outcome.exit_code)
                case RunFailed():
                    notes.print(f"hilgui: {event.sentence}", markup=False)
                    if debug:
                        notes.print(event.details, markup=False)
                    return Ended(plan.source, event.folder or folder, Outcome.ERROR, event.sentence, event.exit_code)
                case None:
                    if not engine.is_alive:
                        sentence = "the engine process ended without a word; run `hilgui doctor`"
                        notes.print(f"hilgui: {sentence}", markup=False)
                        return Ended(plan.source, folder, Outcome.ERROR, sentence, 4)


@contextmanager
def _interrupts(engine: Engine) -> Iterator[list[int]]:
    """Let Ctrl-C, and the SIGTERM of a CI system, stop the run in good order; a second one kills the engine."""
    pressed: list[int] = []

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if len(pressed) == 1:
            engine.stop("stopped by the operator" if number == signal.SIGINT else "stopped by SIGTERM")
        else:
            engine.kill()

    before = {number: signal.signal(number, on_interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield pressed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _truth(text: str | None, drive: Path) -> Path | None:
    if text == "none":
        return None
    return Path(text) if text is not None else find_truth(shown_drive(drive) or drive)


def figure(value: float | None, digits: int) -> str:
    """Write a number, or a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def _code_gravity(code: int) -> int:
    order = (0, 3, 1, 4, 2, 130)
    return order.index(code) if code in order else len(order)
