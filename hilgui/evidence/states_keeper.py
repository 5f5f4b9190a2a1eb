"""Takes the arming states of a rig into the journal as they come, for commands and test cases."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

from hilgui.evidence.intake import Intake, keep_up

_REST_S = 0.3  # the supervisor writes its own file a moment after it tells the front end
_PATIENCE_S = 15.0


class StatesKeeper:
    """Waits for the disk on a thread of its own: who holds a rig has to give a sign of life every 50 ms."""

    def __init__(self, home: Path, *, rest_s: float = _REST_S) -> None:
        self._intake = Intake(home)
        self._rest_s = rest_s
        self._news: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None
        self._told: dict[str, None] = {}

    def note(self) -> None:
        """Say that the rig has changed its state; returns at once. Called by one thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="arming-states")
            self._thread.start()
        self._news.put(True)

    def close(self) -> tuple[str, ...]:
        """Take in what is left, once the rig has ended; give what the journal refused, or found changed."""
        thread, self._thread = self._thread, None
        self._is_over.set()
        if thread is not None:
            self._news.put(False)
            thread.join(_PATIENCE_S)
        if thread is None or not thread.is_alive():
            self._take()
        return tuple(self._told)

    def _run(self) -> None:
        while self._news.get():
            self._is_over.wait(self._rest_s)
            self._take()

    def _take(self) -> None:
        self._told |= dict.fromkeys(keep_up(self._intake))
