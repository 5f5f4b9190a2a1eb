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
    agreed = len(agreed_rows(pairs))
    return IdentityFigures(agreed, int(pairs.tracked_frames.sum()) - agreed, int(pairs.truth_frames.sum()) - agreed)


def agreed_rows(pairs: Pairs) -> NDArray[np.int64]:
    """Give the rows of the pairs whose trajectories are paired and that reach IoU .5."""
    near = np.flatnonzero(pairs.overlap >= MATCH_IOU)
    if not len(near):
        return near
    width = len(pairs.tracked_frames)
    codes, code_of, counts = np.unique(
        pairs.truths[near] * width + pairs.tracked[near], return_inverse=True, return_counts=True
    )
    chosen = _most(codes // width, codes % width, counts, len(pairs.truth_frames))
    rows: NDArray[np.int64] = near[chosen[code_of.reshape(-1)]]
    return rows


def _most(
    rows: NDArray[np.int64], columns: NDArray[np.int64], counts: NDArray[np.int64], offset: int
) -> NDArray[np.bool_]:
    """Say which entries a one-to-one pairing takes whose sum is largest; groups that meet are solved by themselves."""
    size = offset + int(columns.max()) + 1
    _, group = connected_components(coo_array((counts, (rows, columns + offset)), shape=(size, size)), directed=False)
    order = np.argsort(group[rows], kind="stable")
    ends = np.flatnonzero(np.diff(group[rows][order])) + 1
    taken = np.zeros(len(rows), np.bool_)
    for part in np.split(order, ends):
        own, row = np.unique(rows[part], return_inverse=True)
        others, column = np.unique(columns[part], return_inverse=True)
        dense = np.zeros((len(own), len(others)))
        dense[row, column] = counts[part]
        first, second = linear_sum_assignment(dense, maximize=True)
        partner = np.full(len(own), -1)
        partner[first] = second
        taken[part] = partner[row] == column
    return taken


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
