"""Lanes of one frame as TuSimple and CULane judge them; pure functions over polylines (P, 2) x y in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Line = NDArray[np.floating]
Floats = NDArray[np.float64]

NEAR_PX = 20.0  # of a lane that stands upright; divided by the cosine of its slope
MATCHED = 0.85  # share of rows that are near
MOST_LANES = 4  # TuSimple forgives one lane of five
SPARE_LANES = 2  # more lanes than labelled, beyond which a frame scores nothing
_STEP_PX, _TOP_SHARE = 10.0, 160 / 720  # TuSimple's rows
_ABSENT = -100.0
_SLACK_PX = 0.75  # by which a row may lie beyond the end of a line

CULANE_SIZE = (1640, 590)
CULANE_WIDTH_PX = 30
CULANE_IOU = 0.5


@dataclass(frozen=True, slots=True)
class TuSimpleScore:
    """Accuracy, share of false lanes and share of missed lanes of one frame."""

    accuracy: float
    false_positive: float
    false_negative: float


@dataclass(frozen=True, slots=True)
class LaneCounts:
    """Lanes of one frame that match, that are too many, that are missing."""

    true_positives: int
    false_positives: int
    misses: int


def tusimple_score(said: Sequence[Line], labelled: Sequence[Line], width: int, height: int) -> TuSimpleScore:
    """Compare on TuSimple's rows: every 10 px of 720 from row 160 down, 20 px / cos θ, a lane matches from .85 on.

    As the benchmark's own script: a row without a point on both sides counts as near, one lane too many is forgiven
    where five are labelled, and a frame with more than two lanes too many scores nothing. Pictures of another size are
    scaled to 1280×720.
    """
    scale = np.array([1280 / width, 720 / height])
    rows = np.arange(_TOP_SHARE * 720, 720, _STEP_PX)
    theirs = [_on_rows(line * scale, rows) for line in said]
    mine = [_on_rows(line * scale, rows) for line in labelled]
    if len(theirs) > len(mine) + SPARE_LANES:
        return TuSimpleScore(0.0, 0.0, 1.0)
    best, missed, matched = [], 0, 0
    for lane in mine:
        limit = NEAR_PX / math.cos(_slope(lane, rows))
        shares = [float((np.abs(other - lane) < limit).mean()) for other in theirs]
        best.append(max(shares, default=0.0))
        if best[-1] >= MATCHED:
            matched += 1
        else:
            missed += 1
    false = len(theirs) - matched
    total = sum(best)
    if len(mine) > MOST_LANES:
        missed = max(missed - 1, 0)
        total -= min(best)
    counted = max(min(MOST_LANES, len(mine)), 1)
    return TuSimpleScore(total / counted, false / len(theirs) if theirs else 0.0, missed / counted)


def culane_counts(said: Sequence[Line], labelled: Sequence[Line], width: int, height: int) -> LaneCounts:
    """Draw lanes 30 px wide on 1640×590 and pair them so that the sum of IoU is largest; IoU > .5 matches."""
    if not said or not labelled:
        return LaneCounts(0, len(said), len(labelled))
    scale = np.array([CULANE_SIZE[0] / width, CULANE_SIZE[1] / height])
    theirs, mine = ([_drawn(line * scale) for line in lines] for lines in (said, labelled))
    overlap = np.array([[_iou(one, other) for other in mine] for one in theirs])
    hits = int((overlap[linear_sum_assignment(overlap, maximize=True)] > CULANE_IOU).sum())
    return LaneCounts(hits, len(said) - hits, len(labelled) - hits)


def _on_rows(line: Line, rows: Floats) -> Floats:
    """Give x on each row, -100 where the line has no point."""
    order = np.argsort(line[:, 1], kind="stable")
    down, across = line[order, 1].astype(np.float64), line[order, 0].astype(np.float64)
    if not len(down):
        return np.full(len(rows), _ABSENT)
    inside = (rows >= down[0] - _SLACK_PX) & (rows <= down[-1] + _SLACK_PX)
    placed: Floats = np.where(inside, np.interp(rows, down, across), _ABSENT)
    return placed


def _slope(lane: Floats, rows: Floats) -> float:
    there = lane >= 0
    if there.sum() < 2:
        return 0.0
    down = rows[there] - rows[there].mean()
    return math.atan(float(down @ lane[there]) / float(down @ down))


def _drawn(line: Floats) -> NDArray[np.bool_]:
    import cv2  # only here: the other figures do without

    canvas = np.zeros((CULANE_SIZE[1], CULANE_SIZE[0]), np.uint8)
    points = np.rint(np.clip(line, -4000, 8000)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [points], isClosed=False, color=1, thickness=CULANE_WIDTH_PX)
    return canvas > 0


def _iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    both = int(np.count_nonzero(one & other))
    either = int(np.count_nonzero(one | other))
    return both / either if either else 0.0
