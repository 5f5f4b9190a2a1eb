"""The usual sharpness of a drive: a running median that does not learn from the frames it is asked about."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

WINDOW_S = 2.0
LEAST = 10  # frames before there is anything usual
ADAPT_S = 5.0  # what lasts so long is the new usual


class Usual:
    """The median of the last two seconds, and for how long it was contradicted."""

    def __init__(self, period_s: float) -> None:
        self._length = max(LEAST, round(WINDOW_S / period_s))
        self._patience = max(LEAST, round(ADAPT_S / period_s))
        self._recent: deque[float] = deque()
        self._sorted: list[float] = []
        self._odd = 0

    @property
    def median(self) -> float:
        """Give the median; NaN before there were enough frames."""
        count = len(self._sorted)
        return self._sorted[count // 2] if count >= LEAST else math.nan

    def learn(self, value: float, *, is_odd: bool) -> None:
        """Take the value of a frame; an odd one is not learnt from, unless it has been so for five seconds."""
        if math.isnan(value):
            return
        self._odd = self._odd + 1 if is_odd else 0
        if self._odd > self._patience:
            self._recent.clear()
            self._sorted.clear()
            self._odd = 0
        elif is_odd:
            return
        self._recent.append(value)
        insort(self._sorted, value)
        if len(self._recent) > self._length:
            del self._sorted[bisect_left(self._sorted, self._recent.popleft())]
