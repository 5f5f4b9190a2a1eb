"""KITTI's average precision from rows: once read for all frames, or for frames that were drawn several times.

The benchmark takes the score thresholds at which recall comes nearest to 0, 1/40, 2/40 and so on from all frames
together and matches every frame anew at each. What a frame gives changes only at its own scores: kept once as steps,
any threshold, and any draw of frames with the thresholds that follow from it, is a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POINTS = 40


@dataclass(frozen=True, slots=True, eq=False)
class KittiFrame:
    """What one frame gives one class at one difficulty; overlaps are computed once."""

    scores: NDArray[np.float32]
    small: NDArray[np.bool_]  # detections that are too low to count
    ignored: NDArray[np.bool_]  # truths that take a detection out
    overlap: NDArray[np.float64]  # (detections, truths)
    covered: NDArray[np.float64]  # (detections,) largest share inside one region without class

    @property
    def truths(self) -> int:
        """Count the truths that may be missed."""
        return int(np.count_nonzero(~self.ignored))

    def true_scores(self, iou: float) -> NDArray[np.float32]:
        """Give the scores of true positives where nothing is cut off: each truth takes its best scored detection."""
        taken = np.zeros(len(self.scores), np.bool_)
        scores: list[np.float32] = []
        for column, is_ignored in enumerate(self.ignored.tolist()):
            near = np.flatnonzero((self.overlap[:, column] > iou) & ~taken)
            if not len(near):
                continue
            best = near[np.argmax(self.scores[near])]
            taken[best] = True
            if not is_ignored and not self.small[best]:
                scores.append(self.scores[best])
        return np.array(scores, np.float32)

    def suitors(self, iou: float) -> list[tuple[bool, list[int]]]:
        """Give each truth that some detection overlaps: is it ignored, and which it takes first, second and so on.

        That is the largest overlap among those that are high enough to count, then any that is too low.
        """
        listed = []
        for column in np.flatnonzero((self.overlap > iou).any(axis=0)):
            near = np.flatnonzero(self.overlap[:, column] > iou)
            order = np.where(self.small[near], np.inf, -self.overlap[near, column])
            listed.append((bool(self.ignored[column]), near[np.argsort(order, kind="stable")].tolist()))
        return listed

    def counts(self, iou: float, thresholds: NDArray[np.float32]) -> NDArray[np.int64]:
        """Count true and false positives with a score of at least each threshold, falling: (thresholds, 2)."""
        suitors, small = self.suitors(iou), self.small.tolist()
        is_false = ~self.small & (self.covered <= iou)
        shown = self.scores >= thresholds[:, None]
        alone = shown @ is_false.astype(np.int64)
        wanted = sorted({row for _, rows in suitors for row in rows})
        paired = np.zeros((len(thresholds), 2), np.int64)  # true, and taken of those that would be false
        changes = np.diff(shown[:, wanted].sum(axis=1), prepend=0) > 0
        for place in np.flatnonzero(changes).tolist():
            here, taken, true = shown[place].tolist(), set[int](), 0
            for is_ignored, rows in suitors:
                best = next((row for row in rows if here[row] and row not in taken), None)
                if best is not None:
                    taken.add(best)
                    true += not is_ignored and not small[best]
            paired[place:] = true, np.count_nonzero(is_false[list(taken)])
        return np.stack([paired[:, 0], alone - paired[:, 1]], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class KittiRows:
    """The frames of one class at one difficulty, sorted from the highest score down."""

    truths: NDArray[np.int64]  # (frames,) that may be missed
    found: NDArray[np.float32]  # scores of true positives where nothing is cut off
    found_frames: NDArray[np.int64]
    scores: NDArray[np.float32]  # at which the counts of a frame change
    score_frames: NDArray[np.int64]
    true: NDArray[np.int64]  # by how much, at that score
    false: NDArray[np.int64]

    @classmethod
    def of(cls, frames: Sequence[KittiFrame], iou: float) -> KittiRows:
        """Match every frame at each of its scores."""
        found = [frame.true_scores(iou) for frame in frames]
        lowest = min((float(scores.min()) for scores in found if len(scores)), default=np.inf)
        steps = [_steps(frame, iou, lowest) for frame in frames]
        found_scores, found_frames = _joined(found)
        scores, score_frames = _joined([scores for scores, _ in steps])
        counts = np.concatenate([np.empty((0, 2), np.int64), *(counts for _, counts in steps)])
        first, then = np.argsort(-found_scores, kind="stable"), np.argsort(-scores, kind="stable")
        return cls(
            np.array([frame.truths for frame in frames], np.int64),
            found_scores[first],
            found_frames[first],
            scores[then],
            score_frames[then],
            counts[then, 0],
            counts[then, 1],
        )

    def average(self, weights: NDArray[np.int64]) -> float | None:
        """Read average precision over 40 recall points with each frame as often as `weights` says.

        `weights` has one number for each frame; None where no truth is left to find.
        """
        truths = int(self.truths @ weights)
        if not truths:
            return None
        reached = np.cumsum(weights[self.found_frames])
        places = chosen_places(int(reached[-1]) if len(reached) else 0, truths)
        thresholds = self.found[np.searchsorted(reached, places, side="right")]
        last = np.searchsorted(-self.scores, -thresholds, side="right") - 1  # a threshold is a score of some frame
        drawn = weights[self.score_frames]
        true, false = np.cumsum(drawn * self.true)[last], np.cumsum(drawn * self.false)[last]
        precision = np.zeros(POINTS + 1)
        precision[: len(places)] = true / np.maximum(true + false, 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        return float(envelope[1:].mean())


def chosen_places(found: int, truths: int) -> NDArray[np.int64]:
    """Choose, among `found` scores in falling order, those at which recall comes nearest to 0, 1/40, 2/40 and so on."""
    chosen: list[int] = []
    recall, place = 0.0, 0
    while place < found and len(chosen) <= POINTS:
        while place < found - 1 and (place + 2) / truths - recall < recall - (place + 1) / truths:
            place = max(place + 1, int(recall * truths - 1.5) - 1)  # all before are farther from this recall
        place = min(place, found - 1)
        chosen.append(place)
        recall += 1.0 / POINTS
        place += 1
    return np.array(chosen, np.int64)


def _steps(frame: KittiFrame, iou: float, lowest: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Give the scores of a frame from the highest down to `lowest`, and what true and false positives change there."""
    scores = np.unique(frame.scores[frame.scores >= np.float32(lowest)])[::-1]
    return scores, np.diff(frame.counts(iou, scores), axis=0, prepend=np.zeros((1, 2), np.int64))


def _joined(parts: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Put the scores of all frames one after the other, and say of which frame each is."""
    frames = np.repeat(np.arange(len(parts), dtype=np.int64), [len(part) for part in parts])
    return np.concatenate([np.empty(0, np.float32), *parts]), frames
