"""Candidate boxes: what an adapter reads from a network's outputs, and how they become detections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.inference.nms import suppress
from hilgui.inference.preprocess import Geometry
from hilgui.records import Detections

SCORE_FLOOR = 0.001  # what average precision looks at; screens and findings use the card's threshold
MOST_CANDIDATES = 3000  # best boxes of a frame that suppression looks at
MOST_DETECTIONS = 300  # best boxes of a frame that are kept; COCO's average precision counts 100
_FARTHEST_PX = 1e6  # a corner beyond this is a number gone wrong
_EIGHT_BELOW = np.uint64(0x0101010101010101)
_SCORE_SLACK = 1e-3  # above 1 by rounding (float16, int8)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes of one frame before suppression, in any order, all finite, with an area and scores of 0..1."""

    boxes: NDArray[np.float32]  # (N, 4) x1 y1 x2 y2 in pixels of the input tensor
    scores: NDArray[np.float32]  # (N,) at least SCORE_FLOOR
    classes: NDArray[np.int32]  # (N,) the model's own numbering
    invalid: int = 0  # rows of the output that are no boxes


def sift(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Candidates:
    """Take every class of every row that reaches SCORE_FLOOR; `boxes` (R, 4), `scores` (R, C).

    A row that scores and holds a number that is not finite or absurd, a score above 1, or a box without area is left
    out and counted once. Rows below the floor are not looked at; a NaN never counts as below.
    """
    scoring = reaching(scores)
    rows, classes = np.divmod(scoring, scores.shape[1])
    return pick(boxes, rows, classes, scores.reshape(-1)[scoring])


def pick(
    boxes: NDArray[np.float32], rows: NDArray[np.intp], classes: NDArray[np.intp], scores: NDArray[np.float32]
) -> Candidates:
    """Make candidates of (row of `boxes`, class, score) triples; leave out and count the rows that are no boxes."""
    taken = boxes[rows]
    good = (np.abs(taken) < _FARTHEST_PX).all(axis=1) & (taken[:, 2] > taken[:, 0]) & (taken[:, 3] > taken[:, 1])
    good &= scores <= 1.0 + _SCORE_SLACK  # False for a NaN
    invalid = 0
    if not good.all():
        bad = np.unique(rows[~good])
        invalid = len(bad)
        good = ~np.isin(rows, bad)
        taken, classes, scores = taken[good], classes[good], scores[good]
    return Candidates(taken, np.minimum(scores, np.float32(1)), classes.astype(np.int32), invalid)


def settle(candidates: Candidates, geometry: Geometry, iou: float | None) -> Detections:
    """Sort, suppress (`iou` None: the network did it itself), map to the picture.

    Equal scores keep the order in which the network gave them, so the result is the same on every run. Boxes that lie
    wholly outside the picture (in the letterbox) are dropped.
    """
    order = _best(candidates.scores)
    boxes, classes = candidates.boxes[order], candidates.classes[order]
    if iou is None:
        kept = np.arange(min(len(order), MOST_DETECTIONS))
    else:
        kept = suppress(boxes, classes, iou, MOST_DETECTIONS)
    placed = geometry.to_image(boxes[kept])
    detections = Detections(placed, candidates.scores[order[kept]], classes[kept])
    visible = (placed[:, 2] > placed[:, 0]) & (placed[:, 3] > placed[:, 1])
    return detections if visible.all() else detections.where(visible)


def reaching(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give the flat places, in C order, that are not below the floor.

    Nearly all are below, so eight answers are looked at in one word: half the time of `flatnonzero` on 8400 × 80.
    """
    below = np.less(scores, SCORE_FLOOR, order="C").reshape(-1)
    if below.size % 8:
        return np.flatnonzero(~below)
    words = np.flatnonzero(below.view(np.uint64) != _EIGHT_BELOW)
    near: NDArray[np.intp] = (words[:, None] * 8 + np.arange(8)).reshape(-1)
    return near[~below[near]]


def _best(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give the rows of the MOST_CANDIDATES best scores by falling score; of equal ones the first."""
    if len(scores) <= MOST_CANDIDATES:
        return np.argsort(-scores, kind="stable")
    least = np.partition(scores, len(scores) - MOST_CANDIDATES)[len(scores) - MOST_CANDIDATES]
    above = np.flatnonzero(scores > least)
    level = np.flatnonzero(scores == least)[: MOST_CANDIDATES - len(above)]
    rows = np.sort(np.concatenate((above, level)))
    return rows[np.argsort(-scores[rows], kind="stable")]
