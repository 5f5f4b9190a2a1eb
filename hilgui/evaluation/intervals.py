"""Figures with their interval, or with the reason why they have none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.clusters import FEWEST, RESAMPLES, SEED, Clusters, percentile_interval, why_no_interval
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.shares import Shares

NOTHING = "there is nothing to measure"
LARGEST = "the largest of something has no interval: another drive may hold a larger one"
NOT_RESAMPLED = "this figure is not resampled"


def with_interval(figure: Figure, values: NDArray[np.float64] | None, clusters: Clusters) -> Figure:
    """Give a figure the middle of its resampled values; None where there are too few clusters to resample."""
    if figure.value is None:
        return replace(figure, why_no_interval=figure.why_no_interval or NOTHING)
    found = None if values is None else percentile_interval(values, clusters)
    return replace(figure, interval=found, why_no_interval="" if found is not None else why_no_interval(clusters))


def resampled(
    figures: Mapping[str, Figure],
    clusters: Clusters,
    read: Callable[[NDArray[np.int64]], Mapping[str, NDArray[np.float64]]],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Figure]:
    """Give every figure its interval, or the reason why there is none.

    `read` gives the value of each figure for every draw of clusters (resamples, clusters); it is asked only where there
    are enough clusters.
    """
    values = {} if len(clusters) < FEWEST else read(clusters.draws(resamples, seed))
    return {name: with_interval(figure, values.get(name), clusters) for name, figure in figures.items()}


def with_intervals(
    figures: Mapping[str, Figure], shares: Mapping[str, Shares], clusters: Clusters
) -> dict[str, Figure]:
    """Give every figure that adds up over clusters its interval; the others stay as they are."""
    mine = {name: figure for name, figure in figures.items() if name in shares}

    def read(draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        return {name: shares[name].resampled(clusters, draws) for name in mine}

    return {**figures, **resampled(mine, clusters, read)}


def explained(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Give every figure without interval a reason, so that none is blank."""
    return {
        name: figure
        if figure.interval is not None or figure.why_no_interval
        else replace(figure, why_no_interval=NOTHING if figure.value is None else NOT_RESAMPLED)
        for name, figure in figures.items()
    }
