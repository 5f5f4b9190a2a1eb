"""Shares: figures that are a sum over frames divided by another one, with their interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.clusters import FEWEST, Clusters, percentile_interval
from hilgui.evaluation.figure import Figure, Interval


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """What adds up to a figure: parts above and below the line, each with the frame it comes from."""

    above_frames: NDArray[np.int64]  # (A,) number of the frame
    above: NDArray[np.float64]  # (A,)
    below_frames: NDArray[np.int64]  # (B,)
    below: NDArray[np.float64] | None  # (B,); None: the figure is a sum, not a ratio
    of: str  # what the figure rests on
    better: str = "higher"
    count: int | None = None  # how many of it; None: the sum below the line, of a sum its parts

    def figure(self) -> Figure:
        """Read the value; None for a ratio over nothing."""
        if self.below is None:
            return Figure(int(self.above.sum()), len(self.above), self.of, self.better)
        total = float(self.below.sum())
        count = round(total) if self.count is None else self.count
        return Figure(float(self.above.sum()) / total if total else None, count, self.of, self.better)

    def resampled(self, clusters: Clusters, draws: NDArray[np.int64]) -> NDArray[np.float64]:
        """Read the value for every draw of clusters: (resamples,), NaN for a ratio over nothing."""
        above: NDArray[np.float64] = draws @ clusters.sums(self.above_frames, self.above)
        if self.below is None:
            return above
        below = draws @ clusters.sums(self.below_frames, self.below)
        with np.errstate(divide="ignore", invalid="ignore"):
            return above / below

    def interval(self, clusters: Clusters) -> Interval | None:
        """Resample clusters; None where there are fewer than five or most draws say nothing."""
        if len(clusters) < FEWEST:
            return None
        return percentile_interval(self.resampled(clusters, clusters.draws()), clusters)
