"""How sure the recall of each slice is: blocks of the drives are resampled, as for every other figure."""

from __future__ import annotations

import numpy as np

from hilgui.evaluation.clusters import BLOCK, RESAMPLES, SEED, Clusters, percentile_interval
from hilgui.evaluation.figure import Interval
from hilgui.evaluation.slices import SliceRows


def recall_intervals(rows: SliceRows, resamples: int = RESAMPLES) -> dict[tuple[str, str], Interval | None]:
    """Give the interval of the recall of every slice, by dimension and value; None where clusters are too few."""
    if not len(rows.matched):
        return {}
    size = int(rows.clusters.max()) + 1
    every = Clusters(np.arange(size), tuple(map(str, range(size))), BLOCK)
    draws = every.draws(resamples, SEED)
    found: dict[tuple[str, str], Interval | None] = {}
    for column, dimension in enumerate(rows.dimensions):
        for code, value in enumerate(rows.values[column]):
            mine = rows.codes[:, column] == code
            truths = np.bincount(rows.clusters[mine], minlength=size)
            matched = np.bincount(rows.clusters[mine], rows.matched[mine].astype(float), size)
            present = Clusters(
                every.of_frame, tuple(name for name, n in zip(every.names, truths, strict=True) if n), BLOCK
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                found[dimension, value] = percentile_interval((draws @ matched) / (draws @ truths), present)
    return found
