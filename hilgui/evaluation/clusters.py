"""Clusters: what is resampled to say how sure a figure is; drives, or blocks of a drive, never frames.

Frames of a drive resemble each other: resampling them gave 57 % false alarms at a nominal 5 % (docs/evaluation.md).
The pictures of an unordered set are independent of each other; there ten of them make one cluster, as for the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count

import numpy as np
from numpy.typing import NDArray
from scipy import special

from hilgui.evaluation.accumulator import FrameBook
from hilgui.evaluation.figure import Interval

ENOUGH_DRIVES = 6  # with fewer, blocks of the drives are resampled
BLOCK_FRAMES = 100
BLOCK_PICTURES = 10  # of an unordered set
FEWEST = 5  # clusters that an interval asks for: what two or three of them span says little
LEVEL = 0.95
SEED = 20240607
RESAMPLES = 1000

DRIVE, BLOCK = "drive", f"block of {BLOCK_FRAMES} frames"
PICTURES = f"block of {BLOCK_PICTURES} pictures"


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Which cluster each judged frame belongs to."""

    of_frame: NDArray[np.int64]  # (frames,)
    names: tuple[str, ...]  # "RUN", or "RUN#block"
    unit: str

    def __len__(self) -> int:
        """Count the clusters."""
        return len(self.names)

    def sums(self, frames: NDArray[np.integer], values: NDArray[np.floating] | None = None) -> NDArray[np.float64]:
        """Add up values, or count rows, by cluster; `frames` says of which frame each is."""
        return np.bincount(self.of_frame[frames], values, len(self)).astype(np.float64)

    def draws(self, resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.int64]:
        """Draw as many clusters as there are, with replacement: (resamples, clusters) times each was drawn."""
        generator = np.random.default_rng(seed)
        return generator.multinomial(len(self), np.full(len(self), 1.0 / len(self)), resamples)


def clusters_of(book: FrameBook, unit: str | None = None) -> Clusters:
    """Take the drives as clusters, or blocks of about 100 judged frames where there are fewer than six drives.

    An unordered set is no drive: it always falls into blocks of about ten pictures, unless `unit` is DRIVE.
    """
    drives, times_s = book.places()
    present, first = np.unique(drives, return_index=True)
    is_set = np.isnan(times_s[first]) if unit != DRIVE else np.zeros(len(present), np.bool_)
    whole = unit == DRIVE or (unit is None and np.count_nonzero(~is_set) >= ENOUGH_DRIVES)
    of_frame = np.zeros(len(drives), np.int64)
    labels: list[str] = []
    units: set[str] = set()
    for drive, independent in zip(present.tolist(), is_set.tolist(), strict=True):
        mine = np.flatnonzero(drives == drive)
        size = BLOCK_PICTURES if independent else len(mine) if whole else BLOCK_FRAMES
        blocks = max(1, round(len(mine) / size))
        of_frame[mine] = len(labels) + np.arange(len(mine)) * blocks // len(mine)
        name = book.drives[drive]
        labels += [name] if whole and not independent else [f"{name}#{block}" for block in range(blocks)]
        units.add(PICTURES if independent else DRIVE if whole else BLOCK)
    return Clusters(of_frame, tuple(labels), " or ".join(sorted(units)) or BLOCK)


def resample(read: Callable[[NDArray[np.int64]], NDArray[np.float64]], draws: NDArray[np.int64]) -> NDArray[np.float64]:
    """Read figures for every draw: (resamples, figures). Several threads; the result does not depend on them.

    A thousand draws of a few clusters repeat themselves (of six there are 462): each is read once.
    """
    unlike, which = np.unique(draws, axis=0, return_inverse=True)
    with ThreadPoolExecutor(max_workers=min(4, cpu_count() or 1), thread_name_prefix="resample") as pool:
        return np.array(list(pool.map(read, unlike)))[which.reshape(-1)]


def percentile_interval(values: NDArray[np.float64], clusters: Clusters, level: float = LEVEL) -> Interval | None:
    """Give the middle `level` of resampled values; None with fewer than five clusters, or where half say nothing."""
    known = values[np.isfinite(values)]
    if len(clusters) < FEWEST or len(known) * 2 < len(values) or not len(values):
        return None
    low, high = np.quantile(known, ((1 - level) / 2, (1 + level) / 2))
    method = "percentile bootstrap" + ("" if len(values) == RESAMPLES else f", {len(values)} resamples")
    return Interval(float(low), float(high), level, clusters.unit, len(clusters), method)


def why_no_interval(clusters: Clusters) -> str:
    """Say why `percentile_interval` gave none."""
    if len(clusters) < FEWEST:
        there = f"only {len(clusters)} × {clusters.unit}" if len(clusters) else "no judged frame"
        return f"{there}: an interval needs {FEWEST} at least; judge longer drives, or more of them"
    return f"too rare: most resamples of the {len(clusters)} × {clusters.unit} hold none of it"


def t_interval(values: NDArray[np.float64], unit: str, level: float = LEVEL) -> Interval | None:
    """Give Student's interval of the mean of values that each cluster gave, with clusters - 1 degrees of freedom.

    With 6 to 20 drives it holds its level where the percentile bootstrap is too narrow. For a figure that does not
    average over drives (AP) give jackknife pseudo-values.
    """
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return None
    centre = float(known.mean())
    half = float(special.stdtrit(len(known) - 1, (1 + level) / 2) * known.std(ddof=1) / np.sqrt(len(known)))
    return Interval(centre - half, centre + half, level, unit, len(known), "Student's t")


@dataclass(frozen=True, slots=True, eq=False)
class PerCluster:
    """One value of a figure for each cluster, for the gate's tests; NaN where a cluster says nothing."""

    figure: str
    unit: str
    names: tuple[str, ...]
    values: NDArray[np.float64]  # (clusters,)
    is_pseudo: bool  # jackknife pseudo-values of a figure that does not average over clusters

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Give Student's interval of the mean."""
        return t_interval(self.values, self.unit, level)


def paired(a: PerCluster, b: PerCluster) -> PerCluster:
    """Subtract a from b cluster by cluster; raises ValueError where they are not the same clusters."""
    if a.names != b.names or a.unit != b.unit:
        raise ValueError("the clusters of the two sides differ: pair the same frames of the same drives")
    return PerCluster(a.figure, a.unit, a.names, b.values - a.values, a.is_pseudo or b.is_pseudo)


def jackknife(read: Callable[[NDArray[np.int64]], NDArray[np.float64]], clusters: int) -> NDArray[np.float64]:
    """Give the pseudo-values n·θ - (n-1)·θ₋ᵢ of figures read with weights of clusters: (clusters, figures)."""
    whole = read(np.ones(clusters, np.int64))
    left_out = np.array([read(1 - np.eye(clusters, dtype=np.int64)[each]) for each in range(clusters)])
    pseudo: NDArray[np.float64] = clusters * whole - (clusters - 1) * left_out.reshape(clusters, -1)
    return pseudo
