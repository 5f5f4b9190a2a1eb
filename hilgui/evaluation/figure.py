"""One figure: a value, how much it rests on, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the figure would lie if other drives had been driven; `low` and `high` in the unit of the figure."""

    low: float
    high: float
    level: float  # .95: nineteen of twenty such intervals hold the true value
    unit: str  # what was resampled: "drive", or "block of 100 frames" where drives are few
    clusters: int  # how many of these there were
    method: str  # "percentile bootstrap" or "Student's t"

    @property
    def words(self) -> str:
        """Write both ends with as many digits as their size deserves: 0.437 … 0.497, 11 … 56, 896 … 3,065."""
        largest = max(abs(self.low), abs(self.high))
        are_whole = largest > 1 and float(self.low).is_integer() and float(self.high).is_integer()
        digits = 0 if are_whole or largest >= 100 else 1 if largest >= 10 else 3
        return f"{self.low:,.{digits}f} … {self.high:,.{digits}f}"

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "unit": self.unit,
            "clusters": self.clusters,
            "method": self.method,
        }


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with what it was counted over; None where there was nothing to measure, never -1 or 0."""

    value: float | None
    count: int
    of: str = "truths"  # what `count` counts
    better: str = "higher"  # "higher", "lower", or "" where neither is
    interval: Interval | None = None
    why_no_interval: str = ""  # where there is none although it was asked for: the reason in words

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "value": self.value,
            "count": self.count,
            "of": self.of,
            "better": self.better,
            "interval": None if self.interval is None else self.interval.as_json(),
            "why_no_interval": self.why_no_interval or None,
        }
