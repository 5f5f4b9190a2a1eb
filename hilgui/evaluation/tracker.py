"""The bench's own tracker: gives detections an identity over frames where the model gives none.

Two-stage association after ByteTrack (Zhang et al., ECCV 2022): first the boxes with a high score take tracks, then
those with a low score may continue a track that was seen in the frame before. Each track predicts its box by a Kalman
filter of constant velocity over centre, width and height (SORT, Bewley et al., ICIP 2016). Its noise is independent in
the four directions, so that the covariance falls into four 2×2 blocks and all tracks are predicted at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hilgui.evaluation.overlap import iou_matrix

Box = tuple[float, float, float, float]  # x1 y1 x2 y2 px

# Standard deviations as a share of the box: width for x and width, height for y and height. A position is known to a
# twentieth of the box; of a new track nothing is known about the velocity, so that its second box tells it.
_MEASURED = 0.05
_DRIFT = 0.05  # per update, of the position
_SPEED_DRIFT = 1 / 40  # per update, of the velocity
_SPEED_AT_START = 0.25  # per update

_EMPTY_FLOAT: NDArray[np.float64] = np.empty((0, 4))


@dataclass(frozen=True, slots=True)
class Association:
    """What it takes to continue or to start a track."""

    least_iou: float = 0.3  # of a box with high score and the predicted box
    low_iou: float = 0.5  # of a box with low score
    high_score: float = 0.0  # from here on a score is high; below, a box starts no track


class Tracker:
    """Associates boxes with tracks so that the sum of IoU is largest; deterministic, one thread.

    Tracks are numbered from 0 and end when they were missing for more than `keep` updates. Where classes are given, a
    track takes only boxes of the class it started with. 20 objects take about 0.15 ms.
    """

    def __init__(self, keep: int, association: Association | None = None) -> None:
        self._keep = keep
        self._association = association or Association()
        self._filter = _Filter()
        self._numbers = np.empty(0, np.int64)
        self._classes = np.empty(0, np.int32)
        self._missing = np.empty(0, np.int64)
        self._next = 0
        self.ended: list[int] = []  # numbers of the tracks that the last update ended

    def update(
        self,
        boxes: Sequence[Box] | NDArray[np.floating],
        scores: NDArray[np.floating] | None = None,
        classes: NDArray[np.int32] | None = None,
    ) -> list[int]:
        """Take the boxes (N, 4) of the next frame; give the track number of each, -1 for a low one without a track."""
        found = np.asarray(boxes, np.float64).reshape(-1, 4)
        if not len(found) and not len(self._numbers):
            self.ended = []
            return []
        self._filter.predict()
        track_of = self._associate(found, scores, classes)
        self._missing += 1
        rows = np.flatnonzero(track_of >= 0)
        if len(rows):
            self._filter.correct(track_of[rows], found[rows])
            self._missing[track_of[rows]] = 0
        numbers = np.full(len(found), -1, np.int64)
        numbers[rows] = self._numbers[track_of[rows]]
        fresh = track_of < 0
        if scores is not None:
            fresh &= np.asarray(scores) >= self._association.high_score
        if fresh.any():
            numbers[fresh] = self._start(found[fresh], None if classes is None else classes[fresh])
        self._end()
        given: list[int] = numbers.tolist()
        return given

    def unseen(self) -> dict[int, Box]:
        """Say where the tracks that the last update did not see would be in it."""
        rows = np.flatnonzero(self._missing)
        boxes = self._filter.boxes(rows).tolist()
        return {number: (*box,) for number, box in zip(self._numbers[rows].tolist(), boxes, strict=True)}

    def _associate(
        self, boxes: NDArray[np.float64], scores: NDArray[np.floating] | None, classes: NDArray[np.int32] | None
    ) -> NDArray[np.int64]:
        """Give the row of the track that each box continues, or -1."""
        track_of = np.full(len(boxes), -1, np.int64)
        if not len(boxes) or not len(self._numbers):
            return track_of
        overlap = iou_matrix(boxes, self._filter.boxes())
        if classes is not None:
            overlap[np.asarray(classes)[:, None] != self._classes] = 0.0
        rule = self._association
        if scores is None:
            return assign(overlap, rule.least_iou)
        high = np.asarray(scores) >= rule.high_score
        track_of[high] = assign(overlap[high], rule.least_iou)
        low = np.flatnonzero(~high)
        if len(low):
            free = self._missing == 0
            free[track_of[track_of >= 0]] = False
            columns = np.flatnonzero(free)
            taken = assign(overlap[np.ix_(low, columns)], rule.low_iou)
            track_of[low[taken >= 0]] = columns[taken[taken >= 0]]
        return track_of

    def _start(self, boxes: NDArray[np.float64], classes: NDArray[np.int32] | None) -> NDArray[np.int64]:
        numbers = np.arange(self._next, self._next + len(boxes))
        self._next += len(boxes)
        self._filter.add(boxes)
        self._numbers = np.concatenate([self._numbers, numbers])
        self._missing = np.concatenate([self._missing, np.zeros(len(boxes), np.int64)])
        given = np.full(len(boxes), -1, np.int32) if classes is None else np.asarray(classes, np.int32)
        self._classes = np.concatenate([self._classes, given])
        return numbers

    def _end(self) -> None:
        over = self._missing > self._keep
        self.ended = self._numbers[over].tolist()
        if self.ended:
            kept = ~over
            self._numbers, self._missing, self._classes = self._numbers[kept], self._missing[kept], self._classes[kept]
            self._filter.keep(kept)


def assign(overlap: NDArray[np.float64], least: float) -> NDArray[np.int64]:
    """Give for each row of (N, M) the column that it is paired with at `least` or more, or -1.

    The pairs maximise the sum of the overlap (Hungarian method); pairs below `least` add nothing. Where no row and no
    column has a choice, the method is not needed.
    """
    column_of = np.full(len(overlap), -1, np.int64)
    possible = overlap >= least
    if least <= 0:
        possible &= overlap > 0
    rows, columns = np.nonzero(possible)
    if len(rows) == 0:
        return column_of
    if possible.sum(axis=0).max() > 1 or possible.sum(axis=1).max() > 1:
        rows, columns = linear_sum_assignment(np.where(possible, overlap, 0.0), maximize=True)
        real = possible[rows, columns]
        rows, columns = rows[real], columns[real]
    column_of[rows] = columns
    return column_of


class _Filter:
    """Kalman filters of many boxes: position and velocity of centre x, centre y, width, height."""

    def __init__(self) -> None:
        self._place = self._speed = _EMPTY_FLOAT
        self._place_var = self._both_var = self._speed_var = _EMPTY_FLOAT

    def predict(self) -> None:
        """Move every box on by one update."""
        if not len(self._place):
            return
        scale = self._scale()
        self._place = self._place + self._speed
        self._place[:, 2:] = np.maximum(self._place[:, 2:], 1e-3)
        self._place_var = self._place_var + 2 * self._both_var + self._speed_var + (_DRIFT**2) * scale
        self._both_var = self._both_var + self._speed_var
        self._speed_var = self._speed_var + (_SPEED_DRIFT**2) * scale

    def correct(self, rows: NDArray[np.int64], boxes: NDArray[np.float64]) -> None:
        """Take the measured boxes (K, 4) x1 y1 x2 y2 of some rows."""
        measured = _centred(boxes)
        place_var, both_var = self._place_var[rows], self._both_var[rows]
        spread = place_var + (_MEASURED**2) * _squared_sides(measured)
        error = measured - self._place[rows]
        place_gain, speed_gain = place_var / spread, both_var / spread
        self._place[rows] += place_gain * error
        self._speed[rows] += speed_gain * error
        self._place_var[rows] = place_var - place_gain * place_var
        self._both_var[rows] = both_var - place_gain * both_var
        self._speed_var[rows] -= speed_gain * both_var

    def add(self, boxes: NDArray[np.float64]) -> None:
        """Begin with boxes at rest."""
        place = _centred(boxes)
        scale = _squared_sides(place)
        self._place = np.concatenate([self._place, place])
        self._speed = np.concatenate([self._speed, np.zeros_like(place)])
        self._place_var = np.concatenate([self._place_var, (_MEASURED**2) * scale])
        self._both_var = np.concatenate([self._both_var, np.zeros_like(place)])
        self._speed_var = np.concatenate([self._speed_var, (_SPEED_AT_START**2) * scale])

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Forget the other rows."""
        self._place, self._speed = self._place[kept], self._speed[kept]
        self._place_var, self._both_var = self._place_var[kept], self._both_var[kept]
        self._speed_var = self._speed_var[kept]

    def boxes(self, rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Give the boxes as x1 y1 x2 y2."""
        place = self._place if rows is None else self._place[rows]
        half = place[:, 2:] / 2
        return np.concatenate([place[:, :2] - half, place[:, :2] + half], axis=1)

    def _scale(self) -> NDArray[np.float64]:
        return _squared_sides(self._place)


def _centred(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.concatenate([boxes[:, :2] + sides / 2, sides], axis=1)


def _squared_sides(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give width², height², width², height²: the unit of the variances."""
    sides = np.square(place[:, 2:])
    return np.concatenate([sides, sides], axis=1)
