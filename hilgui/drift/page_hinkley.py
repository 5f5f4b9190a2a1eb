"""Page–Hinkley: a sum of deviations from the mean so far, that rises or falls too far from its extreme."""

from __future__ import annotations

import math


class PageHinkley:
    """Two-sided test of a change of the mean after Page, "Continuous Inspection Schemes" (Biometrika 41, 1954).

    `delta` is the deviation per value that is borne, `threshold` how far the sum may move from its extreme, `alpha`
    forgets old deviations. After an alarm it begins anew with the next value. `height` is the larger of both distances.
    """

    def __init__(
        self, *, least: int = 30, delta: float = 0.005, threshold: float = 50.0, alpha: float = 1 - 0.0001
    ) -> None:
        self._least = least
        self._delta = delta
        self._threshold = threshold
        self._alpha = alpha
        self._is_changed = False
        self._begin()

    def _begin(self) -> None:
        self._count, self._mean = 0, 0.0
        self._rise = self._fall = 0.0
        self._lowest, self._highest = math.inf, -1.0
        self.height = 0.0

    def add(self, value: float) -> bool:
        """Take the next value; say whether it proves a change."""
        if self._is_changed:
            self._begin()
        self._count += 1
        self._mean += (value - self._mean) / self._count
        apart = value - self._mean
        self._rise = self._alpha * self._rise + apart - self._delta
        self._fall = self._alpha * self._fall + apart + self._delta
        self._lowest = min(self._lowest, self._rise)
        self._highest = max(self._highest, self._fall)
        self.height = max(self._rise - self._lowest, self._highest - self._fall)
        self._is_changed = self._count >= self._least and self.height > self._threshold
        return self._is_changed
