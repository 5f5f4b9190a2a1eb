"""Loads the modules of pages that nobody opened yet, beside the window that is in use.

The first visit to a page stood still for up to a second while hundreds of modules were read. A thread of the lowest
priority reads them once the window is there; only the widgets are left to make when somebody goes to the page.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from hilgui.gui.pages import Entry

_AFTER_MS = 2_000  # the run that was open last comes first
_LEAST_URGENT = 19  # niceness; of one thread alone where the system knows that (Linux)


class Preload(QObject):
    """Loads the pages of `entries`, one after the other; `close` lets it end after the one it is at."""

    done = Signal()

    def __init__(self, entries: Sequence[Entry], parent: QObject | None = None, after_ms: int = _AFTER_MS) -> None:
        super().__init__(parent)
        self._modules = [entry.module for entry in entries]
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._load, name="preload", daemon=True)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._thread.start)
        self._timer.start(after_ms)

    def close(self) -> None:
        """Load nothing more; waits for the module under way."""
        self._timer.stop()
        self._is_closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _load(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # loading a little sooner harms nobody
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LEAST_URGENT)
        for module in self._modules:
            if self._is_closed.is_set():
                return
            importlib.import_module(module)
        self.done.emit()
