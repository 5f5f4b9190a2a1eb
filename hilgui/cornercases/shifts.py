"""Shifts: whether the labels lie some frames beside the pictures that they describe."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hilgui.cornercases.boxes import Box, overlap
from hilgui.cornercases.labelled import Labelling
from hilgui.numerals import number_of
from hilgui.records import Comparison, Detections, Judgement, Moment, Role

FARTHEST = 6  # frames that are tried either way
FITS_IOU = 0.5
BETTER_IOU = 0.2  # than without a shift
NEAR_SIZES = 2.0  # of the object: so near lies the detection that is beside it
RECENT = 60  # votes of a model that are remembered
ENOUGH = 4  # votes on one object that must agree ...
ESTABLISHED = 20  # ... and votes on any, before the labels of the whole drive are doubted
OBJECTS = 3  # that those votes must come from
AGREEING = 0.7  # of the votes, in the same direction

_UNMATCHED = int(Judgement.UNMATCHED)
_Stray = list[tuple[Box, int]]  # detections without a label, with their class


class _Missed(NamedTuple):
    thread: str
    box: Box
    classed: int


class _Look(NamedTuple):
    """One frame of one model."""

    seq: int
    stray: _Stray
    missed: list[_Missed]


class _Vote(NamedTuple):
    thread: str
    shift: int  # frames by which the label is late; 0: no shift makes it fit


class Shifts:
    """Tries, for every missed object beside a stray detection of its class, whether the label fits another frame.

    A shift of +3 says that the label shows where the object was three frames before: the labels are late. Only
    detections that match no label on their own frame are tried, so that an object that is found a little later is not
    taken for a shift; the shifted one must fit by IoU ≥ .5, and by .2 better than without a shift. A frame is looked at
    when the frames after it are known.
    """

    def __init__(self, thresholds: dict[Role, float], labelling: Labelling, period_s: float | None) -> None:
        self._thresholds = thresholds
        self._labelling = labelling
        self._period_s = period_s
        self._looks: dict[Role, deque[_Look]] = {role: deque(maxlen=2 * FARTHEST + 1) for role in thresholds}
        self._votes: dict[Role, deque[_Vote]] = {role: deque(maxlen=RECENT) for role in thresholds}

    def note(self, moment: Moment) -> None:
        """Take the next frame; called once a frame, before the detectors."""
        if self._period_s is None or moment.truth is None:
            return
        for role, comparison in moment.comparisons.items():
            missed = [
                _Missed(one.thread, one.box, one.classed)
                for one in self._labelling.missed(moment, role)
                if not one.is_cut
            ]
            looks = self._looks[role]
            looks.append(_Look(moment.ref.seq, _stray(moment.inferences[role].detections, comparison), missed))
            if len(looks) == looks.maxlen:
                self._vote(role, looks)

    def explain(self, role: Role, thread: str) -> str:
        """Say by how much the labels would have to move for this object to be found; "" where no shift does it."""
        votes = self._votes[role]
        shift = _agreed((vote.shift for vote in votes if vote.thread == thread), ENOUGH) or self.established(role)
        return self._sentence(shift) if shift else ""

    def established(self, role: Role) -> int:
        """Give the shift that the recent misses of a model agree on, in frames; 0 where they agree on none."""
        votes = self._votes[role]
        if len(votes) < ESTABLISHED or len({vote.thread for vote in votes if vote.shift}) < OBJECTS:
            return 0
        return _agreed((vote.shift for vote in votes), ESTABLISHED)

    def _sentence(self, shift: int) -> str:
        late = "late" if shift > 0 else "early"
        time = f" ({abs(shift) * self._period_s * 1e3:.0f} ms)" if self._period_s else ""
        frames = number_of(abs(shift), "frame")
        return f"the labels are {late} by {frames}{time}: moved by that, they fit what the model shows"

    def _vote(self, role: Role, looks: deque[_Look]) -> None:
        middle = looks[FARTHEST]
        for one in middle.missed:
            if not _is_beside(one, middle.stray):
                continue
            fits = ((_best(one, each.stray), middle.seq - each.seq) for each in looks if each is not middle)
            fit, shift = max(fits, key=lambda pair: (pair[0], -abs(pair[1])))
            is_better = fit >= FITS_IOU and fit >= _best(one, middle.stray) + BETTER_IOU
            self._votes[role].append(_Vote(one.thread, shift if is_better else 0))


def _agreed(shifts: Iterable[int], least: int) -> int:
    """Give the most frequent shift where there are enough and most point the same way, else 0."""
    given = list(shifts)
    if len(given) < least:
        return 0
    for sign in (1, -1):
        same = [shift for shift in given if shift * sign > 0]
        if len(same) >= AGREEING * len(given):
            return Counter(same).most_common(1)[0][0]
    return 0


def _stray(detections: Detections, comparison: Comparison) -> _Stray:
    if _UNMATCHED not in comparison.detections.tobytes():
        return []
    rows = np.flatnonzero(comparison.detections == _UNMATCHED)
    columns = zip(detections.boxes[rows].tolist(), detections.classes[rows].tolist(), strict=True)
    return [((left, top, right, bottom), classed) for (left, top, right, bottom), classed in columns]


def _best(one: _Missed, stray: _Stray) -> float:
    return max((overlap(one.box, box) for box, classed in stray if classed == one.classed), default=0.0)


def _is_beside(one: _Missed, stray: _Stray) -> bool:
    left, top, right, bottom = one.box
    reach, x, y = 2 * NEAR_SIZES * max(right - left, bottom - top), left + right, top + bottom
    return any(
        classed == one.classed and abs(box[0] + box[2] - x) < reach and abs(box[1] + box[3] - y) < reach
        for box, classed in stray
    )
