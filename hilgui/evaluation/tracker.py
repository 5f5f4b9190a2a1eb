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

_DRIFTS = np.array([_DRIFT**2, _SPEED_DRIFT**2])[:, None, None]
_PLACE, _SPEED, _PLACE_VAR, _BOTH_VAR, _SPEED_VAR = range(5)  # rows of a state (5, N, 4) of x, y, width, height
_SIDES = np.array([2, 3, 2, 3])


@dataclass(frozen=True, slots=True)
class Association:
    """What it takes to continue or to start a track."""

    least_iou: float = 0.3  # of a box with high score and the predicted box
    low_iou: float = 0.5  # of a box with low score
    high_score: float = 0.0  # from here on a score is high; below, a box starts no track


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a model shows on one frame."""

    boxes: NDArray[np.floating]  # (N, 4) x1 y1 x2 y2 px
    scores: NDArray[np.floating] | None = None  # None: all are high
    classes: NDArray[np.int32] | None = None  # given: a track takes only boxes of the class it started with


class Tracker:
    """Associates boxes with tracks so that the sum of IoU is largest; deterministic, one thread.

    Tracks are numbered from 0 and end when they were missing for more than `keep` updates. 20 objects take about
    0.1 ms, half of it in the filter, which several trackers may share (`follow`).
    """

    def __init__(self, keep: int, association: Association | None = None) -> None:
        self._keep = keep
        self._association = association or Association()
        self.state = np.empty((5, 0, 4))  # filters of the tracks, see _PLACE
        self._numbers: list[int] = []
        self._classes = np.empty(0, np.int32)
        self._missing = np.empty(0, np.int64)
        self._next = 0
        self._overlap = np.empty((0, 0))  # of the last boxes with the tracks where they were expected
        self.ended: list[int] = []  # numbers of the tracks that the last update ended

    def update(
        self,
        boxes: Sequence[Box] | NDArray[np.floating],
        scores: NDArray[np.floating] | None = None,
        classes: NDArray[np.int32] | None = None,
    ) -> list[int]:
        """Take the boxes (N, 4) of the next frame; give the track number of each, -1 for a low one without a track."""
        if not len(boxes) and not self._numbers:
            self.ended = []
            return []
        return follow([(self, Found(np.asarray(boxes).reshape(-1, 4), scores, classes))])[0]

    def unseen(self) -> dict[int, Box]:
        """Say where the tracks that the last update did not see would be in it."""
        rows = np.flatnonzero(self._missing)
        boxes = _corners(self.state[_PLACE, rows]).tolist()
        return {self._numbers[row]: (*box,) for row, box in zip(rows.tolist(), boxes, strict=True)}

    def covered(self, least: float) -> set[int]:
        """Name the tracks that the last update did not see, but which one of its boxes overlaps by `least` or more."""
        rows = np.flatnonzero(self._missing)
        best = self._overlap[:, rows].max(axis=0, initial=0.0)
        return {self._numbers[row] for row in rows[best >= least].tolist()}

    def associate(self, found: Found) -> NDArray[np.int64]:
        """Give the row of the track that each box continues, or -1."""
        track_of = np.full(len(found.boxes), -1, np.int64)
        if not len(track_of) or not self._numbers:
            self._overlap = np.empty((0, len(self._numbers)))
            return track_of
        overlap = iou_matrix(found.boxes, _corners(self.state[_PLACE]))
        if found.classes is not None:
            overlap[np.asarray(found.classes)[:, None] != self._classes] = 0.0
        self._overlap, rule = overlap, self._association
        if found.scores is None:
            return assign(overlap, rule.least_iou)
        high = np.asarray(found.scores) >= rule.high_score
        track_of[high] = assign(overlap[high], rule.least_iou)
        low = np.flatnonzero(~high)
        if len(low):
            free = self._missing == 0
            free[track_of[track_of >= 0]] = False
            columns = np.flatnonzero(free)
            taken = assign(overlap[np.ix_(low, columns)], rule.low_iou)
            track_of[low[taken >= 0]] = columns[taken[taken >= 0]]
        return track_of

    def settle(self, found: Found, track_of: NDArray[np.int64], taken: NDArray[np.int64]) -> list[int]:
        """Give every box its number, start tracks and end them; `taken` are the rows of those that go on."""
        numbers = [self._numbers[row] if row >= 0 else -1 for row in track_of.tolist()]
        self._missing += 1
        self._missing[taken] = 0
        if len(taken) < len(numbers):
            fresh = track_of < 0
            if found.scores is not None:
                fresh &= np.asarray(found.scores) >= self._association.high_score
            for row in np.flatnonzero(fresh).tolist():
                numbers[row] = self._next
                self._numbers.append(self._next)
                self._next += 1
            self._start(found, fresh)
        over = self._missing > self._keep
        self.ended = [self._numbers[row] for row in np.flatnonzero(over).tolist()]
        if self.ended:
            kept = ~over
            self._overlap = self._overlap[:, kept[: self._overlap.shape[1]]]
            self._numbers = [self._numbers[row] for row in np.flatnonzero(kept).tolist()]
            self._missing, self._classes, self.state = self._missing[kept], self._classes[kept], self.state[:, kept]
        return numbers

    def _start(self, found: Found, fresh: NDArray[np.bool_]) -> None:
        """Begin with boxes at rest."""
        place = _centred(found.boxes[fresh])
        scale, nothing = np.square(place[:, _SIDES]), np.zeros_like(place)
        state = np.array([place, nothing, _MEASURED**2 * scale, nothing, _SPEED_AT_START**2 * scale])
        self.state = np.concatenate([self.state, state], axis=1)
        self._missing = np.concatenate([self._missing, np.zeros(len(place), np.int64)])
        given = np.full(len(place), -1) if found.classes is None else np.asarray(found.classes)[fresh]
        self._classes = np.concatenate([self._classes, given])


def follow(seen: Sequence[tuple[Tracker, Found]]) -> list[list[int]]:
    """Update several trackers, each with boxes of its own; gives for each what `Tracker.update` gives.

    Their filters are predicted and corrected together: a call of numpy costs the same for one track as for fifty.
    """
    if not seen:
        return []
    states = [tracker.state for tracker, _ in seen]
    state = states[0] if len(states) == 1 else np.concatenate(states, axis=1)
    _predict(state)
    start, partners, rows, measured = 0, [], [], []
    for (tracker, found), own in zip(seen, states, strict=True):
        tracker.state = state[:, start : start + own.shape[1]]
        track_of = tracker.associate(found)
        goes_on = track_of >= 0
        taken = track_of[goes_on]
        partners.append((track_of, taken))
        rows.append(taken + start)
        measured.append(found.boxes[goes_on])
        start += own.shape[1]
    if start:
        _correct(state, np.concatenate(rows), np.concatenate(measured))
    return [tracker.settle(found, *each) for (tracker, found), each in zip(seen, partners, strict=True)]


def assign(overlap: NDArray[np.float64], least: float) -> NDArray[np.int64]:
    """Give for each row of (N, M) the column that it is paired with at `least` or more, or -1.

    The pairs maximise the sum of the overlap (Hungarian method); pairs below `least` add nothing. Where no two rows
    have the same best column, nothing can be better than those. Of pairings with exactly equal sums one is taken,
    always the same for the same overlap: the first best column of each row where these differ, else scipy's.
    """
    column_of = np.full(len(overlap), -1, np.int64)
    if not overlap.size:
        return column_of
    best = overlap.argmax(axis=1)
    top = overlap[np.arange(len(best)), best]
    rows = np.flatnonzero((top >= least) & (top > 0))
    columns = best[rows]
    if len(set(columns.tolist())) < len(columns):
        possible = (overlap >= least) & (overlap > 0)
        rows, columns = linear_sum_assignment(np.where(possible, overlap, 0.0), maximize=True)
        real = possible[rows, columns]
        rows, columns = rows[real], columns[real]
    column_of[rows] = columns
    return column_of


def _predict(state: NDArray[np.float64]) -> None:
    """Move every box on by one update."""
    scale = np.square(state[_PLACE][:, _SIDES])
    state[_PLACE_VAR] += 2 * state[_BOTH_VAR]
    state[_PLACE_VAR] += state[_SPEED_VAR]
    state[_PLACE] += state[_SPEED]
    state[_BOTH_VAR] += state[_SPEED_VAR]
    state[_PLACE_VAR::2] += _DRIFTS * scale
    sides = state[_PLACE, :, 2:]
    np.maximum(sides, 1e-3, out=sides)


def _correct(state: NDArray[np.float64], rows: NDArray[np.int64], boxes: NDArray[np.floating]) -> None:
    """Take the measured boxes (K, 4) x1 y1 x2 y2 of some rows."""
    mine, measured = state.take(rows, axis=1), _centred(boxes)
    variances = mine[_PLACE_VAR:_SPEED_VAR]  # of the place, of place and speed together
    gains = variances / (mine[_PLACE_VAR] + _MEASURED**2 * np.square(measured[:, _SIDES]))
    error = measured - mine[_PLACE]
    mine[_SPEED_VAR] -= gains[1] * mine[_BOTH_VAR]
    mine[:_PLACE_VAR] += gains * error
    variances -= gains[0] * variances
    state[:, rows] = mine


def _centred(boxes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Give x, y of the centre, width, height."""
    place = np.array(boxes, np.float64)
    place[:, 2:] -= place[:, :2]
    place[:, :2] += place[:, 2:] / 2
    return place


def _corners(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give x1 y1 x2 y2."""
    half = place[:, 2:] / 2
    return np.concatenate([place[:, :2] - half, place[:, :2] + half], axis=1)
