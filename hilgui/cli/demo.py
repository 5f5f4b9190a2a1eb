"""`hilgui demo`: the shipped drives through both shipped models, and what came of it in words."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from hilgui.cli.console import notes, results
from hilgui.cli.recording import who
from hilgui.cli.replaying import Ended, document, print_queue, run_queue
from hilgui.errors import BenchBroken
from hilgui.evidence.runs import note_export
from hilgui.pipeline import RunPlan
from hilgui.records import Outcome, People
from hilgui.report import comparison_in_words, export_run
from hilgui.resources import shipped
from hilgui.settings import Settings
from hilgui.store import RunReader
from hilgui.truth import find_truth

_SENTENCES = 6  # of each drive, worst news first; the report has all


def demo_plans(settings: Settings, out: Path | None = None) -> list[RunPlan]:
    """Plan one run for each shipped drive; the night drive comes last. Raises BenchBroken."""
    try:
        folder = shipped("assets/demo")
    except FileNotFoundError as failure:
        raise BenchBroken(str(failure)) from failure
    drives = sorted(folder.glob("*.mp4"), key=lambda path: ("night" in path.stem, path.stem))
    return [
        RunPlan(
            source=drive,
            baseline=folder / "baseline.onnx",
            candidate=folder / "candidate.onnx",
            out=(out or settings.runs).resolve(),
            settings=settings,
            truth=find_truth(drive),
            provider=settings.provider,
            people=People(settings.operator, settings.bench, "hilgui demo models", "demo"),
            command=tuple(sys.argv),
        )
        for drive in drives
    ]


def run_demo(settings: Settings, *, headless: bool, out: Path | None, debug: bool) -> int:
    """Replay, sum up, report; then open the application on the night drive, or print paths without a display.

    Ends 0 although the candidate loses: a red result is a value. Ends with the exit code of a bench that broke.
    """
    ended = run_queue(demo_plans(settings, out), debug=debug)
    print_queue(ended, [document(each) for each in ended])
    for each in ended:
        if each.folder is not None:
            with closing(RunReader(each.folder)) as reader:
                for sentence in comparison_in_words(reader)[:_SENTENCES]:
                    results.print(f"{each.drive.stem}: {sentence}", markup=False)
                written = export_run(reader, "html")
                note_export(settings.home, reader.header.run_id, "html", written, by=who(settings))
                results.print(f"{each.drive.stem}: report {written}", markup=False)
    broken = _first_broken(ended)
    if broken is not None:
        return broken.exit_code
    night = ended[-1].folder
    if night is None:
        return 4
    if headless or not has_display():
        if not headless:
            notes.print("There is no display; the screenshots below are rendered offscreen.")
        return _screenshots(night, settings)
    from hilgui.gui.app import run_application

    return run_application(night, settings)


def has_display() -> bool:
    """Say whether a window can open."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _first_broken(ended: list[Ended]) -> Ended | None:
    return next((each for each in ended if each.outcome is not Outcome.PASS), None)


def _screenshots(run: Path, settings: Settings) -> int:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from hilgui.gui.app import render_screenshots

    for path in render_screenshots(run, run / "screenshots", settings):
        results.print(f"screenshot {path}", markup=False)
    return 0
