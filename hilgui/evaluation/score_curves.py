"""Figures against the score: precision, recall and F1 at every threshold, and how far scores can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.scored_rows import Scored

GRID: NDArray[np.float64] = np.linspace(0.0, 1.0, 101)  # thresholds
BINS = 10  # of scores, equally wide


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCurves:
    """Precision, recall and F1 at IoU .5 for every threshold of GRID; NaN where nothing is shown or to be found."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]

    @property
    def best(self) -> tuple[float, float] | None:
        """Give the threshold with the largest F1, and this F1."""
        if not np.isfinite(self.f1).any():
            return None
        place = int(np.nanargmax(self.f1))
        return float(GRID[place]), float(self.f1[place])

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        curves = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        return {"threshold": GRID.round(2).tolist()} | {name: _plain(values) for name, values in curves.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Score against share of detections that are right, by bin of score (Küppers et al., CVPRW 2020)."""

    scores: NDArray[np.float64]  # (BINS,) mean score, NaN where the bin is empty
    right: NDArray[np.float64]  # (BINS,) share of true positives at IoU .5
    counts: NDArray[np.int64]  # (BINS,)

    @property
    def error(self) -> float | None:
        """Give the detection calibration error: |score - share that is right|, averaged over detections."""
        total = int(self.counts.sum())
        gaps = np.nan_to_num(np.abs(self.scores - self.right))
        return float((gaps * self.counts).sum() / total) if total else None

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"score": _plain(self.scores), "right": _plain(self.right), "count": self.counts.tolist()}


def score_curves(scored: Scored, column: int | None = None) -> ScoreCurves:
    """Read the curves of one class, or over all classes together (each object counts alike)."""
    hit, scores, truths = scored.of(column)
    order = np.argsort(-scores, kind="stable")
    true = np.concatenate(([0], np.cumsum(hit[order])))
    shown = np.searchsorted(-scores[order], -GRID.astype(np.float32), side="right")
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = true[shown] / shown
        recall = true[shown] / truths if truths else np.full(len(GRID), np.nan)
        f1 = 2 * true[shown] / (shown + truths)
    return ScoreCurves(precision, recall, f1)


def reliability(scored: Scored, threshold: float = 0.0, column: int | None = None) -> Reliability:
    """Read how often detections with a score of at least `threshold` are right."""
    hit, scores, _ = scored.of(column)
    kept = scores >= np.float32(threshold)
    hit, scores = hit[kept], scores[kept]
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Reliability(
            np.bincount(bins, scores, BINS) / counts, np.bincount(bins, hit.astype(float), BINS) / counts, counts
        )


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [None if not np.isfinite(value) else float(value) for value in values]
