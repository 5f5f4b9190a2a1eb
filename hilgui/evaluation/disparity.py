"""Disparity: how far apart groups lie, how sure that is, and which group is too small to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.clusters import FEWEST
from hilgui.evaluation.figure import Interval

RESAMPLES = 2000
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Disparity:
    """The largest difference of a rate between two groups; None where fewer than two groups hold enough."""

    gap: float | None
    interval: Interval | None
    best: str | None
    worst: str | None
    smallest: str  # group with the fewest rows, counted or not
    counts: dict[str, int]
    rates: dict[str, float | None]
    left_out: tuple[str, ...]  # groups with fewer rows than asked for
    intervals: dict[str, Interval | None] = field(default_factory=dict)  # of each rate

    @property
    def in_words(self) -> str:
        """Say it in a sentence about recall."""
        smallest = f"smallest group {self.smallest} with {self.counts[self.smallest]} truths"
        if self.gap is None:
            return f"fewer than two groups have enough truths; {smallest}"
        sure = f"no interval: fewer than {FEWEST} drives or blocks, or a group is too rare in them"
        if self.interval is not None:
            between = f"[{self.interval.low:.3f}, {self.interval.high:.3f}]"
            sure = f"{self.interval.level:.0%} {between} over {self.interval.clusters} × {self.interval.unit}"
        return f"recall differs by {self.gap:.3f} ({sure}), {self.best} best, {self.worst} worst; {smallest}"

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "gap": self.gap,
            "interval": None if self.interval is None else self.interval.as_json(),
            "best": self.best,
            "worst": self.worst,
            "smallest": self.smallest,
            "counts": self.counts,
            "rates": self.rates,
            "left_out": list(self.left_out),
            "intervals": {name: None if each is None else each.as_json() for name, each in self.intervals.items()},
        }


def disparity(
    groups: Sequence[str],
    hits: NDArray[np.bool_],
    clusters: NDArray[np.int64],
    *,
    least: int = 30,
    unit: str = "block of 100 frames",
    seed: int = 0,
) -> Disparity:
    """Compare the rate of `hits` between groups, one entry each a row; raises ValueError without rows.

    Clusters (drives, blocks) are resampled, never rows. The interval is that of the difference between the two groups
    that lie furthest apart in the data: chosen for that, they lie a little too far apart.
    """
    names = sorted(set(groups))
    if not names:
        raise ValueError("there is no row, so there are no groups to compare")
    place = {name: number for number, name in enumerate(names)}
    codes = np.array([place[name] for name in groups])
    counts = np.bincount(codes, minlength=len(names))
    rates = np.bincount(codes, hits.astype(np.float64), len(names)) / counts
    kept = [number for number in range(len(names)) if counts[number] >= least]
    told = {name: int(counts[number]) for name, number in place.items()}
    rated = {name: float(rates[number]) for name, number in place.items()}
    small = names[int(counts.argmin())]
    left_out = tuple(name for name in names if place[name] not in kept)
    drawn = _Draws(codes, hits, clusters, unit, seed)
    each = {name: drawn.interval(drawn.shares(number)) for name, number in place.items()}
    if len(kept) < 2:
        return Disparity(None, None, None, None, small, told, {**rated}, left_out, each)
    high = max(kept, key=lambda number: (rates[number], -number))
    low = min(kept, key=lambda number: (rates[number], number))
    interval = drawn.interval(drawn.shares(high) - drawn.shares(low))
    gap = float(rates[high] - rates[low])
    return Disparity(gap, interval, names[high], names[low], small, told, {**rated}, left_out, each)


class _Draws:
    """Clusters drawn with replacement, the same for all groups; no interval from fewer than the usual."""

    def __init__(
        self, codes: NDArray[np.int64], hits: NDArray[np.bool_], clusters: NDArray[np.int64], unit: str, seed: int
    ) -> None:
        _, self._cluster = np.unique(clusters, return_inverse=True)
        self._codes, self._hits, self._unit = codes, hits, unit
        self._size = int(self._cluster.max()) + 1
        even = np.full(self._size, 1 / self._size)
        self._drawn = np.random.default_rng(seed).multinomial(self._size, even, RESAMPLES).astype(np.float64)

    def shares(self, group: int) -> NDArray[np.float64]:
        """Give the rate of a group in each draw, NaN where it has no row in it."""
        mine = self._codes == group
        counts = self._drawn @ np.bincount(self._cluster[mine], minlength=self._size)
        found = self._drawn @ np.bincount(self._cluster[mine], self._hits[mine].astype(np.float64), self._size)
        rates: NDArray[np.float64] = np.divide(found, counts, out=np.full(RESAMPLES, np.nan), where=counts > 0)
        return rates

    def interval(self, values: NDArray[np.float64]) -> Interval | None:
        """Give the interval of a figure by its draws; None with too few clusters or too few draws that have it."""
        known = values[~np.isnan(values)]
        if self._size < FEWEST or len(known) < RESAMPLES // 2:
            return None
        ends = np.quantile(known, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        return Interval(float(ends[0]), float(ends[1]), _LEVEL, self._unit, self._size, "percentile bootstrap")
