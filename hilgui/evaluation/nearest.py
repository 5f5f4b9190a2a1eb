"""The nearest truths of every kept detection, of its own class and of another; what errors are told apart by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.match_rows import Frames, MatchRows, TruthRows
from hilgui.evaluation.overlap import iou


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Parallel to the match rows: best IoU with a counted truth, and its row among the truth rows (-1: none)."""

    own: NDArray[np.float32]  # (N,) of the detection's class
    own_truth: NDArray[np.int32]
    other: NDArray[np.float32]  # (N,) of another judged class
    other_truth: NDArray[np.int32]

    @classmethod
    def joined(cls, parts: Sequence[Nearest]) -> Nearest:
        """Put blocks one after the other."""
        if not parts:
            return cls(*_empty(0), *_empty(0))
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


def nearest(frames: Frames, first: int, rows: MatchRows, truths: TruthRows, offset: int) -> Nearest:
    """Look around the detections of a block that begins with frame `first`; its truth rows begin at `offset`."""
    counted = np.flatnonzero(truths.counted[0])
    boxes = _boxes([truth.boxes for _, truth in frames], truths.frames[counted] - first, truths.rows[counted])
    found = _boxes([detections.boxes for detections, _ in frames], rows.frames - first, rows.rows)
    owner = truths.frames[counted]
    low = np.searchsorted(owner, rows.frames, side="left")
    counts = np.searchsorted(owner, rows.frames, side="right") - low
    who = np.repeat(np.arange(len(rows.frames)), counts)
    which = np.arange(len(who)) + np.repeat(low - np.cumsum(counts) + counts, counts)
    overlap = iou(found[who], boxes[which])
    is_own = rows.columns[who] == truths.columns[counted][which]
    pairs = (who, counted[which] + offset, overlap)
    touches = overlap > 0
    return Nearest(*_best(*pairs, is_own & touches, len(found)), *_best(*pairs, ~is_own & touches, len(found)))


def _best(
    who: NDArray[np.int64],
    which: NDArray[np.int64],
    overlap: NDArray[np.float64],
    possible: NDArray[np.bool_],
    count: int,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Give each detection the best of its possible pairs."""
    best, partner = _empty(count)
    pairs = np.flatnonzero(possible)
    pairs = pairs[np.lexsort((-overlap[pairs], who[pairs]))]
    if len(pairs):
        top = pairs[np.concatenate(([True], who[pairs][1:] != who[pairs][:-1]))]
        best[who[top]] = overlap[top]
        partner[who[top]] = which[top]
    return best, partner


def _empty(count: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    return np.zeros(count, np.float32), np.full(count, -1, np.int32)


def _boxes(
    parts: Sequence[NDArray[np.floating]], owner: NDArray[np.int32], row: NDArray[np.int32]
) -> NDArray[np.floating]:
    """Pick boxes by the frame of the block and the row in it."""
    starts = np.cumsum([0, *(len(part) for part in parts)])[:-1]
    picked: NDArray[np.floating] = np.concatenate(parts)[starts[owner] + row]
    return picked
