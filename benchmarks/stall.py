"""The real window while the shipped night drive replays again and again at full speed: how late its events come.

    xvfb-run -a -s '-screen 0 1400x900x24' python benchmarks/stall.py [--seconds 60]

A timer of 5 ms in the GUI thread measures its lateness, and the processor time that this thread spent between two
ticks: a stall of real time that is none of processor time is the machine's. Idle first, then under load. At the end the
processor time of the window beside that of the engine.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from hilgui.gui.bridge import Bridge, spawn_engine
from hilgui.gui.demo import demo_request
from hilgui.gui.main_window import MainWindow
from hilgui.gui.memory import Memory
from hilgui.gui.qt_environment import create_application
from hilgui.gui.theme import Theme
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
    given = parser.parse_args()
    application = create_application(sys.argv[:1])
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        bridge = Bridge(spawn_engine)
        window = MainWindow(settings, Theme(application, "dark"), bridge, Memory(settings.home))
        window.resize(1280, 720)
        window.show()
        print(f"platform {application.platformName()}")
        watch(application, 5.0, "idle")
        runs = Runs(window, bridge)
        started, busy = time.perf_counter(), time.process_time()
        runs.start()
        watch(application, given.seconds, "replaying")
        busy, spent = time.process_time() - busy, time.perf_counter() - started
        bridge.close()
        window.deleteLater()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    engine = children.ru_utime + children.ru_stime
    print(f"  {runs.finished} drives finished in {spent:.0f} s; window {busy:.1f} s of processor time, ", end="")
    print(f"engine {engine:.1f} s: {100 * busy / engine:.1f} %")


class Runs:
    """Starts the next run when one has ended."""

    def __init__(self, window: MainWindow, bridge: Bridge) -> None:
        self._window = window
        self.finished = 0
        bridge.run_finished.connect(self._again)

    def start(self) -> None:
        """Start a run."""
        self._window.launcher.start(demo_request())

    def _again(self, _finished: object) -> None:
        self.finished += 1
        QTimer.singleShot(200, self.start)


def watch(application: QApplication, seconds: float, name: str) -> None:
    """Let the window live for a while."""
    ticks = Ticks()
    QTimer.singleShot(round(seconds * 1000), application.quit)
    application.exec()
    ticks.stop(name)


if __name__ == "__main__":
    main()
