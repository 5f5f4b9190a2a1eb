"""ADWIN: a window that grows while its values are alike and is cut where they are not."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

_BUCKETS = 5  # of each size, before two are joined


@dataclass(slots=True)
class _Row:
    """Buckets of one size (a power of two), the oldest first: sums, and squared deviations from the bucket's mean."""

    sums: list[float] = field(default_factory=list)
    scatters: list[float] = field(default_factory=list)


class Adwin:
    """Adaptive windowing after Bifet and Gavaldà, "Learning from Time-Changing Data" (SDM 2007), with their buckets.

    Values lie between 0 and 1. The window keeps every value that no change contradicts, in O(log n) memory. It is cut
    where the means of an older and a younger part differ by more than ε(δ); δ bounds the chance of a false alarm.
    Every `clock` values all splits are looked at; both parts hold at least `least` values together.
    """

    def __init__(self, delta: float = 0.002, *, clock: int = 32, least: int = 10, part: int = 5) -> None:
        self._delta = delta
        self._clock = clock
        self._least = least
        self._part = part  # values that each part must have at least
        self._rows = [_Row()]
        self._ticks = 0
        self.count = 0
        self._sum = 0.0
        self._scatter = 0.0

    @property
    def mean(self) -> float:
        """Give the mean of the window; 0 while it is empty."""
        return self._sum / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        """Give the variance of the window."""
        return self._scatter / self.count if self.count else 0.0

    def add(self, value: float) -> bool:
        """Take the next value; say whether it proves a change: the window was cut."""
        if self.count:
            self._scatter += self.count * (value - self.mean) ** 2 / (self.count + 1)
        self.count += 1
        self._sum += value
        self._rows[0].sums.append(value)
        self._rows[0].scatters.append(0.0)
        self._join()
        self._ticks += 1
        if self._ticks % self._clock or self.count <= self._least:
            return False
        is_changed = False
        while self.count > self._least and self._is_contradicted():
            self._forget_oldest()
            is_changed = True
        return is_changed

    def _join(self) -> None:
        """Join the two oldest buckets of a size where there are too many."""
        size, level = 1, 0
        while len(self._rows[level].sums) > _BUCKETS:
            row = self._rows[level]
            if level + 1 == len(self._rows):
                self._rows.append(_Row())
            one, two = row.sums[0], row.sums[1]
            apart = (one - two) / size
            above = self._rows[level + 1]
            above.sums.append(one + two)
            above.scatters.append(row.scatters[0] + row.scatters[1] + apart * apart * size / 2)
            del row.sums[:2], row.scatters[:2]
            size, level = size * 2, level + 1

    def _is_contradicted(self) -> bool:
        """Look at every split between two buckets, from the oldest on."""
        count, total = 0, 0.0
        log = math.log(2.0 * math.log(self.count) / self._delta)
        variance = self.variance
        for level in range(len(self._rows) - 1, -1, -1):
            size = 1 << level
            for bucket in self._rows[level].sums:
                count += size
                total += bucket
                rest = self.count - count
                if rest < self._part:
                    return False
                if count < self._part:
                    continue
                inverse = 1.0 / (count - self._part + 1) + 1.0 / (rest - self._part + 1)
                limit = math.sqrt(2.0 * inverse * variance * log) + 2.0 / 3.0 * inverse * log
                if abs(total / count - (self._sum - total) / rest) > limit:
                    return True
        return False

    def _forget_oldest(self) -> None:
        level = len(self._rows) - 1
        row, size = self._rows[level], 1 << level
        total, scatter = row.sums.pop(0), row.scatters.pop(0)
        self.count -= size
        self._sum -= total
        apart = total / size - self.mean
        self._scatter = max(self._scatter - scatter - size * self.count / (size + self.count) * apart * apart, 0.0)
        while len(self._rows) > 1 and not self._rows[-1].sums:
            self._rows.pop()
