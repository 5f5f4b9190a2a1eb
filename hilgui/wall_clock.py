"""The wall clock names times for people; order and durations are the monotonic clock's. This tells when it was set."""

from __future__ import annotations

import time
from collections.abc import Callable

_STEP_NS = 500_000_000
_DRIFT = 1e-3  # time services turn the clock by at most 500 parts in a million


class WallClock:
    """Compares both clocks from one look to the next; not thread-safe."""

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._now_ns = now_ns
        self._before = (wall_ns(), now_ns())

    def look(self) -> str:
        """Say in one sentence that the wall clock was set since the last look, "" where it was not."""
        (wall, now), self._before = self._before, (self._wall_ns(), self._now_ns())
        passed_ns = self._before[1] - now
        step_ns = self._before[0] - wall - passed_ns
        if abs(step_ns) < _STEP_NS + _DRIFT * passed_ns:
            return ""
        way = "forward" if step_ns > 0 else "back"
        return (
            f"the wall clock was set {way} by {abs(step_ns) / 1e9:,.1f} s (or this machine slept); order and durations "
            "follow the monotonic clock"
        )
