"""What a model shows at its operating point: found, missed, phantom, and which class it took for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.overlap import iou_matrix
from hilgui.records import Comparison, Detections, Judgement, Truth

BACKGROUND = -1  # in place of a class: no truth, or no detection

_MATCH_IOU = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """One row per counted truth and per phantom: which class was there, which was shown."""

    frames: NDArray[np.int32]  # number of the frame
    there: NDArray[np.int32]  # class of the truth, or BACKGROUND
    shown: NDArray[np.int32]  # class of the detection, or BACKGROUND
    found: NDArray[np.bool_]  # a match of the same class

    @classmethod
    def joined(cls, parts: Sequence[Outcomes]) -> Outcomes:
        """Put frames one after the other."""
        if not parts:
            nothing = np.empty(0, np.int32)
            return cls(nothing, nothing, nothing, np.empty(0, np.bool_))
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


def outcomes(frame: int, detections: Detections, truth: Truth, comparison: Comparison) -> Outcomes:
    """Pair what the comparison left over: a missed truth with a phantom of another class at IoU ≥ .5, best first.

    Matches of the same class stand as the comparison made them, so the diagonal of the confusion matrix is the
    number of true positives. A confused pair is one row, and counts as a miss and as a phantom.
    """
    matched = comparison.partner >= 0
    same = truth.classes[comparison.partner[matched]]
    free = np.flatnonzero(comparison.truths == Judgement.UNMATCHED)
    phantoms = np.flatnonzero(comparison.detections == Judgement.UNMATCHED)
    there, shown = [same], [same]
    if len(free) and len(phantoms):
        overlap = iou_matrix(detections.boxes[phantoms], truth.boxes[free])
        rows, columns = _pair_up(overlap)
        there.append(truth.classes[free[columns]])
        shown.append(detections.classes[phantoms[rows]])
        free, phantoms = np.delete(free, columns), np.delete(phantoms, rows)
    there += [truth.classes[free], np.full(len(phantoms), BACKGROUND, np.int32)]
    shown += [np.full(len(free), BACKGROUND, np.int32), detections.classes[phantoms]]
    was, said = np.concatenate(there), np.concatenate(shown)
    found = np.zeros(len(was), np.bool_)
    found[: len(same)] = True
    return Outcomes(np.full(len(was), frame, np.int32), was, said, found)


def _pair_up(overlap: NDArray[np.float64]) -> tuple[list[int], list[int]]:
    rows, columns = np.nonzero(overlap >= _MATCH_IOU)
    pairs: dict[int, int] = {}
    for place in np.argsort(-overlap[rows, columns], kind="stable").tolist():
        row, column = int(rows[place]), int(columns[place])
        if row not in pairs and column not in pairs.values():
            pairs[row] = column
    return list(pairs), list(pairs.values())
