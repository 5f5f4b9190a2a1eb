"""IDF1: how well whole trajectories agree (Ristani et al., 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hilgui.evaluation.clear import MATCH_IOU
from hilgui.evaluation.track_rows import Pairs


@dataclass(frozen=True, slots=True)
class IdentityFigures:
    """Boxes that carry the identity their trajectory is paired with; ratios are None without boxes."""

    true_positives: int
    false_positives: int
    misses: int

    @property
    def idf1(self) -> float | None:
        """Give the harmonic mean of IDP and IDR."""
        return _ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.misses)

    @property
    def idp(self) -> float | None:
        """Give the share of tracked boxes with the right identity."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def idr(self) -> float | None:
        """Give the share of truths found under the right identity."""
        return _ratio(self.true_positives, self.true_positives + self.misses)

    def __add__(self, other: IdentityFigures) -> IdentityFigures:
        """Add the counts of another class or drive."""
        return IdentityFigures(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.misses + other.misses,
        )

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "idf1": self.idf1,
            "idp": self.idp,
            "idr": self.idr,
            "true_positives": self.true_positives,
            "false_positives": self.false_positives,
            "misses": self.misses,
        }


def identity_figures(pairs: Pairs) -> IdentityFigures:
    """Pair whole trajectories one to one so that most boxes agree at IoU .5; equal to trackeval and motmetrics."""
    near = pairs.overlap >= MATCH_IOU
    truths, tracked = len(pairs.truth_frames), len(pairs.tracked_frames)
    agreed = 0
    if near.any():
        table = coo_array(
            (np.ones(int(near.sum()), np.int64), (pairs.truths[near], pairs.tracked[near])), shape=(truths, tracked)
        )
        table.sum_duplicates()
        agreed = _most(np.asarray(table.row), np.asarray(table.col), table.data, truths)
    return IdentityFigures(agreed, int(pairs.tracked_frames.sum()) - agreed, int(pairs.truth_frames.sum()) - agreed)


def _most(rows: NDArray[np.int64], columns: NDArray[np.int64], counts: NDArray[np.int64], offset: int) -> int:
    """Give the largest sum of a one-to-one pairing; each group of trajectories that meet is solved by itself."""
    size = offset + int(columns.max()) + 1
    _, group = connected_components(coo_array((counts, (rows, columns + offset)), shape=(size, size)), directed=False)
    order = np.argsort(group[rows], kind="stable")
    ends = np.flatnonzero(np.diff(group[rows][order])) + 1
    total = 0
    for part in np.split(order, ends):
        _, row = np.unique(rows[part], return_inverse=True)
        _, column = np.unique(columns[part], return_inverse=True)
        dense = np.zeros((row.max() + 1, column.max() + 1))
        dense[row, column] = counts[part]
        best = linear_sum_assignment(dense, maximize=True)
        total += round(float(dense[best].sum()))
    return total


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
