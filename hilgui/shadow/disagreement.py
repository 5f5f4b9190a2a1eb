"""Disagreement: how differently two models see the same frame, without asking the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import iou_matrix, is_judged
from hilgui.records import Detections, Disagreement

MATCH_IOU = 0.5


def disagree(
    baseline: Detections, candidate: Detections, thresholds: tuple[float, float], judged: frozenset[int]
) -> Disagreement:
    """Compare two sets of detections, each at or above its own threshold, over the judged classes.

    Pairs have the same class and IoU ≥ .5; the pair with the largest IoU goes first, so that neither model is
    favoured. The value is 1 - F1 = 1 - 2 · pairs / (rows of both), 0 when both are empty. The rows that are named
    count from the start of the given detections.
    """
    mine = _shown(baseline, thresholds[0], judged)
    theirs = _shown(candidate, thresholds[1], judged)
    rows, columns = _pairs(_rows(baseline, mine), _rows(candidate, theirs))
    total = len(mine) + len(theirs)
    value = 1.0 - 2.0 * len(rows) / total if total else 0.0
    return Disagreement(value, np.delete(mine, rows).astype(np.int32), np.delete(theirs, columns).astype(np.int32))


def _shown(detections: Detections, threshold: float, judged: frozenset[int]) -> NDArray[np.intp]:
    count = detections.count_above(threshold)
    return np.flatnonzero(is_judged(detections.classes[:count], judged))


def _rows(detections: Detections, rows: NDArray[np.intp]) -> Detections:
    return Detections(detections.boxes[rows], detections.scores[rows], detections.classes[rows])


def _pairs(first: Detections, second: Detections) -> tuple[list[int], list[int]]:
    overlap = iou_matrix(first.boxes, second.boxes)
    overlap[first.classes[:, None] != second.classes] = 0.0
    near, others = np.nonzero(overlap >= MATCH_IOU)
    order = np.argsort(-overlap[near, others], kind="stable")
    rows: dict[int, int] = {}
    taken: set[int] = set()
    for row, other in zip(near[order].tolist(), others[order].tolist(), strict=True):
        if row not in rows and other not in taken:
            rows[row] = other
            taken.add(other)
    return list(rows), list(rows.values())
