"""Figures with their interval, or with the reason why they have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.clusters import FEWEST, Clusters, percentile_interval, why_no_interval
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


def with_intervals(
    figures: Mapping[str, Figure], shares: Mapping[str, Shares], clusters: Clusters
) -> dict[str, Figure]:
    """Give every figure that adds up over clusters its interval; the others stay as they are."""
    draws = clusters.draws() if len(clusters) >= FEWEST else None
    return {
        name: with_interval(figure, None if draws is None else shares[name].resampled(clusters, draws), clusters)
        if name in shares
        else figure
        for name, figure in figures.items()
    }


def explained(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Give every figure without interval a reason, so that none is blank."""
    return {
        name: figure
        if figure.interval is not None or figure.why_no_interval
        else replace(figure, why_no_interval=NOTHING if figure.value is None else NOT_RESAMPLED)
        for name, figure in figures.items()
    }
