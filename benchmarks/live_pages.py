"""Findings and Evaluate in the real window while a drive plays at full speed: stalls, and when figures come.

    QT_QPA_PLATFORM=xcb PYTHONPATH=benchmarks xvfb-run -a python -c "import live_pages; live_pages.main()"

Called so, processes that it starts do not read the window in first, as those of a script do.

The shipped night drive goes through both demo models. Half of the time Findings is in sight, then Evaluate: rates are
waited for, then full figures; numbers are clicked while the drive plays, and must lead to frames. A timer of 5 ms
measures the GUI thread, as `stall.py` does. 1 where one turn takes more than 50 ms of processor time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from stall import Ticks, shown_window

from hilgui.gui.bridge import Bridge
from hilgui.gui.collector import Collector
from hilgui.gui.demo import demo_request
from hilgui.gui.evaluate.page import EvaluatePage
from hilgui.gui.findings.page import FindingsPage
from hilgui.gui.main_window import MainWindow

LIMIT_MS = 50
FINDINGS_S = 10.0
PATIENCE_S = 120.0


def main() -> int:
    """Measure and print; 1 where a turn takes longer than the limit, or a number leads nowhere."""
    with tempfile.TemporaryDirectory() as folder:
        application, _, bridge, window = shown_window(Path(folder))
        collector = Collector(window)
        window.launcher.start(demo_request())
        until(application, lambda: bridge.folder is not None)
        worst = [look_at_findings(application, window), look_at_evaluate(application, window, bridge)]
        until(application, lambda: not bridge.is_busy)
        window.close()
        collector.close()
    ratio = max(worst) / LIMIT_MS
    print(f"longest turn {max(worst):.0f} ms of processor time, limit {LIMIT_MS} ms: ratio {ratio:.2f}")
    return 0 if ratio <= 1 else 1


def look_at_findings(application: QApplication, window: MainWindow) -> float:
    """Let findings come in; give the longest turn in ms."""
    window.show_page("findings")
    page = window.pages.page("findings")
    assert isinstance(page, FindingsPage)
    ticks, began_s = Ticks(), time.perf_counter()
    until(application, lambda: time.perf_counter() - began_s > FINDINGS_S)
    ticks.stop("findings")
    print(f"    {page.model.rowCount():,} findings after {FINDINGS_S:.0f} s")
    return max(ticks.busy)


def look_at_evaluate(application: QApplication, window: MainWindow, bridge: Bridge) -> float:
    """Wait for figures, click some; give the longest turn in ms."""
    ticks, began_s, busy_s = Ticks(), time.perf_counter(), time.thread_time()
    window.show_page("evaluate")
    print(f"    the page is made in {(time.thread_time() - busy_s) * 1e3:.0f} ms of processor time, once")
    page = window.pages.page("evaluate")
    assert isinstance(page, EvaluatePage)
    until(application, lambda: page.measured is not None and bool(page.measured.figures))
    print(f"    rates after {time.perf_counter() - began_s:.1f} s")
    until(application, lambda: page.measured is not None and bool(page.measured.kept))
    assert page.measured is not None
    print(f"    every figure after {time.perf_counter() - began_s:.1f} s, of {page.measured.frames} frames; ", end="")
    print("the drive plays" if bridge.is_busy else "the drive had ended")
    links = [cell.link for table in (page.figures, page.classes) for row in table.rows for cell in row if cell.link]
    led = clicked = 0
    for link in links:
        if not bridge.is_busy:
            break
        clicked += 1
        page.show_behind(link)
        until(application, lambda: not page.frames.is_looking)
        led += bool(page.frames.table.rows)
    print(f"    {clicked} of {len(links)} numbers clicked while the drive plays, {led} led to frames, ", end="")
    print(f"{clicked - led} to the sentence that no frame has such an error")
    until(application, lambda: page.measured is not None and not page.measured.is_behind)
    print(f"    of all frames after {time.perf_counter() - began_s:.1f} s: {page.measured.frames}")
    ticks.stop("evaluate")
    return max(ticks.busy)


def until(application: QApplication, is_done: Callable[[], bool]) -> None:
    """Let the window live until something is true."""
    deadline_s = time.perf_counter() + PATIENCE_S
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: application.exit(0) if is_done() or time.perf_counter() > deadline_s else None)
    timer.start()
    application.exec()
    assert is_done(), "it did not come in time"


if __name__ == "__main__":
    sys.exit(main())
