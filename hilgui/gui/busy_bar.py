"""What is being worked out beside the screen: how far it is, how long it takes, and a way to end it."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, mark


class BusyBar(QWidget):
    """A thin bar with words and a button, there while something is worked out."""

    cancelled = Signal()

    def __init__(self, parent: QWidget, now: Callable[[], float] = time.monotonic, *, last: str = "") -> None:
        """Tell the time by `now`; `last` says what is still done when everything is counted."""
        super().__init__(parent)
        self._now = now
        self._last = last or self.tr("intervals…")
        self._since = now()
        self._bar = QProgressBar(self)
        self._bar.setFixedWidth(110)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._words = Label(self)
        mark(self._words, tone="soft")
        self._stop = QPushButton(self.tr("Cancel"), self)
        mark(self._stop, kind="link")
        self._stop.clicked.connect(lambda _=False: self.cancelled.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        for widget in (self._words, self._bar, self._stop):
            layout.addWidget(widget)
        self.hide()

    def show_busy(self, is_busy: bool) -> None:
        """Come or go."""
        if is_busy and not self.isVisible():
            self._since = self._now()
            self._bar.setRange(0, 0)
            self._words.setText(self.tr("measuring…"))
        self.setVisible(is_busy)

    def show_progress(self, done: int, total: int) -> None:
        """Say how far it is, and how long it still takes."""
        self._bar.setRange(0, max(total, 1))
        self._bar.setValue(done)
        left_s = (self._now() - self._since) * (total - done) / max(done, 1)
        words = self.tr("{0} of {1} · {2} s left").format(f"{done:,}", f"{total:,}", f"{left_s:.0f}")
        self._words.setText(words if done < total else self._last)
