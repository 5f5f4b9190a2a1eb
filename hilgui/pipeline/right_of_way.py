"""The baseline has the right of way: when the candidate of a live run may look at a frame."""

from __future__ import annotations

import os
import statistics
import sys
import threading
from collections import deque
from contextlib import suppress

_RECENT = 15  # runs of the candidate whose median counts
_SLACK = 1.15  # times that median must fit
_SOONEST, _LATEST = 32, 256  # frames left out before a trial; every trial in vain doubles the wait for the next


class RightOfWay:
    """Lets the candidate run only where the next frame is not expected before it is done.

    `arrived` is called by the capture thread, the others by the candidate's. What never fits is
    tried again all the same: after 32 frames, 64, then one in 256, fewer than the hundredth that a p99 sees. A trial
    counts alone, so that a candidate that was slow for a while is not locked out. Times are monotonic.
    """

    def __init__(self, period_ns: float) -> None:
        self._period_ns = period_ns
        self._newest = (-1, 0)  # ticket and time of the newest frame
        self._spent_ns: deque[int] = deque(maxlen=_RECENT)
        self._passed = 0  # frames since the last one that was looked at
        self._wait = _SOONEST
        self._is_trial = False
        self.asked = 0
        self.given_way = 0

    def arrived(self, ticket: int, now_ns: int) -> None:
        """Note a frame that the baseline will look at."""
        self._newest = (ticket, now_ns)

    def may_run(self, ticket: int, now_ns: int) -> bool:
        """Say whether there is time for this frame; a frame that may not run is counted."""
        self.asked += 1
        newest, since_ns = self._newest
        fits = not self._spent_ns or (
            ticket >= newest and now_ns + _SLACK * statistics.median(self._spent_ns) <= since_ns + self._period_ns
        )
        self._is_trial = not fits and self._passed + 1 >= self._wait
        if fits or self._is_trial:
            self._passed = 0
            if self._is_trial:
                self._wait = min(2 * self._wait, _LATEST)
            elif len(self._spent_ns) == _RECENT:
                self._wait = _SOONEST
            return True
        self._passed += 1
        self.given_way += 1
        return False

    def took(self, spent_ns: int) -> None:
        """Note how long the candidate took for a frame."""
        if self._is_trial:
            self._spent_ns.clear()
        self._spent_ns.append(spent_ns)

    def account(self) -> tuple[str, ...]:
        """Say how often the candidate gave way, and why; nothing where it never had to."""
        if not self.given_way:
            return ()
        median_ms = statistics.median(self._spent_ns) / 1e6
        return (
            f"live: the candidate left {self.given_way} of {self.asked} frames out, so that it did not slow the "
            f"baseline down: it takes {median_ms:.1f} ms, frames come every {self._period_ns / 1e6:.1f} ms, and the "
            'baseline goes first (live_candidate = "every_frame" compares them all)',
        )


def give_way() -> None:
    """Let every other thread of the system go before the calling one; only Linux can do that for a single thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
