"""The Findings page in the real window with 100,000 findings: how long the GUI thread is busy while somebody triages.

    QT_QPA_PLATFORM=xcb xvfb-run -a -s '-screen 0 1400x900x24' python benchmarks/triage_window.py [--home H] [--count N]

A timer of 5 ms in the GUI thread does one thing a tick, as a quick hand does, with real keys and clicks, and measures
how late the tick comes and how much processor time the thread spent since the last one: lateness that is none of
processor time is the machine's, or a thread's that holds the interpreter. 1 where one turn takes more than 50 ms of
processor time. `--home` uses findings that are there; what is decided is taken back.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from stall import TICK_MS, shown_window

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hilgui.gui.collector import Collector
from hilgui.gui.findings.page import FindingsPage
from tests.unit.triage.many import make_run

LIMIT_MS = 50
RUNS = 20
ACTS = 200
Key = Qt.Key


def journey(page: FindingsPage) -> Iterator[str | None]:
    """Do one thing after the other: names what comes next, gives None where the window gets its turn."""
    table, bar, text = page.table, page.table.verticalScrollBar(), page.filters.text
    page.window().activateWindow()
    while not page.isActiveWindow():
        yield None
    yield "first look"
    yield from idle(page)
    yield "scroll by the page"
    for _ in range(ACTS):
        bar.setValue(bar.value() + 20)
        yield None
    yield "jump about"
    for number in range(ACTS):
        bar.setValue(number * 7919 % max(bar.maximum(), 1))
        yield None
    yield "next finding (Down)"
    for _ in range(ACTS):
        QTest.keyClick(table, Key.Key_Down)
        yield None
    yield "triage by single keys"
    for number in range(60):
        QTest.keyClick(table, (Key.Key_1, Key.Key_2, Key.Key_5)[number % 3])
        yield None
        QTest.keyClick(table, Key.Key_Down)
        yield None
    yield from idle(page)
    yield "undo"
    for _ in range(60):
        QTest.keyClick(table, Key.Key_U)
        yield None
    yield from idle(page)
    for word in ("truck", "77", "zzzz"):
        yield f"search “{word}”"
        for letter in word:
            QTest.keyClicks(text, letter)
            yield None
        yield from idle(page)
        text.clear()
        yield from idle(page)
    yield "filter and order"
    for kind in ("phantom", "flicker"):
        page.filters.chips["kinds"].choose((kind,))
        page.filters.changed.emit()
        yield from idle(page)
    page.filters.take_all_away()
    yield from idle(page)
    for order in ("time", "class", "badness"):
        page.filters.set_order(order, False)
        yield from idle(page)
    yield "triage of open ones only"
    QTest.keyClick(table, Key.Key_O)
    yield from idle(page)
    for _ in range(10):
        QTest.keyClick(table, Key.Key_3)
        yield from idle(page)
    for _ in range(10):
        QTest.keyClick(table, Key.Key_U)
        yield from idle(page)
    QTest.keyClick(table, Key.Key_O)
    yield from idle(page)
    yield "choose all, decide, undo"
    for key in (Key.Key_A, Key.Key_5, Key.Key_U):
        QTest.keyClick(table, key, Qt.KeyboardModifier.ControlModifier if key is Key.Key_A else Qt.KeyboardModifier(0))
        yield from idle(page)
    yield "stories"
    QTest.keyClick(table, Key.Key_G)
    yield from idle(page)
    if page.stories.cards:
        page.open_story(page.stories.cards[0])
        yield from idle(page)
        page.open_story(None)
        yield from idle(page)


def idle(page: FindingsPage) -> Iterator[None]:
    """Give turns until the page has answered, also what it asks after a moment of rest."""
    quiet = 0
    while quiet < 60:
        quiet = 0 if page.is_busy else quiet + 1
        yield None


class Hand:
    """Goes on a journey, one step a tick, and measures the turns of each part in milliseconds."""

    def __init__(self, application: QApplication, steps: Iterator[str | None]) -> None:
        self.longest_ms = 0.0
        self._application = application
        self._steps = steps
        self._part = "start"
        self._turns: list[tuple[float, float]] = []  # late, busy
        self._before = (time.perf_counter(), time.thread_time())
        self._timer = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now, busy = time.perf_counter(), time.thread_time()
        late_ms = max((now - self._before[0]) * 1e3 - TICK_MS, 0.0)
        self._turns.append((late_ms, (busy - self._before[1]) * 1e3))
        self._before = (now, busy)
        try:
            part = next(self._steps)
        except StopIteration:
            self._timer.stop()
            self._application.exit(0)
            part = "end"
        if part is not None:
            self._tell()
            self._part, self._turns = part, []

    def _tell(self) -> None:
        late, busy = np.array(self._turns).T
        self.longest_ms = max(self.longest_ms, busy.max())
        print(f"  {self._part:26} {len(busy):5} turns", end="")
        for what, values in (("late", late), ("busy", busy)):
            print(f"  {what} p50 {np.median(values):5.1f}  p99 {np.quantile(values, 0.99):6.1f}", end="")
            print(f"  most {values.max():6.1f} ms", end="")
        print(flush=True)


def main() -> int:
    """Measure and print; 1 where a turn takes longer than the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = given.home or Path(folder)
        if not (home / "runs").is_dir():
            for number in range(RUNS):
                make_run(home / "runs", given.count // RUNS, f"run-{number:02d}", drive=f"drive{number}.mp4")
        application, _, _, window = shown_window(home)
        collector = Collector(window)
        window.show_page("findings")
        page = window.pages.page("findings")
        assert isinstance(page, FindingsPage)
        hand = Hand(application, journey(page))
        application.exec()
        print(f"{page.model.rowCount():,} findings")
        window.close()
        collector.close()
    ratio = hand.longest_ms / LIMIT_MS
    print(f"longest turn {hand.longest_ms:.0f} ms of processor time, limit {LIMIT_MS} ms: ratio {ratio:.2f}")
    return 0 if ratio <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
