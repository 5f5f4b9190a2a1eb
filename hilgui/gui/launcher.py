"""Asks what to run and starts it: the form, the demo, and the word that one run at a time is possible."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from hilgui.errors import BenchBroken
from hilgui.gui.demo import demo_request, finished_demo
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.messages import Messages
from hilgui.gui.page import Bench
from hilgui.gui.run_dialog import RunDialog
from hilgui.gui.run_request import RunRequest, plan_of

if TYPE_CHECKING:
    from hilgui.engine import RunFailed, RunFinished


class Launcher(QObject):
    """Owns the form while it is open; passes what was asked on to the bridge."""

    found = Signal(object)  # Path of a finished run that answers what was asked

    def __init__(self, bench: Bench, messages: Messages, window: QWidget) -> None:
        super().__init__(window)
        self._bench = bench
        self._messages = messages
        self._window = window
        self._errand: Errand[Path | None] | None = None
        self._busy_words = self.tr("A run is under way. Stop it (Ctrl+.) or wait for its end.")
        self.dialog: RunDialog | None = None
        bench.bridge.run_finished.connect(self._on_finished)
        bench.bridge.run_failed.connect(self._on_failed)

    def ask(self, request: RunRequest | None = None) -> None:
        """Ask what to run; the answer starts the run."""
        if self._bench.bridge.is_busy:
            self._say_busy()
            return
        if self.dialog is not None:
            self.dialog.reject()
        settings = self._bench.settings
        given = request or RunRequest(
            provider=settings.provider, operator=settings.operator, device_under_test=settings.device_under_test
        )
        self.dialog = RunDialog(self._bench.theme, self._bench.memory, self._window, given=given)
        self.dialog.accepted.connect(self._start_asked)
        self.dialog.finished.connect(self._forget_dialog)
        self.dialog.open()

    def ask_for_recording(self) -> None:
        """Ask what to run, beginning with the recording."""
        self.ask()
        if self.dialog is not None:
            self.dialog.source.setFocus()

    def start(self, request: RunRequest) -> None:
        """Run a request that has no problems."""
        self._bench.bridge.run(plan_of(request, self._bench.settings))

    def show_demo(self) -> None:
        """Find the finished run of the night drive, or run it."""
        if self._errand is not None and self._errand.is_under_way:
            return
        runs = self._bench.settings.runs
        self._errand = Errand(
            self, "demo", lambda: finished_demo(runs), self._open_or_run_demo, self._messages.show_error
        )

    def close(self, timeout_s: float) -> None:
        """Let the errand end; for the end of the application."""
        let_go(timeout_s, self._errand)

    def _open_or_run_demo(self, folder: Path | None) -> None:
        if folder is not None:
            self.found.emit(folder)
            return
        if self._bench.bridge.is_busy:
            self._say_busy()
            return
        try:
            self.start(demo_request())
        except BenchBroken as failure:
            self._messages.show_error(str(failure))

    def _start_asked(self) -> None:
        if self.dialog is not None:
            self.start(self.dialog.request)

    def _forget_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _say_busy(self) -> None:
        """Say that one run at a time is possible; leaves when the run ends."""
        self._messages.show_warning(self._busy_words)

    def _on_finished(self, finished: RunFinished) -> None:
        self._messages.withdraw(self._busy_words)

    def _on_failed(self, failed: RunFailed) -> None:
        self._messages.withdraw(self._busy_words)
