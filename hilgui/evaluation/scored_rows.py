"""Scored rows: which detections count at the operating point, and which of them are right, whatever the threshold.

Average precision and the operating point excuse differently: COCO lets an ignored truth take out one detection and
knows no truths of classes that are not judged, `compare` excuses every detection on them. What a threshold shows
follows `compare`, so these rows do too. Matching goes from the highest score down: what becomes of a detection does
not depend on those below, and one set of rows serves every threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.match_rows import MAX_DETECTIONS, Frames, MatchRows
from hilgui.evaluation.matching import MATCH_IOU, compare
from hilgui.evaluation.overlap import iou, share_inside
from hilgui.records import NO_CLASS, Detections, Judgement, Truth

_AT_50 = np.uint16(1)


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRows:
    """One row per detection of a judged class that `compare` does not ignore, in frame order."""

    frames: NDArray[np.int32]  # (N,) number of the frame
    columns: NDArray[np.int32]  # (N,) position of the class among the judged ones
    scores: NDArray[np.float32]  # (N,)
    right: NDArray[np.bool_]  # (N,) has a truth of its class at IoU .5

    @classmethod
    def joined(cls, parts: Sequence[ScoredRows]) -> ScoredRows:
        """Put blocks one after the other."""
        if not parts:
            nothing = np.empty(0, np.int32)
            return cls(nothing, nothing, np.empty(0, np.float32), np.empty(0, np.bool_))
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The scored rows with the truths that count."""

    rows: ScoredRows
    truth_frames: NDArray[np.int32]  # (G,) number of the frame
    truth_columns: NDArray[np.int32]  # (G,) position of the class among the judged ones

    def of(self, column: int | None) -> tuple[NDArray[np.bool_], NDArray[np.float32], int]:
        """Give what is right, the scores, and the number of truths of one class; None: of all together."""
        if column is None:
            return self.rows.right, self.rows.scores, len(self.truth_columns)
        mine = self.rows.columns == column
        return self.rows.right[mine], self.rows.scores[mine], int(np.count_nonzero(self.truth_columns == column))


def scored_rows(frames: Frames, first: int, rows: MatchRows, judged: Sequence[int]) -> ScoredRows:
    """Tell what counts of a block that begins with frame `first`; `rows` are its match rows, `judged` rises.

    Match rows end with the best 100 of a frame and class; frames with that many are judged by `compare` itself.
    """
    known = frozenset(judged)
    right = (rows.hits[0] & _AT_50) != 0
    counts = right | ~_excused(frames, first, rows, np.asarray(judged, np.int32), known)
    full = np.unique(rows.frames[rows.ranks == MAX_DETECTIONS - 1])
    counts &= ~np.isin(rows.frames, full)
    whole = ScoredRows(rows.frames[counts], rows.columns[counts], rows.scores[counts], right[counts])
    if not len(full):
        return whole
    parts = [_by_comparing(frames[frame - first], frame, np.asarray(judged), known) for frame in full.tolist()]
    joined = ScoredRows.joined([whole, *parts])
    order = np.argsort(joined.frames, kind="stable")
    return ScoredRows(joined.frames[order], joined.columns[order], joined.scores[order], joined.right[order])


def _excused(
    frames: Frames, first: int, rows: MatchRows, judged: NDArray[np.int32], known: frozenset[int]
) -> NDArray[np.bool_]:
    """Say which rows lie on something that excuses them (see `compare`)."""
    excused = np.zeros(len(rows.frames), np.bool_)
    classes = np.concatenate([truth.classes for _, truth in frames])
    crowd = np.concatenate([truth.crowd for _, truth in frames])
    is_known = is_judged(classes, known)
    excusing = np.flatnonzero(~is_known | crowd | np.concatenate([truth.ignore for _, truth in frames]))
    if not len(excusing) or not len(excused):
        return excused
    owner = np.repeat(np.arange(len(frames)), [len(truth) for _, truth in frames])[excusing]
    block = rows.frames - first
    low = np.searchsorted(owner, block, side="left")
    count = np.searchsorted(owner, block, side="right") - low
    who = np.repeat(np.arange(len(block)), count)
    which = excusing[np.arange(len(who)) + np.repeat(low - np.cumsum(count) + count, count)]
    possible = ~is_known[which] | (classes[which] == judged[rows.columns[who]])
    who, which = who[possible], which[possible]
    starts = np.cumsum([0, *(len(found) for found, _ in frames)])[:-1]
    found = np.concatenate([found.boxes for found, _ in frames])[starts[block[who]] + rows.rows[who]]
    there = np.concatenate([truth.boxes for _, truth in frames])[which]
    region = classes[which] == NO_CLASS
    overlap = iou(found, there, crowd[which])
    overlap[region] = share_inside(found[region], there[region])
    excused[who[overlap >= MATCH_IOU]] = True
    return excused


def _by_comparing(
    pair: tuple[Detections, Truth], frame: int, judged: NDArray[np.int_], known: frozenset[int]
) -> ScoredRows:
    found, truth = pair
    verdicts = compare(found, truth, 0.0, known).detections
    kept = np.flatnonzero(verdicts != Judgement.IGNORED)
    return ScoredRows(
        np.full(len(kept), frame, np.int32),
        np.searchsorted(judged, found.classes[kept]).astype(np.int32),
        found.scores[kept],
        verdicts[kept] == Judgement.MATCHED,
    )
