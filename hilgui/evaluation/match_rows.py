"""Match rows: what became of every detection of a block of frames, at ten IoU thresholds and in four area ranges.

The greedy matching of COCO is sequential only inside one frame and class. Where no detection of a frame and class
could match several truths, each truth simply takes its best detection. The rest is played in rounds: round r takes
the r-th best detection of every frame and class together, at all thresholds and in all ranges. Detections that reach
IoU .5 with no truth of their class never enter a round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.overlap import iou, share_inside
from hilgui.records import NO_CLASS, Detections, Truth

THRESHOLDS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
MAX_DETECTIONS = 100  # per frame and class
REGION_SHARE = 0.5  # of a detection inside an ignore region
RANGES = ("all", "small", "medium", "large")
AREAS_PX: NDArray[np.float64] = np.array([[0.0, 1e10], [0, 32.0**2], [32.0**2, 96.0**2], [96.0**2, 1e10]])
"""COCO's area ranges in px², both ends inside."""

_BITS: NDArray[np.uint16] = np.left_shift(1, np.arange(len(THRESHOLDS))).astype(np.uint16)
_ALL_BITS = np.uint16(_BITS.sum())
_ROUNDING_PX = 1e-6  # sides are summed up from width and height: they may be off by as much

Frames = Sequence[tuple[Detections, Truth]]
_Bits = NDArray[np.uint16]
_Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class MatchRows:
    """One row per kept detection, in frame order and within a frame and class by falling score.

    Bit k of `hits` is a true positive at THRESHOLDS[k]; bit k of `ignored` is a detection that does not count
    there. Neither bit: a false positive. The first axis of both is the area range.
    """

    frames: NDArray[np.int32]  # (N,) number of the frame
    rows: NDArray[np.int32]  # (N,) row among the frame's detections
    columns: NDArray[np.int32]  # (N,) position of the class among the judged ones
    ranks: NDArray[np.int32]  # (N,) position among the detections of its frame and class
    scores: NDArray[np.float32]  # (N,)
    truths: NDArray[np.int32]  # (N,) the frame's truth row that was matched at IoU .5, -1 where none
    overlaps: NDArray[np.float32]  # (N,) IoU with that truth, 0 where none
    hits: NDArray[np.uint16]  # (ranges, N)
    ignored: NDArray[np.uint16]  # (ranges, N)

    @classmethod
    def joined(cls, parts: Sequence[MatchRows]) -> MatchRows:
        """Put blocks one after the other."""
        return cls(**_joined(cls, parts or [_NO_ROWS]))


@dataclass(frozen=True, slots=True, eq=False)
class TruthRows:
    """One row per truth of a judged class, in frame order."""

    frames: NDArray[np.int32]  # (G,) number of the frame
    rows: NDArray[np.int32]  # (G,) row among the frame's truths
    columns: NDArray[np.int32]  # (G,) position of the class among the judged ones
    counted: NDArray[np.bool_]  # (ranges, G) neither crowd nor ignored nor outside the area range
    hits: NDArray[np.uint16]  # (1, G) thresholds at which a detection matched it, whatever its area

    @classmethod
    def joined(cls, parts: Sequence[TruthRows]) -> TruthRows:
        """Put blocks one after the other."""
        return cls(**_joined(cls, parts or [_NO_TRUTHS]))

    def counts(self, classes: int) -> NDArray[np.int64]:
        """Count the truths of each class: (ranges, classes)."""
        return np.stack([np.bincount(self.columns[which], minlength=classes) for which in self.counted])


def _joined(
    kind: type[MatchRows] | type[TruthRows], parts: Sequence[MatchRows] | Sequence[TruthRows]
) -> dict[str, Any]:
    """Join each field along its last axis."""
    return {each.name: np.concatenate([getattr(part, each.name) for part in parts], axis=-1) for each in fields(kind)}


_NOTHING = np.empty(0, np.int32)
_NO_ROWS = MatchRows(
    _NOTHING,
    _NOTHING,
    _NOTHING,
    _NOTHING,
    np.empty(0, np.float32),
    _NOTHING,
    np.empty(0, np.float32),
    np.empty((len(RANGES), 0), np.uint16),
    np.empty((len(RANGES), 0), np.uint16),
)
_NO_TRUTHS = TruthRows(_NOTHING, _NOTHING, _NOTHING, np.empty((len(RANGES), 0), np.bool_), np.empty((1, 0), np.uint16))


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Detections of a block, sorted by group (frame and class) and falling score."""

    frames: _Rows
    rows: _Rows
    columns: NDArray[np.int32]
    ranks: _Rows
    groups: _Rows
    boxes: NDArray[np.floating]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Labelled:
    """Truths of a block, sorted by group, within it as the labels list them."""

    frames: _Rows
    rows: _Rows
    columns: NDArray[np.int32]
    groups: _Rows
    boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    ignored: NDArray[np.bool_]  # (ranges, G)


def match_block(frames: Frames, columns: NDArray[np.int32], judged: int, first: int = 0) -> tuple[MatchRows, TruthRows]:
    """Match a block of frames, the first of which is numbered `first`.

    `columns` maps a class number plus one to its position among the `judged` classes, -1 for those left out
    (first entry: NO_CLASS; last entry: every number beyond).
    """
    found = _found(frames, columns, judged)
    owner = np.repeat(np.arange(len(frames)), [len(truth) for _, truth in frames])
    boxes = np.concatenate([truth.boxes for _, truth in frames])
    classes = np.concatenate([truth.classes for _, truth in frames])
    labelled = _labelled(frames, owner, boxes, columns.take(classes + 1, mode="clip"), judged)
    play = _Play(found, labelled)
    play.run()
    ignored, free = play.ignored, ~(play.hits | play.ignored)
    region = classes == NO_CLASS
    if region.any():
        ignored |= _in_region(found, owner[region], boxes[region]) & free
    sides = found.boxes[:, 2:].astype(np.float64) - found.boxes[:, :2]
    area = sides[:, 0] * sides[:, 1]
    outside = (area < AREAS_PX[:, :1]) | (area > AREAS_PX[:, 1:])
    ignored |= np.where(outside, _ALL_BITS, np.uint16(0)) & free
    matched = play.partner >= 0
    rows = MatchRows(
        (found.frames + first).astype(np.int32),
        found.rows.astype(np.int32),
        found.columns,
        found.ranks.astype(np.int32),
        found.scores,
        np.where(matched, labelled.rows[play.partner] if len(labelled.rows) else -1, -1).astype(np.int32),
        play.overlaps,
        play.hits,
        ignored,
    )
    truths = TruthRows(
        (labelled.frames + first).astype(np.int32),
        labelled.rows.astype(np.int32),
        labelled.columns,
        ~labelled.ignored,
        play.truth_hits[None],
    )
    return rows, truths


def _found(frames: Frames, columns: NDArray[np.int32], judged: int) -> _Found:
    counts = [len(detections) for detections, _ in frames]
    owner = np.repeat(np.arange(len(frames)), counts)
    place = columns.take(np.concatenate([detections.classes for detections, _ in frames]) + 1, mode="clip")
    scores = np.concatenate([detections.scores for detections, _ in frames])
    groups = owner * judged + place
    kept = np.flatnonzero(place >= 0)
    kept = kept[np.lexsort((-scores[kept], groups[kept]))]
    ordered = groups[kept]
    rank = np.arange(len(kept)) - np.searchsorted(ordered, ordered)
    kept, rank = kept[rank < MAX_DETECTIONS], rank[rank < MAX_DETECTIONS]
    boxes = np.concatenate([detections.boxes for detections, _ in frames])
    rows = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _Found(owner[kept], rows[kept], place[kept], rank, groups[kept], boxes[kept], scores[kept])


def _labelled(
    frames: Frames, owner: _Rows, boxes: NDArray[np.float64], place: NDArray[np.int32], judged: int
) -> _Labelled:
    counts = [len(truth) for _, truth in frames]
    crowd = np.concatenate([truth.crowd for _, truth in frames])
    ignored = crowd | np.concatenate([truth.ignore for _, truth in frames])
    areas = np.concatenate([truth.areas for _, truth in frames])
    rows = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    groups = owner * judged + place
    kept = np.flatnonzero(place >= 0)
    kept = kept[np.argsort(groups[kept], kind="stable")]
    outside = (areas[kept] < AREAS_PX[:, :1]) | (areas[kept] > AREAS_PX[:, 1:])
    return _Labelled(
        owner[kept], rows[kept], place[kept], groups[kept], boxes[kept], crowd[kept], ignored[kept] | outside
    )


def _pairs(keys: _Rows, others: _Rows) -> tuple[_Rows, _Rows]:
    """Pair every row of `keys` with every row of the sorted `others` that has the same key."""
    low = np.searchsorted(others, keys, side="left")
    counts = np.searchsorted(others, keys, side="right") - low
    rows = np.repeat(np.arange(len(keys)), counts)
    return rows, np.arange(len(rows)) + np.repeat(low - np.cumsum(counts) + counts, counts)


def _touching(
    boxes: NDArray[np.floating], others: NDArray[np.float64], rows: _Rows, truths: _Rows
) -> tuple[_Rows, _Rows]:
    """Keep the pairs whose boxes may share a pixel; most share none, and two subtractions tell."""
    for low, high in ((0, 2), (1, 3)):
        first, second = boxes[:, (low, high)].T.astype(np.float64), others[:, (low, high)].T.copy()
        end = np.minimum(first[1][rows], second[1][truths])
        near = np.flatnonzero(end - np.maximum(first[0][rows], second[0][truths]) > -_ROUNDING_PX)
        rows, truths = rows[near], truths[near]
    return rows, truths


class _Play:
    """Matches the detections of a block; `run` fills the arrays."""

    def __init__(self, found: _Found, labelled: _Labelled) -> None:
        self._found = found
        self._labelled = labelled
        count = len(found.groups)
        self.hits = np.zeros((len(RANGES), count), np.uint16)
        self.ignored = np.zeros((len(RANGES), count), np.uint16)
        self.partner = np.full(count, -1, np.int64)  # truth matched at IoU .5, whatever the area
        self.overlaps = np.zeros(count, np.float32)
        self.truth_hits = np.zeros(len(labelled.groups), np.uint16)

    def run(self) -> None:
        """Match everything."""
        found, labelled = self._found, self._labelled
        rows, truths = _pairs(found.groups, labelled.groups)
        rows, truths = _touching(found.boxes, labelled.boxes, rows, truths)
        overlap = iou(found.boxes[rows], labelled.boxes[truths], labelled.crowd[truths])
        near = np.flatnonzero(overlap >= THRESHOLDS[0])
        if not len(near):
            return
        rows, truths, overlap = rows[near], truths[near], overlap[near]
        starts = np.concatenate(([True], rows[1:] != rows[:-1], [True]))
        several = ~(starts[:-1] & starts[1:])
        is_tangled = np.isin(found.groups[rows], found.groups[rows[several]]) if several.any() else several
        self._match_plain(rows[~is_tangled], truths[~is_tangled], overlap[~is_tangled])
        if is_tangled.any():
            self._match_tangled(rows[is_tangled], truths[is_tangled], overlap[is_tangled])

    def _match_plain(self, rows: _Rows, truths: _Rows, overlap: NDArray[np.float64]) -> None:
        """Give each truth its best detection at each threshold; none of these has another truth to go to."""
        if not len(rows):
            return
        order = np.argsort(truths, kind="stable")
        rows, truths, overlap = rows[order], truths[order], overlap[order]
        reach = overlap[:, None] >= THRESHOLDS
        tally = np.cumsum(reach, axis=0, dtype=np.int32)
        starts = np.flatnonzero(np.concatenate(([True], truths[1:] != truths[:-1])))
        before = (tally - reach)[starts]
        lengths = np.diff(np.append(starts, len(truths)))
        takes = reach & ((tally - np.repeat(before, lengths, axis=0) == 1) | self._labelled.crowd[truths][:, None])
        bits = (takes * _BITS).sum(axis=1, dtype=np.uint16)
        uncounted = self._labelled.ignored[:, truths]
        self.hits[:, rows] = np.where(uncounted, np.uint16(0), bits)
        self.ignored[:, rows] = np.where(uncounted, bits, np.uint16(0))
        self._remember(rows, truths, overlap, takes[:, 0])
        np.bitwise_or.at(self.truth_hits, truths, bits)

    def _match_tangled(self, rows: _Rows, truths: _Rows, overlap: NDArray[np.float64]) -> None:
        """Play rounds; the area ranges lie one behind the other, as if they were further frames."""
        count, known = len(self._found.groups), len(self._labelled.groups)
        rounds = np.tile(_rounds(self._found.groups, rows), len(RANGES))
        shift = np.repeat(np.arange(len(RANGES)), len(rows))
        rows, truths, overlap = np.tile(rows, len(RANGES)), np.tile(truths, len(RANGES)), np.tile(overlap, len(RANGES))
        uncounted = self._labelled.ignored[shift, truths]
        # Within a detection: countable truths first, then the best IoU; of equals pycocotools takes the last.
        order = np.lexsort((-truths, -overlap, uncounted, rows, shift, rounds))
        rows, truths = (rows + shift * count)[order], (truths + shift * known)[order]
        overlap, rounds, uncounted = overlap[order], rounds[order], uncounted[order]
        reach = overlap[:, None] >= THRESHOLDS
        taken = np.zeros((known * len(RANGES), len(THRESHOLDS)), np.bool_)
        ends = np.searchsorted(rounds, np.arange(rounds[-1] + 1), side="right").tolist()
        for start, end in zip([0, *ends], ends, strict=False):
            part = slice(start, end)
            self._play_round(rows[part], truths[part], overlap[part], reach[part], uncounted[part], taken)

    def _play_round(
        self,
        rows: _Rows,
        truths: _Rows,
        overlap: NDArray[np.float64],
        reach: NDArray[np.bool_],
        uncounted: NDArray[np.bool_],
        taken: NDArray[np.bool_],
    ) -> None:
        """Let every detection take the first free truth of its list, at each threshold."""
        free = reach & ~taken[truths]
        starts = np.flatnonzero(np.concatenate(([True], rows[1:] != rows[:-1])))
        place = np.where(free, np.arange(len(rows))[:, None], len(rows))
        first = np.minimum.reduceat(place, starts, axis=0)
        who, level = np.nonzero(first < len(rows))
        pair = first[who, level]
        chosen, detection, bits = truths[pair], rows[starts[who]], _BITS[level]
        known = len(self._labelled.groups)
        taken[chosen, level] = ~self._labelled.crowd[chosen % known]
        out = uncounted[pair]
        np.bitwise_or.at(self.hits.reshape(-1), detection[~out], bits[~out])
        np.bitwise_or.at(self.ignored.reshape(-1), detection[out], bits[out])
        whole = chosen < known  # the range of all areas
        np.bitwise_or.at(self.truth_hits, chosen[whole], bits[whole])
        at_50 = whole & (level == 0)
        self._remember(detection[at_50], chosen[at_50], overlap[pair[at_50]], np.ones(int(at_50.sum()), np.bool_))

    def _remember(self, rows: _Rows, truths: _Rows, overlap: NDArray[np.float64], takes: NDArray[np.bool_]) -> None:
        self.partner[rows[takes]] = truths[takes]
        self.overlaps[rows[takes]] = overlap[takes]


def _rounds(groups: _Rows, rows: _Rows) -> _Rows:
    """Number the detections of `rows` (sorted, repeating) within their group: 0 for the best one, 1, ..."""
    fresh = np.concatenate(([True], rows[1:] != rows[:-1]))
    position = np.cumsum(fresh) - 1
    own = groups[rows[fresh]]
    numbers: _Rows = (np.arange(len(own)) - np.searchsorted(own, own))[position]
    return numbers


def _in_region(found: _Found, owner: _Rows, boxes: NDArray[np.float64]) -> _Bits:
    """Give all bits to the detections that lie in an ignore region of their frame."""
    rows, regions = _pairs(found.frames, owner)
    inside = rows[share_inside(found.boxes[rows], boxes[regions]) >= REGION_SHARE]
    bits = np.zeros(len(found.frames), np.uint16)
    bits[inside] = _ALL_BITS
    return bits
