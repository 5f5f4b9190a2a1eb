"""Counts by class, distance and height, gathered in one pass over the stored frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hilgui.records import NO_TRACK, Comparison, Judgement, Moment, Role, RunHeader, Truth
from hilgui.report.protocol import Progress, silent
from hilgui.store import RunReader

DISTANCES_M = (15.0, 30.0, 50.0)
HEIGHTS_PX = (25.0, 40.0, 80.0)
SCORE_BINS = 25


@dataclass(frozen=True, slots=True)
class Share:
    """How many labels of a set were found at the card's threshold."""

    truths: int
    found: int

    @property
    def missed(self) -> int:
        """Count the labels that were not found."""
        return self.truths - self.found

    @property
    def recall(self) -> float | None:
        """Give the share that was found, None where there was nothing to find."""
        return self.found / self.truths if self.truths else None


@dataclass(frozen=True, slots=True)
class ClassTally:
    """What one model made of one class."""

    share: Share
    phantoms: int
    objects: int  # distinct tracks among the labels; 0 where the labels know no identity
    never_found: int  # of these, not found in any frame
    by_distance: tuple[Share, ...]  # bands of DISTANCES_M; labels without distance are left out
    by_height: tuple[Share, ...]  # bands of HEIGHTS_PX


@dataclass(frozen=True, slots=True, eq=False)
class RoleTally:
    """What one model made of the whole run."""

    classes: dict[str, ClassTally]  # judged classes with labels or phantoms, in the order of the vocabulary
    matched_scores: NDArray[np.int64]  # (SCORE_BINS,) detections above the threshold that matched, over 0..1
    phantom_scores: NDArray[np.int64]  # (SCORE_BINS,) those that matched nothing

    @property
    def share(self) -> Share:
        """Add up all classes."""
        shares = [one.share for one in self.classes.values()]
        return Share(sum(share.truths for share in shares), sum(share.found for share in shares))

    @property
    def phantoms(self) -> int:
        """Add up all classes."""
        return sum(one.phantoms for one in self.classes.values())


def tally(reader: RunReader, progress: Progress = silent) -> dict[Role, RoleTally]:
    """Count every judged label and detection of a run, about 0.2 ms a frame; raises StoreBroken.

    A model is counted on the frames it ran on: where the candidate skipped frames its labels are fewer.
    """
    counters = {role: _Counter(reader.header) for role in reader.header.models}
    total = reader.ledger.evaluated
    for done, moment in enumerate(reader.moments(), start=1):
        if moment.truth is not None:
            for role, comparison in moment.comparisons.items():
                counters[role].add(moment, role, moment.truth, comparison)
        if done % 100 == 0 or done == total:
            progress(done, total)
    return {role: counter.result() for role, counter in counters.items()}


def distance_bands() -> tuple[str, ...]:
    """Name the bands of `ClassTally.by_distance`."""
    middle = (f"at {low:.0f}–{high:.0f} m" for low, high in pairwise(DISTANCES_M))
    return (f"within {DISTANCES_M[0]:.0f} m", *middle, f"beyond {DISTANCES_M[-1]:.0f} m")


def height_bands() -> tuple[str, ...]:
    """Name the bands of `ClassTally.by_height`."""
    middle = (f"at {low:.0f}–{high:.0f} px height" for low, high in pairwise(HEIGHTS_PX))
    return (f"below {HEIGHTS_PX[0]:.0f} px height", *middle, f"from {HEIGHTS_PX[-1]:.0f} px height")


@dataclass(slots=True)
class _Tracks:
    seen: set[tuple[int, int]] = field(default_factory=set)
    found: set[tuple[int, int]] = field(default_factory=set)


class _Counter:
    """Grows by one frame at a time; columns of the tables are (labels, found)."""

    def __init__(self, header: RunHeader) -> None:
        self._vocabulary = header.vocabulary
        size = len(header.vocabulary.names)
        self._truths = np.zeros((size, 2), np.int64)
        self._distance = np.zeros((size, len(DISTANCES_M) + 1, 2), np.int64)
        self._height = np.zeros((size, len(HEIGHTS_PX) + 1, 2), np.int64)
        self._phantoms = np.zeros(size, np.int64)
        self._tracks = _Tracks()
        self._scores = np.zeros((2, SCORE_BINS), np.int64)

    def add(self, moment: Moment, role: Role, truth: Truth, comparison: Comparison) -> None:
        counted = comparison.truths != Judgement.IGNORED
        if counted.any():
            self._add_truths(truth.where(counted), comparison.truths[counted] == Judgement.MATCHED)
        detections = moment.inferences[role].detections.first(len(comparison.detections))
        bins = np.minimum((detections.scores * SCORE_BINS).astype(np.int64), SCORE_BINS - 1)
        for row, judgement in enumerate((Judgement.MATCHED, Judgement.UNMATCHED)):
            np.add.at(self._scores[row], bins[comparison.detections == judgement], 1)
        np.add.at(self._phantoms, detections.classes[comparison.detections == Judgement.UNMATCHED], 1)

    def _add_truths(self, truth: Truth, found: NDArray[np.bool_]) -> None:
        pair = np.stack((np.ones(len(found), np.int64), found.astype(np.int64)), axis=1)
        np.add.at(self._truths, truth.classes, pair)
        heights = np.digitize(truth.boxes[:, 3] - truth.boxes[:, 1], HEIGHTS_PX)
        np.add.at(self._height, (truth.classes, heights), pair)
        known = ~np.isnan(truth.distance_m)
        distances = np.digitize(truth.distance_m[known], DISTANCES_M)
        np.add.at(self._distance, (truth.classes[known], distances), pair[known])
        named = truth.tracks != NO_TRACK
        keys = list(zip(truth.classes[named].tolist(), truth.tracks[named].tolist(), strict=True))
        self._tracks.seen.update(keys)
        self._tracks.found.update(key for key, hit in zip(keys, found[named], strict=True) if hit)

    def result(self) -> RoleTally:
        judged = [index for index in sorted(self._vocabulary.judged) if self._truths[index, 0] or self._phantoms[index]]
        return RoleTally(
            {self._vocabulary.names[index]: self._class(index) for index in judged}, self._scores[0], self._scores[1]
        )

    def _class(self, index: int) -> ClassTally:
        seen = {key for key in self._tracks.seen if key[0] == index}
        return ClassTally(
            share=Share(*self._truths[index].tolist()),
            phantoms=int(self._phantoms[index]),
            objects=len(seen),
            never_found=len(seen - self._tracks.found),
            by_distance=tuple(Share(*pair) for pair in self._distance[index].tolist()),
            by_height=tuple(Share(*pair) for pair in self._height[index].tolist()),
        )
