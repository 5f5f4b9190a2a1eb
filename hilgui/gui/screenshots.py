"""Pictures of the real window in both themes: for the docs, and for machines without a display."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from hilgui.errors import BenchBroken
from hilgui.gui.bridge import Bridge, spawn_engine
from hilgui.gui.cases.page import CasesPage
from hilgui.gui.compare.page import ComparePage
from hilgui.gui.decide.page import DecidePage
from hilgui.gui.evaluate.page import EvaluatePage
from hilgui.gui.evaluate.sheets import Link
from hilgui.gui.findings.page import FindingsPage
from hilgui.gui.library.page import LibraryPage
from hilgui.gui.main_window import MainWindow
from hilgui.gui.memory import Memory
from hilgui.gui.replay.page import ReplayPage
from hilgui.gui.rig.link import RigLink
from hilgui.gui.rig.page import RigPage
from hilgui.gui.robustness.page import RobustnessPage
from hilgui.gui.theme import Choice, Theme
from hilgui.resources import shipped
from hilgui.rigs.arming import State
from hilgui.settings import Settings

_SIZE = (1600, 1000)
_PATIENCE_S = 60.0
_LONG_S = 300.0  # to judge a whole run again on a small machine
_LOOK_EVERY_MS = 20
_SETTLE_MS = 200  # for what paints itself a moment after its data came
_WATCH_MS = 4000  # of signals, so that there is something to see
_CASE = "night_pedestrian"
_BENCH = "assets/rigs/supply_bench.yaml"
_GATE, _GATE_RUNS = "assets/demo/gate.yaml", "demo-gate-candidate"
_THEMES: tuple[Choice, ...] = ("dark", "light")


def render(application: QApplication, run: Path, out: Path, settings: Settings) -> list[Path]:
    """Render every page in both themes, Replay at the worst finding; returns the paths of the pictures.

    Remembers nothing and starts no engine; the rig is a simulated one, its journal is forgotten. Raises BenchBroken
    when the run does not appear in time.
    """
    out.mkdir(parents=True, exist_ok=True)
    theme = Theme(application, "dark")
    with tempfile.TemporaryDirectory(prefix="hilgui-screen-") as home:
        rig = RigLink(Path(home))
        window = MainWindow(settings, theme, Bridge(spawn_engine), Memory(Path(home)), rig=rig)
        window.setWindowState(Qt.WindowState.WindowNoState)  # it fills the offscreen platform's small screen
        window.resize(*_SIZE)
        window.show()
        try:
            return _pictures(window, theme, run, out, settings.runs)
        finally:
            window.close()
            window.deleteLater()


def _pictures(window: MainWindow, theme: Theme, run: Path, out: Path, runs: Path) -> list[Path]:
    paths = []
    window.open_run(run)
    page = window.page
    if not isinstance(page, ReplayPage):
        raise BenchBroken(f"{run} cannot be shown; is it a run folder?", path=run)
    _wait(lambda: page.player.picture is not None, f"{run} does not appear on the screen; try `hilgui runs show`")
    if page.drive is not None and page.drive.findings:
        page.action("worst").trigger()
        _wait(lambda: not page.player.is_waiting, f"the worst finding of {run} does not appear")
    paths += _shoot_both(window, theme, out, "replay")
    window.show_page("findings")
    findings = cast("FindingsPage", window.pages.page("findings"))
    _wait(lambda: not findings.is_busy, "the findings do not appear")
    if findings.current is not None:
        _wait(lambda: findings.clip.player.picture is not None, "the clip of the worst finding does not appear")
        findings.clip.go_to_worst()
        _wait(lambda: not findings.clip.player.is_waiting, "the worst frame does not appear")
    paths += _shoot_both(window, theme, out, "findings")
    paths += _shoot_explanation(window, theme, out, findings)
    window.show_page("evaluate")
    evaluate = cast("EvaluatePage", window.pages.page("evaluate"))
    _wait(lambda: not evaluate.is_busy and evaluate.measured is not None, "the figures do not appear", _LONG_S)
    if evaluate.measured is not None and evaluate.measured.roles:
        evaluate.show_behind(Link(evaluate.measured.roles[-1], "recall"))
        _wait(lambda: not evaluate.is_busy, "the frames behind the recall do not appear", _LONG_S)
    paths += _shoot_both(window, theme, out, "evaluate")
    window.show_page("compare")
    compare = cast("ComparePage", window.pages.page("compare"))
    _wait(lambda: not compare.is_busy, "the differences do not appear", _LONG_S)
    if compare.compared is not None:
        _wait(
            lambda: compare.left.player.picture is not None and compare.right.player.picture is not None,
            "the pictures of both runs do not appear",
        )
    paths += _shoot_both(window, theme, out, "compare")
    paths += _shoot_cases(window, theme, out)
    paths += _shoot_rig(window, theme, out)
    paths += _shoot_decide(window, theme, out, runs)
    paths += _shoot_robustness(window, theme, out)
    paths += _shoot_library(window, theme, out)
    return paths


def _shoot_explanation(window: MainWindow, theme: Theme, out: Path, findings: FindingsPage) -> list[Path]:
    """Take the explanation of the finding in sight, where one is kept."""
    findings.sheets.setCurrentWidget(findings.explanation)
    _wait(lambda: not findings.is_busy, "the explanation does not appear")
    is_there = findings.explanation.explanation is not None
    paths = _shoot_both(window, theme, out, "explanation") if is_there else []
    findings.sheets.setCurrentWidget(findings.panel)
    return paths


def _shoot_decide(window: MainWindow, theme: Theme, out: Path, runs: Path) -> list[Path]:
    """Take the Decide page with the decision about the demo's candidate, where `hilgui demo --gate` has run."""
    window.show_page("decide")
    page = cast("DecidePage", window.pages.page("decide"))
    _wait(lambda: not page.is_busy, "the runs to decide from do not appear", _LONG_S)
    if (runs / _GATE_RUNS).is_dir():
        page.chooser.add_folder(runs / _GATE_RUNS)
        page.plan.text = str(shipped(_GATE))
        _wait(lambda: not page.chooser.is_busy, "the plan does not appear")
        page.decide()
        _wait(lambda: not page.is_busy and page.decided is not None, "the decision does not appear", _LONG_S)
    return _shoot_both(window, theme, out, "decide")


def _shoot_robustness(window: MainWindow, theme: Theme, out: Path) -> list[Path]:
    """Take the Robustness page with the newest result, at what hurt most."""
    window.show_page("robustness")
    page = cast("RobustnessPage", window.pages.page("robustness"))
    _wait(lambda: not page.is_busy, "the robustness results do not appear")
    page.view.show_worst()
    return _shoot_both(window, theme, out, "robustness")


def _shoot_library(window: MainWindow, theme: Theme, out: Path) -> list[Path]:
    """Take the three views of the Library page."""
    window.show_page("library")
    library = cast("LibraryPage", window.pages.page("library"))
    paths = []
    views = (("library", library.runs), ("models", library.models), ("recordings", library.recordings))
    for name, view in views:
        library.tabs.setCurrentWidget(view)
        _wait(lambda: not library.is_reading, "the library does not appear", _LONG_S)
        paths += _shoot_both(window, theme, out, name)
    return paths


def _shoot_cases(window: MainWindow, theme: Theme, out: Path) -> list[Path]:
    """Take the Test cases page with the shipped cases, at one that judges a model."""
    window.show_page("cases")
    cases = cast("CasesPage", window.pages.page("cases"))
    _wait(lambda: not cases.is_reading and cases.tree.topLevelItemCount() > 0, "the test cases do not appear")
    cases.tree.choose(_CASE)
    return _shoot_both(window, theme, out, "cases")


def _shoot_rig(window: MainWindow, theme: Theme, out: Path) -> list[Path]:
    """Take the Rig page with a simulated bench that a person has selected; nothing is armed for a picture."""
    window.show_page("rig")
    page, link = cast("RigPage", window.pages.page("rig")), window.rig
    page.open_rig(shipped(_BENCH))
    _wait(lambda: bool(link.readings), "the simulated bench does not start", _LONG_S)
    page.arm.press("select")
    _wait(lambda: link.state is State.SAFE and link.arming.is_verified, "the simulated bench is not safe", _LONG_S)
    _pause(_WATCH_MS)
    paths = _shoot_both(window, theme, out, "rig")
    link.close()
    _wait(lambda: not link.is_closing, "the simulated bench does not end", _LONG_S)
    return paths


def _shoot_both(window: MainWindow, theme: Theme, out: Path, name: str) -> list[Path]:
    """Take what is in sight in both themes."""
    paths = []
    for choice in _THEMES:
        theme.choose(choice)
        paths.append(_shoot(window, out / f"{name}-{choice}.png"))
    return paths


def _shoot(window: MainWindow, path: Path) -> Path:
    _pause(_SETTLE_MS)
    if not window.grab().save(str(path)):
        raise BenchBroken(f"{path} cannot be written; is the disk full or the folder read-only?", path=path)
    return path


def _wait(is_done: Callable[[], bool], sentence: str, patience_s: float = _PATIENCE_S) -> None:
    """Let the event loop run until something is true; raises BenchBroken with the sentence."""
    loop = QEventLoop()
    timer = QTimer()
    timer.setInterval(_LOOK_EVERY_MS)
    deadline = time.monotonic() + patience_s
    timer.timeout.connect(lambda: loop.quit() if is_done() or time.monotonic() > deadline else None)
    timer.start()
    loop.exec()
    if not is_done():
        raise BenchBroken(f"{sentence} (waited {patience_s:.0f} s)")


def _pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
