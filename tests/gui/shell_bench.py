"""Stand-ins for the tests of the frame: an engine that behaves, and a page that says what it was asked."""

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hilgui.engine import RunFinished, RunStarted, Shown
from hilgui.errors import EngineLost
from hilgui.gui.page import RunPage
from hilgui.gui.pages import PAGES
from hilgui.pipeline import Progress
from hilgui.records import FrameHealth, FrameRef, Moment, Outcome, Role


def progress(evaluated: int, *, total: int = 100) -> Progress:
    return Progress(
        captured=evaluated,
        evaluated=evaluated,
        dropped=0,
        skipped=0,
        fps=25.0,
        latency_ms={Role.BASELINE: (10.0, 20.0)},
        findings=3,
        seconds_left=(total - evaluated) / 25,
        time_s=evaluated / 25,
    )


def shown(seq: int) -> Shown:
    ref = FrameRef(seq, f"frame#{seq}", seq / 25, datetime(2026, 1, 1, tzinfo=UTC), seq, 16, 9)
    moment = Moment(ref, FrameHealth(0.0, 0.0, 0.0, 0.0), None, {})
    return Shown(ref, np.zeros((9, 16, 3), np.uint8), moment)


class FakeEngine:
    """Keeps the promises of the engine without a process: events wait until they are polled."""

    def __init__(self, folder: Path = Path("run"), *, starts: bool = True) -> None:
        self.folder = folder
        self.starts = starts
        self.events = deque()
        self.frame = None
        self.looks = []
        self.plan = None
        self.is_held = False
        self.is_closed = False

    def run(self, plan) -> None:
        if not self.starts:
            raise EngineLost("the engine is not running; start the run again")
        self.plan = plan
        self.events.append(RunStarted(self.folder, "run-1", 100))

    def pause(self) -> None:
        self.is_held = True

    def resume(self) -> None:
        self.is_held = False

    def stop(self, reason: str = "") -> None:
        self.events.append(RunFinished(self.folder, Outcome.ABORTED, (reason,)))

    def poll(self):
        events = list(self.events)
        self.events.clear()
        return events

    def look_at(self, cut, period_s) -> None:
        self.looks.append((cut, period_s))

    def newest(self):
        frame, self.frame = self.frame, None
        return frame

    def close(self) -> None:
        self.is_closed = True


class FakePage(RunPage):
    """A Replay page that remembers which run it was given."""

    def __init__(self, bench, parent) -> None:
        super().__init__(parent)
        self.runs = []
        self.frames = []
        self.bridge = None
        self.is_remembered = False

    def open_run(self, folder: Path, seq: int | None = None) -> None:
        self.runs.append(folder)
        self.frames.append(seq)

    def follow(self, bridge) -> None:
        self.bridge = bridge

    def close_run(self) -> None:
        self.runs.clear()

    def close_page(self) -> None:
        self.is_remembered = True

    def shortcuts(self):
        return [("Space", "Play or pause")]


def fake_pages():
    """The pages of the rail, with a stand-in for Replay."""
    return tuple(replace(entry, make=FakePage) if entry.name == "replay" else entry for entry in PAGES)
