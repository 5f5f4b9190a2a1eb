"""Writes decisions and reads histories on a thread of its own: a synced journal would hold up the screen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from hilgui.gui.errand import Errand, let_go
from hilgui.gui.findings.decisions import Decisions
from hilgui.records.triage import TriageChange
from hilgui.triage import FindingRow

_Touched = list[tuple[Path, tuple[int, ...]]]


class DecisionDesk(QObject):
    """One errand at a time, decisions in their order and none lost; of histories only the newest. GUI thread only."""

    written = Signal(object)  # of (folder, numbers of findings): the journals have it
    nothing_to_undo = Signal()
    history_came = Signal(int, object)  # id of the finding, its changes
    failed = Signal(str)

    def __init__(self, decisions: Decisions, parent: QObject) -> None:
        super().__init__(parent)
        self._decisions = decisions
        self._waiting: deque[Callable[[], _Touched]] = deque()
        self._history: FindingRow | None = None
        self._errand: Errand[Any] | None = None

    @property
    def is_busy(self) -> bool:
        """Say whether something is still to be written or read."""
        return self._errand is not None

    def decide(self, rows: Iterable[FindingRow], **given: Any) -> None:
        """Write a decision; `rows` is gone through on the thread that writes."""
        self._waiting.append(lambda: self._decisions.write(rows, **given))
        self._start()

    def undo(self) -> None:
        """Take back the newest decision."""
        self._waiting.append(self._decisions.undo)
        self._start()

    def ask_history(self, row: FindingRow) -> None:
        """Ask what was decided about a finding."""
        self._history = row
        self._start()

    def close(self, timeout_s: float) -> None:
        """Write what still waits; for the end of the application. Raises what `Journal` raises."""
        let_go(timeout_s, self._errand)
        self._errand = None
        while self._waiting:
            self._waiting.popleft()()

    def _start(self) -> None:
        if self._errand is not None:
            return
        if self._waiting:
            self._errand = Errand(self, "decision", self._waiting.popleft(), self._on_written, self._on_failure)
        elif self._history is not None:
            row, self._history = self._history, None
            self._errand = Errand(
                self,
                "history",
                lambda: self._decisions.history(row),
                lambda changes: self._on_history(row.id, changes),
                self._on_failure,
            )

    def _on_written(self, touched: _Touched) -> None:
        self._errand = None
        if touched:
            self.written.emit(touched)
        else:
            self.nothing_to_undo.emit()
        self._start()

    def _on_history(self, id_: int, changes: tuple[TriageChange, ...]) -> None:
        self._errand = None
        if self._history is None:
            self.history_came.emit(id_, changes)
        self._start()

    def _on_failure(self, sentence: str, _details: str) -> None:
        self._errand = None
        self.failed.emit(sentence)
        self._start()
