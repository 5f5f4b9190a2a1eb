"""Following: both models' objects over time, worked out once a frame for every detector that asks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hilgui.cornercases.boxes import Box, overlaps
from hilgui.evaluation.tracker import Tracker
from hilgui.records import Detections, Inference, Moment, Role

SAME_OBJECT_IOU = 0.7


class Sighting(NamedTuple):
    """One object above the card's threshold."""

    box: Box
    classed: int  # index into the vocabulary
    score: float
    row: int = -1  # of the model's detections


class Following:
    """Tracks what each model shows; tracks are numbered from 0 per model and end after `keep` frames unseen.

    A frame that a model skipped leaves its tracks as they were. In an unordered set nothing is followed: the numbers
    count the objects of the frame. Several detectors may ask about the same moment; moments come in frame order, on
    one thread.
    """

    def __init__(
        self, thresholds: dict[Role, float], judged: frozenset[int], keep: int, *, ordered: bool = True
    ) -> None:
        self._ordered = ordered
        self._thresholds = thresholds
        self._judged = judged
        self._trackers = {role: Tracker(keep) for role in thresholds}
        self._moment: Moment | None = None
        self._seen: dict[Role, dict[int, Sighting]] = {}
        self._overlaps: dict[Role, NDArray[np.float64]] = {}

    def at(self, moment: Moment) -> dict[Role, dict[int, Sighting]]:
        """Give the sightings of this frame by track number, for each model that saw it."""
        if moment is not self._moment:
            self._moment = moment
            self._seen = {role: self._follow(role, inference) for role, inference in moment.inferences.items()}
        return self._seen

    def overlaps(self, moment: Moment, role: Role) -> NDArray[np.float64]:
        """Give the IoU of every two detections of a model at or above its threshold, of whatever class."""
        self.at(moment)
        return self._overlaps[role]

    def unseen(self, role: Role) -> dict[int, Box]:
        """Say where the tracks that the model's last frame did not show would be in it."""
        return self._trackers[role].unseen()

    def ended(self, role: Role) -> list[int]:
        """Give the tracks that the model's last frame ended."""
        return self._trackers[role].ended

    def _follow(self, role: Role, inference: Inference) -> dict[int, Sighting]:
        kept = inference.detections.first(inference.detections.count_above(self._thresholds[role]))
        self._overlaps[role] = overlaps(kept.boxes)
        seen = sightings(kept, self._overlaps[role], self._judged)
        if not self._ordered:
            return dict(enumerate(seen))
        numbers = self._trackers[role].update([sighting.box for sighting in seen])
        return dict(zip(numbers, seen, strict=True))


def sightings(kept: Detections, shared: NDArray[np.float64], judged: frozenset[int]) -> list[Sighting]:
    """Give the objects of judged classes, best first, of detections whose overlaps are `shared`.

    Suppression runs within a class, so that one object may carry two boxes, "car" and "truck"; boxes that
    overlap a better one by IoU .7 or more are the same object and only the better one stays.
    """
    found: list[Sighting] = []
    same = shared >= SAME_OBJECT_IOU
    alone = (np.count_nonzero(same, axis=1) <= 1).tolist()  # itself at most
    rows = zip(kept.boxes.tolist(), kept.classes.tolist(), kept.scores.tolist(), strict=True)
    for row, ((left, top, right, bottom), classed, score) in enumerate(rows):
        box = (left, top, right, bottom)
        if classed not in judged:
            continue
        if alone[row] or not any(same[row, other.row] for other in found):
            found.append(Sighting(box, classed, score, row))
    return found
