"""Matching at the operating point: which truths were found, missed, and which detections have no truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.overlap import iou_matrix, share_matrix
from hilgui.records import NO_CLASS, Comparison, Detections, Judgement, Truth

MATCH_IOU = 0.5

_UNMATCHED, _IGNORED = np.uint8(Judgement.UNMATCHED), np.uint8(Judgement.IGNORED)


def compare(detections: Detections, truth: Truth, threshold: float, judged: frozenset[int]) -> Comparison:
    """Judge the detections with a score of at least `threshold` against the truth of the same frame.

    Within a class, in the order of falling score, each detection takes the free truth with the best IoU of at
    least .5 (COCO's greedy matching). A detection without such a truth is ignored when it lies

    - on a crowd (intersection / detection area) or an ignored truth of its class,
    - with at least half of its area in a region without class (KITTI's DontCare, an unmapped class),
    - on a truth of a class that is not judged: not compared means not wrong.

    Truths and detections of classes outside `judged` are ignored. Pure; about 0.1 ms for 20 detections.
    """
    kept = detections.first(detections.count_above(threshold))
    region = truth.classes == NO_CLASS
    overlap = iou_matrix(kept.boxes, truth.boxes, truth.crowd)
    if region.any():
        overlap[:, region] = share_matrix(kept.boxes, truth.boxes[region])
    known = is_judged(truth.classes, judged)
    counted = known & ~(truth.crowd | truth.ignore)
    near = overlap >= MATCH_IOU  # also right for regions: half of a detection inside
    same = kept.classes[:, None] == truth.classes
    compared = is_judged(kept.classes, judged)
    partner = _partners(overlap, near & same & counted)

    excused = (near & (~known | (same & ~counted))).any(axis=1)
    verdicts = np.where(excused | ~compared, _IGNORED, _UNMATCHED)
    truths = np.where(counted, _UNMATCHED, _IGNORED)
    matched = np.flatnonzero(partner >= 0)
    verdicts[matched] = Judgement.MATCHED
    truths[partner[matched]] = Judgement.MATCHED
    best = overlap.max(axis=1, initial=0.0)
    best[matched] = overlap[matched, partner[matched]]
    return Comparison(truths, verdicts, partner, best.astype(np.float32))


def _partners(overlap: NDArray[np.float64], possible: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give the truth row of each detection, or -1; rows come by falling score."""
    partner = np.full(len(overlap), -1, np.int32)
    taken: set[int] = set()
    rows, columns = np.nonzero(possible)
    # Row by row the best overlap first; of equals the last truth, as in pycocotools.
    order = np.lexsort((-columns, -overlap[rows, columns], rows))
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if partner[row] < 0 and column not in taken:
            partner[row] = column
            taken.add(column)
    return partner
