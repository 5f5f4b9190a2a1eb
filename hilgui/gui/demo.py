"""The demo as the screen offers it: the shipped night drive through both shipped models."""

from __future__ import annotations

from pathlib import Path

from hilgui.errors import BenchBroken, StoreBroken
from hilgui.gui.run_request import RunRequest
from hilgui.resources import shipped

_DRIVE = "night.mp4"


def demo_request() -> RunRequest:
    """Ask for the night drive with truth and both models; raises BenchBroken naming what is not installed."""
    paths = {"source": _DRIVE, "truth": "night.coco.json", "baseline": "baseline.onnx", "candidate": "candidate.onnx"}
    try:
        return RunRequest(**{field: str(shipped(f"assets/demo/{name}")) for field, name in paths.items()}, notes="demo")
    except FileNotFoundError as failure:
        raise BenchBroken(f"the demo is not complete: {failure}") from failure


def finished_demo(runs: Path) -> Path | None:
    """Find the newest complete run of the night drive with both models; reads run headers, so use an errand."""
    from hilgui.store import run_folders  # here and below: loaded by the errand, not by the window

    return next((folder for folder in run_folders(runs) if _is_demo(folder)), None)


def _is_demo(folder: Path) -> bool:
    from hilgui.records import Outcome, Role
    from hilgui.store import RunReader

    try:
        reader = RunReader(folder)
    except StoreBroken:  # not ours to report: the Library lists it with its problem
        return False
    try:
        source = reader.header.source
        is_night = source.name == _DRIVE or Path(source.path).name == _DRIVE
        verdict = reader.verdict
        is_complete = verdict is not None and verdict.outcome is Outcome.PASS
        models = reader.header.models
        return is_night and is_complete and Role.CANDIDATE in models and _is_shipped(models[Role.CANDIDATE].path)
    except StoreBroken:
        return False
    finally:
        reader.close()


def _is_shipped(path: str) -> bool:
    return Path(path).parent.name == "demo"
