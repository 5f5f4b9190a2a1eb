"""Match rows: what became of every detection of a block of frames, at ten IoU thresholds at once.

The greedy matching of COCO is sequential only inside one frame and class. So a block of frames is matched in
rounds: round r takes the r-th best detection of every frame and class together, at all thresholds. Detections
that reach IoU .5 with no truth of their class never enter a round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.overlap import iou, share_inside
from hilgui.records import NO_CLASS, Detections, Truth

THRESHOLDS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
MAX_DETECTIONS = 100  # per frame and class
REGION_SHARE = 0.5  # of a detection inside an ignore region

_BITS: NDArray[np.uint16] = np.left_shift(1, np.arange(len(THRESHOLDS))).astype(np.uint16)
_ALL_BITS = np.uint16(_BITS.sum())

Frames = Sequence[tuple[Detections, Truth]]


@dataclass(frozen=True, slots=True, eq=False)
class MatchRows:
    """One row per kept detection, in frame order and within a frame and class by falling score.

    Bit k of `hits` is a true positive at THRESHOLDS[k]; bit k of `ignored` is a detection that does not count
    there. Neither bit: a false positive.
    """

    columns: NDArray[np.int32]  # (N,) position of the class among the judged ones
    scores: NDArray[np.float32]  # (N,)
    hits: NDArray[np.uint16]  # (N,)
    ignored: NDArray[np.uint16]  # (N,)

    @classmethod
    def joined(cls, parts: Sequence[MatchRows]) -> MatchRows:
        """Put blocks one after the other."""
        return cls(
            np.concatenate([part.columns for part in parts] or [np.empty(0, np.int32)]),
            np.concatenate([part.scores for part in parts] or [np.empty(0, np.float32)]),
            np.concatenate([part.hits for part in parts] or [np.empty(0, np.uint16)]),
            np.concatenate([part.ignored for part in parts] or [np.empty(0, np.uint16)]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Detections of a block, sorted by group (frame and class) and falling score."""

    frames: NDArray[np.int64]
    columns: NDArray[np.int32]
    groups: NDArray[np.int64]
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Labelled:
    """Truths of a block, sorted by group, those that do not count last."""

    groups: NDArray[np.int64]
    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


def match_block(frames: Frames, columns: NDArray[np.int32], judged: int) -> tuple[MatchRows, NDArray[np.int64]]:
    """Match a block of frames; gives the rows and the counted truths of each judged class.

    `columns` maps a class number plus one to its position among the `judged` classes, -1 for those left out
    (first entry: NO_CLASS; last entry: every number beyond).
    """
    found = _found(frames, columns, judged)
    truth_frames = np.repeat(np.arange(len(frames)), [len(truth) for _, truth in frames])
    boxes = np.concatenate([truth.boxes for _, truth in frames])
    classes = np.concatenate([truth.classes for _, truth in frames])
    labelled = _labelled(frames, truth_frames, boxes, columns.take(classes + 1, mode="clip"), judged)
    counts = np.bincount(labelled.groups[~labelled.ignored] % max(judged, 1), minlength=judged)
    hits, ignored = _greedy(found, labelled)
    region = classes == NO_CLASS
    if region.any():
        ignored |= _in_region(found, truth_frames[region], boxes[region]) & ~(hits | ignored)
    return MatchRows(found.columns, found.scores, hits, ignored), counts


def _found(frames: Frames, columns: NDArray[np.int32], judged: int) -> _Found:
    owner = np.repeat(np.arange(len(frames)), [len(detections) for detections, _ in frames])
    place = columns.take(np.concatenate([detections.classes for detections, _ in frames]) + 1, mode="clip")
    scores = np.concatenate([detections.scores for detections, _ in frames])
    groups = owner * judged + place
    kept = np.flatnonzero(place >= 0)
    kept = kept[np.lexsort((-scores[kept], groups[kept]))]
    ordered = groups[kept]
    rank = np.arange(len(kept)) - np.searchsorted(ordered, ordered)
    kept = kept[rank < MAX_DETECTIONS]
    boxes = np.concatenate([detections.boxes for detections, _ in frames])
    return _Found(owner[kept], place[kept], groups[kept], boxes[kept], scores[kept])


def _labelled(
    frames: Frames, owner: NDArray[np.int64], boxes: NDArray[np.float64], place: NDArray[np.int32], judged: int
) -> _Labelled:
    crowd = np.concatenate([truth.crowd for _, truth in frames])
    ignored = crowd | np.concatenate([truth.ignore for _, truth in frames])
    groups = owner * judged + place
    kept = np.flatnonzero(place >= 0)
    kept = kept[np.lexsort((ignored[kept], groups[kept]))]
    return _Labelled(groups[kept], boxes[kept], crowd[kept], ignored[kept])


def _pairs(keys: NDArray[np.int64], others: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair every row of `keys` with every row of the sorted `others` that has the same key."""
    low = np.searchsorted(others, keys, side="left")
    counts = np.searchsorted(others, keys, side="right") - low
    rows = np.repeat(np.arange(len(keys)), counts)
    return rows, np.arange(len(rows)) + np.repeat(low - np.cumsum(counts) + counts, counts)


def _greedy(found: _Found, labelled: _Labelled) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    hits = np.zeros(len(found.groups), np.uint16)
    ignored = np.zeros(len(found.groups), np.uint16)
    rows, truths = _pairs(found.groups, labelled.groups)
    overlap = iou(found.boxes[rows], labelled.boxes[truths], labelled.crowd[truths])
    near = np.flatnonzero(overlap >= THRESHOLDS[0])
    if not len(near):
        return hits, ignored
    rows, truths, overlap = rows[near], truths[near], overlap[near]
    rounds = _rounds(found.groups, rows)
    # Within a detection: countable truths first, then the best IoU; of equals pycocotools takes the last.
    order = np.lexsort((-truths, -overlap, labelled.ignored[truths], rows, rounds))
    rows, truths, rounds = rows[order], truths[order], rounds[order]
    reach = overlap[order, None] >= THRESHOLDS
    taken = np.zeros((len(labelled.groups), len(THRESHOLDS)), np.bool_)
    ends = np.searchsorted(rounds, np.arange(rounds[-1] + 1), side="right").tolist()
    for start, end in zip([0, *ends], ends, strict=False):
        _play(
            rows[start:end],
            truths[start:end],
            reach[start:end],
            taken,
            labelled,
            hits,
            ignored,
        )
    return hits, ignored


def _rounds(groups: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the detections of `rows` (sorted, repeating) within their group: 0 for the best one, 1, ..."""
    fresh = np.concatenate(([True], rows[1:] != rows[:-1]))
    position = np.cumsum(fresh) - 1
    own = groups[rows[fresh]]
    numbers: NDArray[np.int64] = (np.arange(len(own)) - np.searchsorted(own, own))[position]
    return numbers


def _play(
    rows: NDArray[np.int64],
    truths: NDArray[np.int64],
    reach: NDArray[np.bool_],
    taken: NDArray[np.bool_],
    labelled: _Labelled,
    hits: NDArray[np.uint16],
    ignored: NDArray[np.uint16],
) -> None:
    """Play one round: every detection takes the first free truth of its list, at each threshold."""
    free = reach & ~taken[truths]
    starts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
    place = np.where(free, np.arange(len(rows))[:, None], len(rows))
    first = np.minimum.reduceat(place, starts, axis=0)
    who, level = np.nonzero(first < len(rows))
    chosen = truths[first[who, level]]
    taken[chosen, level] = ~labelled.crowd[chosen]
    uncounted = labelled.ignored[chosen]
    detection = rows[starts[who]]
    np.bitwise_or.at(hits, detection, np.where(uncounted, 0, _BITS[level]).astype(np.uint16))
    np.bitwise_or.at(ignored, detection, np.where(uncounted, _BITS[level], 0).astype(np.uint16))


def _in_region(found: _Found, owner: NDArray[np.int64], boxes: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Give all bits to the detections that lie in an ignore region of their frame."""
    rows, regions = _pairs(found.frames, owner)
    inside = rows[share_inside(found.boxes[rows], boxes[regions]) >= REGION_SHARE]
    bits = np.zeros(len(found.frames), np.uint16)
    bits[inside] = _ALL_BITS
    return bits
