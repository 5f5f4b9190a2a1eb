"""Counts how many frames a second pass by."""

from __future__ import annotations

from collections import deque


class RateMeter:
    """Events per second over the last `window_s` seconds."""

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque()

    def tick(self, now_s: float) -> None:
        """Note one event."""
        self._times.append(now_s)
        while now_s - self._times[0] > self._window_s:
            self._times.popleft()

    @property
    def rate(self) -> float:
        """Give events per second, 0 while all events known have the same time."""
        span_s = self._times[-1] - self._times[0] if self._times else 0.0
        return (len(self._times) - 1) / span_s if span_s > 0 else 0.0
