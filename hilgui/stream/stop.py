"""One request to stop, seen by every thread of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable


class StopToken:
    """Set once, by anybody; every blocking call of a run watches it.

    `on_stop` callbacks run on the thread that stops, at once when the token is already set; they must be
    quick and must not raise.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self._reason = ""

    @property
    def is_set(self) -> bool:
        """Say whether somebody asked to stop."""
        return self._event.is_set()

    @property
    def reason(self) -> str:
        """Give the reason of the first request."""
        return self._reason

    def stop(self, reason: str) -> None:
        """Ask everybody to stop; only the first reason is kept."""
        with self._lock:
            if self._event.is_set():
                return
            self._reason = reason
            self._event.set()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Run `callback` when the token is set."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def wait(self, timeout_s: float) -> bool:
        """Wait until stopped or until the time is over; say whether it was stopped."""
        return self._event.wait(timeout_s)
