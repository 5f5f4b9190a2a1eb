"""What the other model says at the same place."""

from __future__ import annotations

from hilgui.cornercases.boxes import Box, overlap
from hilgui.records import Moment, Role

MATCH_IOU = 0.5


def other_of(role: Role) -> Role:
    """Give the other of the two models."""
    return Role.BASELINE if role is Role.CANDIDATE else Role.CANDIDATE


def score_of_same(role: Role, box: Box, classed: int, moment: Moment, thresholds: dict[Role, float]) -> float | None:
    """Give the other model's score for the same object, None where it shows none or did not see the frame."""
    other = other_of(role)
    inference = moment.inferences.get(other)
    if inference is None:
        return None
    shown = inference.detections.first(inference.detections.count_above(thresholds[other]))
    rows = zip(shown.boxes.tolist(), shown.classes.tolist(), shown.scores.tolist(), strict=True)
    for (left, top, right, bottom), also, score in rows:
        if also == classed and overlap(box, (left, top, right, bottom)) >= MATCH_IOU:
            return float(score)
    return None
