"""Following: both models' objects over time, worked out once a frame for every detector that asks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hilgui.cornercases.boxes import Box
from hilgui.evaluation.overlap import iou_matrix
from hilgui.evaluation.tracker import Found, Tracker, follow
from hilgui.records import Detections, Moment, Role

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
        self._kept: dict[Role, Detections] = {}
        self._matched: dict[Role, dict[int, int]] = {}
        self._overlaps: dict[Role, NDArray[np.float64]] = {}
        self._unseen: dict[Role, dict[int, Box]] = {}

    def at(self, moment: Moment) -> dict[Role, dict[int, Sighting]]:
        """Give the sightings of this frame by track number, for each model that saw it."""
        if moment is not self._moment:
            self._moment, self._matched, self._unseen = moment, {}, {}
            self._seen = self._follow(moment)
        return self._seen

    def overlaps(self, moment: Moment, role: Role) -> NDArray[np.float64]:
        """Give the IoU of every two detections of a model at or above its threshold, of whatever class."""
        self.at(moment)
        return self._overlaps[role]

    def matched(self, moment: Moment, role: Role) -> dict[int, int]:
        """Give the truth row that each track matches in this frame, of those that match one."""
        seen = self.at(moment).get(role)
        if seen is None or role not in moment.comparisons:
            return {}
        if role not in self._matched:
            partners = moment.comparisons[role].partner.tolist()
            self._matched[role] = {
                number: partners[sighting.row]
                for number, sighting in seen.items()
                if sighting.row < len(partners) and partners[sighting.row] >= 0
            }
        return self._matched[role]

    def unseen(self, role: Role) -> dict[int, Box]:
        """Say where the tracks that the model's last frame did not show would be in it."""
        if role not in self._unseen:
            self._unseen[role] = self._trackers[role].unseen()
        return self._unseen[role]

    def covered(self, role: Role, least: float) -> set[int]:
        """Name the tracks that the model's last frame did not show where it shows another object in their place."""
        return self._trackers[role].covered(least)

    def ended(self, role: Role) -> list[int]:
        """Give the tracks that the model's last frame ended."""
        return self._trackers[role].ended

    def _follow(self, moment: Moment) -> dict[Role, dict[int, Sighting]]:
        self._kept = {
            role: inference.detections.first(inference.detections.count_above(self._thresholds[role]))
            for role, inference in moment.inferences.items()
        }
        self._overlaps = {role: iou_matrix(kept.boxes, kept.boxes) for role, kept in self._kept.items()}
        seen = {role: sightings(kept, self._overlaps[role], self._judged) for role, kept in self._kept.items()}
        if not self._ordered:
            return {role: dict(enumerate(mine)) for role, mine in seen.items()}
        rows = {role: [sighting.row for sighting in mine] for role, mine in seen.items()}
        numbers = follow([(self._trackers[role], Found(self._kept[role].boxes[mine])) for role, mine in rows.items()])
        return {role: dict(zip(given, seen[role], strict=True)) for role, given in zip(seen, numbers, strict=True)}


def sightings(kept: Detections, shared: NDArray[np.float64], judged: frozenset[int]) -> list[Sighting]:
    """Give the objects of judged classes, best first, of detections whose overlaps are `shared`.

    Suppression runs within a class, so that one object may carry two boxes, "car" and "truck"; boxes that
    overlap a better one by IoU .7 or more are the same object and only the better one stays.
    """
    classes = kept.classes.tolist()
    rows = zip(map(tuple, kept.boxes.tolist()), classes, kept.scores.tolist(), range(len(classes)), strict=True)
    found = [Sighting(*row) for row in rows if row[1] in judged]
    same = shared >= SAME_OBJECT_IOU
    if np.count_nonzero(same) <= len(classes):  # each with itself at most
        return found
    better: list[Sighting] = []
    alone = (np.count_nonzero(same, axis=1) <= 1).tolist()
    for one in found:
        if alone[one.row] or not any(same[one.row, other.row] for other in better):
            better.append(one)
    return better
