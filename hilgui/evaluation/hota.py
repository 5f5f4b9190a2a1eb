"""HOTA: detection and association judged alike, at nineteen IoU thresholds (Luiten et al., IJCV 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hilgui.evaluation.track_rows import Pairs

ALPHAS: NDArray[np.float64] = np.arange(0.05, 0.99, 0.05)
_ROUNDING = np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True, eq=False)
class HotaFigures:
    """Counts and sums at each α of `ALPHAS`; figures are means over α, None without any box."""

    true_positives: NDArray[np.int64]  # (19,)
    false_positives: NDArray[np.int64]
    misses: NDArray[np.int64]
    association: NDArray[np.float64]  # sum of A(c) over the true positives
    overlap: NDArray[np.float64]  # sum of IoU over the true positives

    @property
    def det_a(self) -> float | None:
        """Give the detection accuracy."""
        return self._mean(self._det())

    @property
    def ass_a(self) -> float | None:
        """Give the association accuracy."""
        return self._mean(self._ass())

    @property
    def loc_a(self) -> float | None:
        """Give the mean IoU of the matches; 1 at an α without any, as in the reference."""
        least = 1e-10
        return self._mean(np.maximum(least, self.overlap) / np.maximum(least, self.true_positives))

    @property
    def hota(self) -> float | None:
        """Give the mean over α of the geometric mean of both accuracies."""
        return self._mean(np.sqrt(self._det() * self._ass()))

    def __add__(self, other: HotaFigures) -> HotaFigures:
        """Add another class or drive: detections are pooled, associations weigh by true positives."""
        return HotaFigures(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"hota": self.hota, "det_a": self.det_a, "ass_a": self.ass_a, "loc_a": self.loc_a}

    def _det(self) -> NDArray[np.float64]:
        boxes = self.true_positives + self.false_positives + self.misses
        shares: NDArray[np.float64] = self.true_positives / np.maximum(1, boxes)
        return shares

    def _ass(self) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = self.association / np.maximum(1, self.true_positives)
        return sums

    def _mean(self, values: NDArray[np.float64]) -> float | None:
        boxes = self.true_positives[0] + self.false_positives[0] + self.misses[0]
        return float(values.mean()) if boxes else None


def no_hota() -> HotaFigures:
    """Give the figures of no frame at all."""
    counts = np.zeros(len(ALPHAS), np.int64)
    sums: NDArray[np.float64] = np.zeros(len(ALPHAS))
    return HotaFigures(counts, counts, counts, sums, sums)


@dataclass(frozen=True, slots=True, eq=False)
class HotaMatches:
    """The matches of all frames, with how long both of their trajectories live."""

    frames: NDArray[np.int64]  # (M,)
    overlap: NDArray[np.float64]  # (M,) IoU
    codes: NDArray[np.int64]  # (M,) which pair of trajectories, from 0
    life: NDArray[np.int64]  # (pairs,) frames of both trajectories together

    def at(self, alpha: float) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Give the matches that reach α, and how many of them each pair of trajectories has."""
        reached: NDArray[np.bool_] = self.overlap >= alpha - _ROUNDING
        return reached, np.bincount(self.codes[reached], minlength=len(self.life))

    def alignment(self, alpha: float) -> NDArray[np.float64]:
        """Give A(c) of each match, 0 where it does not reach α."""
        reached, matches = self.at(alpha)
        shares = matches / np.maximum(1, self.life - matches)
        return np.where(reached, shares[self.codes], 0.0)


def hota_matches(pairs: Pairs) -> HotaMatches:
    """Match every frame by IoU times the alignment of the whole trajectories."""
    width = max(len(pairs.tracked_frames), 1)
    codes, code_of = np.unique(pairs.truths * width + pairs.tracked, return_inverse=True)
    life = pairs.truth_frames[codes // width] + pairs.tracked_frames[codes % width]
    together = np.bincount(code_of, pairs.share, len(codes))
    chosen = _chosen(pairs, (together / np.maximum(life - together, _ROUNDING))[code_of] * pairs.overlap)
    return HotaMatches(pairs.frames[chosen], pairs.overlap[chosen], code_of[chosen], life)


def hota_figures(pairs: Pairs) -> HotaFigures:
    """Match every frame by IoU times the alignment of the whole trajectories; equal to trackeval's figures."""
    truths, tracked = int(pairs.truth_frames.sum()), int(pairs.tracked_frames.sum())
    found = hota_matches(pairs)
    hits = np.zeros(len(ALPHAS), np.int64)
    association, overlap = np.zeros(len(ALPHAS)), np.zeros(len(ALPHAS))
    for level, alpha in enumerate(ALPHAS):
        reached, matches = found.at(alpha)
        hits[level] = matches.sum()
        overlap[level] = found.overlap[reached].sum()
        association[level] = (matches * matches / np.maximum(1, found.life - matches)).sum()
    return HotaFigures(hits, tracked - hits, truths - hits, association, overlap)


def _chosen(pairs: Pairs, worth: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the rows of the pairs that each frame's best one-to-one matching takes.

    A pair that is alone for both of its boxes is taken as it is; the others go through the Hungarian method.
    """
    if not len(worth):
        return np.empty(0, np.int64)
    alone = _is_single(pairs.frames, pairs.truths) & _is_single(pairs.frames, pairs.tracked)
    taken = [np.flatnonzero(alone)]
    rest = np.flatnonzero(~alone)
    for part in np.split(rest, np.flatnonzero(np.diff(pairs.frames[rest])) + 1):
        if not len(part):
            continue
        rows, row_of = np.unique(pairs.truths[part], return_inverse=True)
        columns, column_of = np.unique(pairs.tracked[part], return_inverse=True)
        dense = np.zeros((len(rows), len(columns)))
        place = np.full(dense.shape, -1)
        dense[row_of, column_of] = worth[part]
        place[row_of, column_of] = part
        found = place[linear_sum_assignment(dense, maximize=True)]
        taken.append(found[found >= 0])
    return np.concatenate(taken)


def _is_single(frames: NDArray[np.int64], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    keys = frames * (int(numbers.max()) + 1) + numbers
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    single: NDArray[np.bool_] = counts[place] == 1
    return single
