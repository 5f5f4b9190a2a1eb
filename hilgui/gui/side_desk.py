"""Asks the process beside the screen: one question at a time, the newest of each kind wins, progress at a low rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from hilgui.engine.aside import Aside, Work
from hilgui.gui.errand import Errand

_TELL_MS = 120


class SideDesk(QObject):
    """Keeps at most one waiting question of each kind; GUI thread only. The process starts with the first question."""

    failed = Signal(str, str)  # sentence, details
    busy_changed = Signal(bool)
    progress = Signal(int, int)  # frames done, in all

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._aside = Aside()
        self._errand: Errand[Any] | None = None
        self._waiting: dict[str, tuple[Work[Any], Callable[[Any], object]]] = {}
        self._told: tuple[int, int] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_TELL_MS)
        self._timer.timeout.connect(self._tell)

    @property
    def is_busy(self) -> bool:
        """Say whether an answer is still to come."""
        return self._errand is not None

    def ask(self, kind: str, work: Work[Any], done: Callable[[Any], object]) -> None:
        """Ask; a question of the same kind that still waits is dropped."""
        self._waiting[kind] = (work, done)
        self._start()

    def cancel(self) -> None:
        """Drop every question; the process that is at one is ended."""
        self._waiting.clear()
        if self._errand is not None:
            self._errand.forget()
            self._aside.close()
            self._finish()

    def close(self, timeout_s: float) -> None:
        """Let go of the process; for the end of the application."""
        self._waiting.clear()
        self._timer.stop()
        errand, self._errand = self._errand, None
        if errand is not None:
            errand.forget()
        self._aside.close()
        if errand is not None:
            errand.wait(timeout_s)

    def _start(self) -> None:
        if self._errand is not None or not self._waiting:
            return
        kind = next(iter(self._waiting))
        work, done = self._waiting.pop(kind)
        self._told = None

        def answered(answer: Any) -> None:
            self._finish()
            if kind not in self._waiting:
                done(answer)
            self._start()

        self._errand = Errand(
            self, f"aside:{kind}", lambda: self._aside.ask(work, self._hear), answered, self._on_failure
        )
        self._timer.start()
        self.busy_changed.emit(True)

    def _hear(self, done: int, total: int) -> None:
        """Take progress on the thread of the errand."""
        self._told = (done, total)

    def _tell(self) -> None:
        if self._told is not None:
            self.progress.emit(*self._told)

    def _finish(self) -> None:
        self._errand = None
        self._timer.stop()
        self.busy_changed.emit(False)

    def _on_failure(self, sentence: str, details: str) -> None:
        self._finish()
        self.failed.emit(sentence, details)
        self._start()
