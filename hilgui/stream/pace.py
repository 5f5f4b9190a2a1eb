"""Replays a recording at its own speed."""

from __future__ import annotations

import time
from collections.abc import Callable

from hilgui.stream.stop import StopToken


class Pace:
    """Waits until a frame is due: `factor` 1 is real time, 2 twice as fast.

    A pause, or a consumer that held the source up for more than a second, shifts the schedule instead of
    being caught up in a burst.
    """

    def __init__(self, factor: float, stop: StopToken, now: Callable[[], float] = time.monotonic) -> None:
        if factor <= 0:
            raise ValueError(f"a speed factor is above zero, not {factor}")
        self._factor = factor
        self._stop = stop
        self._now = now
        self._origin: float | None = None

    def wait_until_due(self, time_s: float) -> None:
        """Return when recording time `time_s` has come, or at once when stopped."""
        due_in = time_s / self._factor
        now = self._now()
        if self._origin is None or now - self._origin - due_in > 1.0:
            self._origin = now - due_in
        delay = self._origin + due_in - now
        if delay > 0:
            self._stop.wait(delay)
