"""Starts the application, or renders its pictures without a display."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from hilgui.errors import BenchBroken
from hilgui.gui.bridge import Bridge, spawn_engine
from hilgui.gui.collector import Collector
from hilgui.gui.main_window import MainWindow
from hilgui.gui.memory import Memory
from hilgui.gui.pages import PAGES
from hilgui.gui.preload import Preload
from hilgui.gui.qt_environment import create_application
from hilgui.gui.stall_watch import StallWatch
from hilgui.gui.theme import Choice, Theme
from hilgui.gui.typed_path import is_folder
from hilgui.settings import Settings

if TYPE_CHECKING:
    from hilgui.engine.metrics import MetricsServer

log = logging.getLogger(__name__)


def run_application(open_run: Path | None, settings: Settings) -> int:
    """Show the window until it is closed; opens `open_run`, else what was open last. Returns the exit status."""
    application = create_application(sys.argv)
    memory = Memory(settings.home)
    theme = Theme(application, _theme_choice(settings, memory))
    bridge = Bridge(spawn_engine)
    window = MainWindow(settings, theme, bridge, memory)
    trouble = Trouble()
    trouble.happened.connect(window.messages.show_error)
    trouble.watch()
    StallWatch(window)
    collector = Collector(window)
    preload = Preload(PAGES, window)
    preload.done.connect(collector.settle)
    metrics = _serve_metrics(settings, window, bridge)
    window.show()
    folder = open_run or _last_run(memory)
    if folder is not None:
        QTimer.singleShot(0, window, lambda: window.open_run(folder))
    try:
        return application.exec()
    finally:
        preload.close()
        collector.close()
        if metrics is not None:
            metrics.close()
        trouble.forget()
        bridge.close()


def _serve_metrics(settings: Settings, window: MainWindow, bridge: Bridge) -> MetricsServer | None:
    """Let Prometheus ask, where the settings name a port; a port that is taken is told, the window opens anyway."""
    if not settings.metrics_port:
        return None
    from hilgui.engine.metrics import Metrics, MetricsServer  # only where somebody may ask

    metrics = Metrics()
    try:
        server = MetricsServer(metrics, settings.metrics_port, settings.metrics_host)
    except BenchBroken as failure:
        window.messages.show_error(str(failure), "")
        return None
    for signal in (bridge.run_started, bridge.progress, bridge.run_finished, bridge.run_failed):
        signal.connect(metrics.take)
    rig = window.rig
    for changed in (rig.state_changed, rig.updated):
        changed.connect(lambda: metrics.take_rig(rig.state, rig.blocked))
    rig.closed.connect(lambda: metrics.take_rig(None))
    return server


def render_screenshots(run: Path, out: Path, settings: Settings | None = None) -> list[Path]:
    """Render the window on a stored run in both themes; see `screenshots.render`."""
    from hilgui.gui.screenshots import render  # brings the plots along

    application = create_application([sys.argv[0]])
    collector = Collector(application)
    try:
        return render(application, run, out, settings or Settings())
    finally:
        collector.close()


class Trouble(QObject):
    """Catches what nobody caught, on any thread: logs it and shows it; the application lives on."""

    happened = Signal(str, str)  # sentence, traceback

    def watch(self) -> None:
        """Take over the hooks of the interpreter."""
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._caught
        threading.excepthook = self._caught_on_thread

    def forget(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._before

    def _caught(
        self, kind: type[BaseException], failure: BaseException, trace: TracebackType | None, where: str = ""
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, failure, trace)
            return
        log.error("nobody caught this%s", where, exc_info=(kind, failure, trace))
        details = "".join(traceback.format_exception(kind, failure, trace))
        sentence = self.tr(
            "hilgui itself failed{where}: {kind}: {failure}. Your runs are safe; please report the details."
        )
        self.happened.emit(sentence.format(where=where, kind=kind.__name__, failure=failure), details)

    def _caught_on_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            name = "" if arguments.thread is None else f" on {arguments.thread.name}"
            self._caught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback, name)


def _theme_choice(settings: Settings, memory: Memory) -> Choice:
    """Settings that name a theme win; else what was chosen on the screen last time."""
    if settings.theme != "system":
        return settings.theme
    return memory.theme or "system"


def _last_run(memory: Memory) -> Path | None:
    text = memory.text("last_run")
    return Path(text) if text and is_folder(Path(text)) else None
