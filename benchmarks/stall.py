"""The real window while a drive replays again and again at full speed: how late its events come, what it costs.

    QT_QPA_PLATFORM=xcb xvfb-run -a -s '-screen 0 1400x900x24' python benchmarks/stall.py [--seconds 60]
                                                       [--sides 640 320 | --drive D --baseline M [--truth T]]
                                                       [--pairs N [--frames F]]

A timer of 5 ms in the GUI thread measures its lateness, and the processor time that this thread spent between two
ticks: a stall of real time that is none of processor time is the machine's. Idle first, then under load. At the end the
processor time of the window beside that of the engine, while drives are replayed. Without a drive the shipped night
drive goes through both demo models. `--sides` makes a drive of 1280 × 720 with labels and detectors of YOLOv8n's size,
as `replay.py` does, and measures each.

`--pairs` measures nothing else than what the window adds: each drive in turn with the window open and by an engine
that nobody looks at, N times; processor time of all processes a frame, and frames a second, from a quarter of the
drive to its end, each pair's ratio. In the latter the window stays on the screen and is not served.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from decode import make_video
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication
from replay import made_case

from hilgui.engine import Engine, RunFailed, RunFinished
from hilgui.gui.bridge import Bridge, spawn_engine
from hilgui.gui.demo import demo_request
from hilgui.gui.main_window import MainWindow
from hilgui.gui.memory import Memory
from hilgui.gui.qt_environment import create_application
from hilgui.gui.run_request import RunRequest, plan_of
from hilgui.gui.theme import Theme
from hilgui.pipeline import Progress, RunPlan
from hilgui.settings import Settings

TICK_MS = 5


class Ticks:
    """Counts ticks of the GUI thread; times in milliseconds."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.busy: list[float] = []
        self._before = (time.perf_counter(), time.thread_time())
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def stop(self, name: str) -> None:
        """Stop and print."""
        self._timer.stop()
        for what, values in (("late", self.late), ("busy (processor)", self.busy)):
            p50, p99 = np.quantile(values, (0.5, 0.99))
            over = sum(value > 50 for value in values)
            print(
                f"  {name:10} {what:18} p50 {p50:6.2f}  p99 {p99:7.2f}  most {max(values):8.2f} ms  over 50 ms: {over}"
            )

    def _tick(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        self.late.append(max((now - self._before[0]) * 1e3 - TICK_MS, 0.0))
        self.busy.append((busy - self._before[1]) * 1e3)
        self._before = (now, busy)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sides", type=int, nargs="*", default=[], help="sides of made detectors")
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--frames", type=int, default=120, help="of the drive that --sides makes")
    parser.add_argument("--drive", type=Path)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--truth", type=Path)
    given = parser.parse_args()
    if given.drive and not given.baseline:
        parser.error("--drive needs --baseline")
    with tempfile.TemporaryDirectory() as folder:
        requests = {str(side): request for side, request in made_requests(Path(folder), given.sides, given.frames)}
        if given.drive is not None:
            truth = "none" if given.truth is None else str(given.truth)
            requests[given.drive.name] = RunRequest(str(given.drive), truth, str(given.baseline), provider="cpu")
        requests = requests or {"demo": demo_request()}
        if given.pairs:
            compare(requests, Path(folder), given.pairs)
        else:
            measure(requests, Path(folder), given.seconds)


def made_requests(folder: Path, sides: list[int], frames: int = 120) -> list[tuple[int, RunRequest]]:
    """Make the drive and a detector with labels for each side."""
    if not sides:
        return []
    drive = make_video(folder / "made.mp4", frames=frames)
    cases = [(side, made_case(folder, side, drive, shadow=False)) for side in sides]
    return [(side, RunRequest(str(drive), str(case.truth), str(case.baseline), provider="cpu")) for side, case in cases]


def shown_window(home: Path) -> tuple[QApplication, Settings, Bridge, MainWindow]:
    """Show the real window."""
    application = create_application(sys.argv[:1])
    settings = Settings(home=home, disk_reserve_mb=0)
    bridge = Bridge(spawn_engine)
    window = MainWindow(settings, Theme(application, "dark"), bridge, Memory(settings.home))
    window.resize(1280, 720)
    window.show()
    print(f"platform {application.platformName()}")
    return application, settings, bridge, window


def compare(requests: dict[str, RunRequest], home: Path, pairs: int) -> None:
    """Run each request with the window open and without a screen, in turn."""
    application, settings, bridge, window = shown_window(home)
    unseen = Engine()
    for name, request in requests.items():
        ratios: dict[str, list[float]] = {"processor time": [], "time": []}
        for number in range(pairs + 1):
            open_ms = Stretch.of_window(application, window, bridge, request)
            closed_ms = Stretch.of_engine(unseen, plan_of(request, settings))
            if not number:
                continue  # warming up
            for what, seen, bare in zip(ratios, open_ms, closed_ms, strict=True):
                ratios[what].append(seen / bare)
            print(f"  {name}: window open {open_ms[0]:.1f} ms of processor time a frame, {open_ms[1]:.1f} ms; ", end="")
            print(f"nobody looks {closed_ms[0]:.1f} and {closed_ms[1]:.1f}")
        for what, each in ratios.items():
            listed = ", ".join(f"{100 * (ratio - 1):+.1f}" for ratio in each)
            print(f"  {name}: the window adds {100 * (float(np.median(each)) - 1):+.1f} % {what} a frame  ({listed})")
    unseen.close()
    window.close()


class Stretch:
    """From the first progress after a quarter of a drive to its end: processor and real time a frame, in ms."""

    def __init__(self) -> None:
        self._begin: tuple[int, float, float] | None = None
        self._last = 0
        self.told: tuple[float, float] | None = None

    def take(self, progress: Progress) -> None:
        """Count; begin where a quarter is done."""
        self._last = progress.evaluated
        if self._begin is None and progress.seconds_left is not None and progress.fps:
            total = progress.evaluated + progress.seconds_left * progress.fps
            if progress.evaluated >= total / 4:
                self._begin = (progress.evaluated, used_s(), time.perf_counter())

    def end(self) -> None:
        """Compute."""
        assert self._begin is not None, "too short a drive: give more --frames"
        first, busy, clock = self._begin
        frames = self._last - first
        self.told = ((used_s() - busy) * 1e3 / frames, (time.perf_counter() - clock) * 1e3 / frames)

    @classmethod
    def of_window(
        cls, application: QApplication, window: MainWindow, bridge: Bridge, request: RunRequest
    ) -> tuple[float, float]:
        """Run with the window open."""
        stretch = cls()
        connections = [
            bridge.progress.connect(stretch.take),
            bridge.run_finished.connect(lambda _event: (stretch.end(), application.exit(0))),
        ]
        window.launcher.start(request)
        application.exec()
        for connection in connections:
            QObject.disconnect(connection)
        assert stretch.told is not None
        return stretch.told

    @classmethod
    def of_engine(cls, engine: Engine, plan: RunPlan) -> tuple[float, float]:
        """Run where nobody looks."""
        stretch = cls()
        engine.run(plan)
        while stretch.told is None:
            event = engine.wait(1.0)
            if isinstance(event, Progress):
                stretch.take(event)
            elif isinstance(event, RunFinished):
                stretch.end()
            elif isinstance(event, RunFailed):
                raise SystemExit(event.sentence)
        return stretch.told


def used_s() -> float:
    """Give the processor time of this process and its living children."""
    return time.process_time() + children_s()


def measure(requests: dict[str, RunRequest], home: Path, seconds: float) -> None:
    """Show the window; let each request run again and again for so long."""
    application, _, bridge, window = shown_window(home)
    watch(application, 5.0, "idle")
    runs = Runs(window, bridge)
    for name, request in requests.items():
        runs.begin(request)
        watch(application, seconds, name)
        runs.begin(request)  # counted from here on: the ticks themselves cost
        QTimer.singleShot(round(seconds * 1000), lambda: application.exit(0))
        application.exec()
        runs.end()
        while bridge.is_busy:
            application.processEvents()
        print(f"  {name}: {runs.shown} pictures in {runs.spent_s:.1f} s; ", end="")
        print(f"window {runs.window_s:.2f} s of processor time, engine {runs.engine_s:.1f} s: ", end="")
        print(f"{100 * runs.window_s / runs.engine_s:.1f} %")
        print(f"    opening and ending {runs.started} runs: {runs.all_s - runs.window_s:.2f} s of the window's more")
    window.close()


class Runs:
    """Starts the next run when one has ended; counts processor time while pictures come, and all of the window's."""

    def __init__(self, window: MainWindow, bridge: Bridge) -> None:
        self._window = window
        self._bridge = bridge
        self._request: RunRequest | None = None
        self._before: tuple[float, float, float] | None = None
        bridge.frame_shown.connect(lambda _shown: self._count_shown())
        bridge.run_finished.connect(lambda _finished: self._again())

    def begin(self, request: RunRequest) -> None:
        """Count from nothing."""
        self.started = self.shown = 0
        self.spent_s = self.window_s = self.engine_s = 0.0
        self._all_s = time.process_time()
        self._request, self._before = request, None
        if not self._bridge.is_busy:
            self._next()

    def end(self) -> None:
        """Count no further; the run under way is the last."""
        self._add()
        self.all_s = time.process_time() - self._all_s
        self._request = None

    def _count_shown(self) -> None:
        if self._request is None:
            return
        self.shown += 1
        if self._before is None:
            self._before = (time.perf_counter(), time.process_time(), children_s())

    def _add(self) -> None:
        if self._before is not None:
            now = (time.perf_counter(), time.process_time(), children_s())
            spent, window, engine = (a - b for a, b in zip(now, self._before, strict=True))
            self.spent_s, self.window_s = self.spent_s + spent, self.window_s + window
            self.engine_s += engine
            self._before = None

    def _again(self) -> None:
        self._add()
        if self._request is not None:
            QTimer.singleShot(200, self._next)

    def _next(self) -> None:
        if self._request is not None:
            self.started += 1
            self._window.launcher.start(self._request)


def children_s() -> float:
    """Give the processor time of the living children of this process, in seconds; Linux."""
    ticks = 0
    for child in multiprocessing.active_children():
        fields = Path(f"/proc/{child.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def watch(application: QApplication, seconds: float, name: str) -> None:
    """Let the window live for a while."""
    ticks = Ticks()
    QTimer.singleShot(round(seconds * 1000), lambda: application.exit(0))
    application.exec()
    ticks.stop(name)


if __name__ == "__main__":
    main()
