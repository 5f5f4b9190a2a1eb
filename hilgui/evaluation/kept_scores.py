"""Counts at any threshold from the kept scores, without matching again: what a slider moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.scored_rows import Scored


@dataclass(frozen=True, slots=True)
class Counted:
    """What a model does at one threshold, at IoU .5."""

    matched: int
    missed: int
    phantoms: int

    @property
    def recall(self) -> float | None:
        """Give the share of truths that were found."""
        truths = self.matched + self.missed
        return self.matched / truths if truths else None

    @property
    def precision(self) -> float | None:
        """Give the share of detections that have a truth."""
        shown = self.matched + self.phantoms
        return self.matched / shown if shown else None

    @property
    def f1(self) -> float | None:
        """Give the harmonic mean of both."""
        of = 2 * self.matched + self.missed + self.phantoms
        return 2 * self.matched / of if of else None


class KeptScores:
    """Scores of the detections that count, the lowest first, with the hits above each; a few microseconds an answer.

    Detections are matched from the highest score down, so what is matched above a threshold does not depend on what
    lies below: these counts are those of judging the run again.
    """

    def __init__(self, scored: Scored, classes: int) -> None:
        self._of: list[tuple[NDArray[np.float32], NDArray[np.int64], int]] = []
        for column in (None, *range(classes)):  # None: all of them
            right, scores, truths = scored.of(column)
            order = np.argsort(scores, kind="stable")
            above = np.append(np.cumsum(right[order][::-1])[::-1], 0)
            self._of.append((scores[order], above.astype(np.int64), truths))

    def at(self, threshold: float, column: int | None = None) -> Counted:
        """Count one class, or all together, with the detections whose score is at least `threshold`."""
        scores, above, truths = self._of[0 if column is None else column + 1]
        first = int(np.searchsorted(scores, np.float32(threshold), side="left"))
        matched = int(above[first])
        return Counted(matched, truths - matched, len(scores) - first - matched)
