"""How sure the figures of a detector are: its kept rows read again for every draw of drives or blocks.

Precision depends on the order of all scores, so each draw reads AP anew. Recall, rates and calibration are sums over
frames: one table of sums for each cluster, and all draws are one matrix product.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.average_precision import COCO_FIGURES, AveragePrecision
from hilgui.evaluation.clusters import RESAMPLES, Clusters, resample
from hilgui.evaluation.error_split import ERRORS, Mended
from hilgui.evaluation.match_rows import RANGES, THRESHOLDS
from hilgui.evaluation.score_curves import BINS, GRID

Floats = NDArray[np.float64]
Draws = NDArray[np.int64]

_ROWS = 40_000_000  # read for the error split in all resamples together
_FEWEST = 200


def coco_values(precision: AveragePrecision, clusters: Clusters, draws: Draws) -> dict[str, Floats]:
    """Give the twelve figures for every draw, (resamples,) over all classes and (resamples, classes) as `NAME.`."""
    ranges = [precision.ranked(area) for area in range(len(RANGES))]
    classes, grouped = ranges[0].classes, [ranked.grouped(clusters.of_frame) for ranked in ranges]

    def read(weights: Draws) -> Floats:
        tables = [ranked.averages(weights).precision for ranked in grouped]
        rows = [tables[0].mean(axis=0), tables[0][0], tables[0][5], *(table.mean(axis=0) for table in tables[1:])]
        return np.concatenate(rows)  # a class without truths is NaN at every threshold

    values = resample(read, draws).reshape(len(draws), -1, classes)
    per_class = dict(zip(COCO_FIGURES, np.moveaxis(values, 1, 0), strict=False))
    for place, name in enumerate(COCO_FIGURES[6:]):
        most, area = ((1, 10, 100, 100, 100, 100)[place], max(0, place - 2))
        ranked = ranges[area]
        rows, found = ranked.hits_within(most)
        hits = _table(clusters, ranked.frames[rows], ranked.columns[rows], classes, found / len(THRESHOLDS))
        truths = draws @ _table(clusters, ranked.truth_frames, ranked.truth_columns, classes)
        with np.errstate(divide="ignore", invalid="ignore"):
            per_class[name] = np.where(truths > 0, (draws @ hits) / truths, np.nan)
    return {name: _known_mean(each) for name, each in per_class.items()} | {f"{n}.": v for n, v in per_class.items()}


def belief_values(precision: AveragePrecision, threshold: float, clusters: Clusters, draws: Draws) -> dict[str, Floats]:
    """Give calibration error, best F1 and its threshold for every draw."""
    scored = precision.scored()
    frames, scores, hit = scored.rows.frames, scored.rows.scores, scored.rows.right.astype(float)
    shown = scores >= np.float32(threshold)
    bins = np.minimum((scores[shown] * BINS).astype(np.int64), BINS - 1)
    gap = draws @ _table(clusters, frames[shown], bins, BINS, scores[shown] - hit[shown])
    counts = draws @ clusters.sums(frames[shown])
    places = np.searchsorted(GRID.astype(np.float32), scores, side="right") - 1
    true = _from_above(draws @ _table(clusters, frames, places, len(GRID), hit))
    some = _from_above(draws @ _table(clusters, frames, places, len(GRID)))
    truths = draws @ clusters.sums(scored.truth_frames)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.abs(gap).sum(axis=1) / counts
        f1 = np.where(truths[:, None] > 0, 2 * true / (some + truths[:, None]), np.nan)
    best = np.nan_to_num(f1, nan=-1.0).argmax(axis=1)
    largest = f1[np.arange(len(draws)), best]
    where = np.where(np.isnan(largest), np.nan, GRID[best])
    return {"calibration_error": error, "best_f1": largest, "best_threshold": where}


def gain_values(mended: Mended, rows: int, clusters: Clusters, draws: Draws) -> dict[str, Floats]:
    """Give the gain of mending each error; with many rows over fewer draws (the interval says how many)."""
    grouped = mended.grouped(clusters.of_frame)
    few = draws[: int(np.clip(_ROWS // max(rows, 1), _FEWEST, RESAMPLES))]

    def read(weights: Draws) -> Floats:
        gains = grouped.gains(weights)
        return np.array([np.nan if (value := gains[name]) is None else value for name in ERRORS])

    values = resample(read, few)
    return {f"tide.{name}": values[:, place] for place, name in enumerate(ERRORS)}


def _table(
    clusters: Clusters,
    frames: NDArray[np.integer],
    columns: NDArray[np.integer],
    width: int,
    values: NDArray[np.floating] | None = None,
) -> Floats:
    """Add up values, or count rows, by cluster and column: (clusters, width)."""
    places = clusters.of_frame[frames] * width + columns
    sums: Floats = np.bincount(places, values, len(clusters) * width).astype(np.float64)
    return sums.reshape(len(clusters), width)


def _from_above(values: Floats) -> Floats:
    """Sum up from the highest score down."""
    sums: Floats = values[:, ::-1].cumsum(axis=1)[:, ::-1]
    return sums


def _known_mean(values: Floats) -> Floats:
    """Average each row over what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        means: Floats = np.where(known, values, 0.0).sum(axis=1) / known.sum(axis=1)
        return means
