"""Sightings: what a model shows on one frame, as plain values for the detectors that need time."""

from __future__ import annotations

from typing import NamedTuple

from hilgui.cornercases.boxes import Box, overlap
from hilgui.records import Inference

SAME_OBJECT_IOU = 0.7


class Sighting(NamedTuple):
    """One object above the card's threshold."""

    box: Box
    classed: int  # index into the vocabulary
    score: float


def sightings(inference: Inference, threshold: float, judged: frozenset[int]) -> list[Sighting]:
    """Give the objects of judged classes at or above the threshold, best first.

    Suppression runs within a class, so that one object may carry two boxes, "car" and "truck"; boxes that
    overlap a better one by IoU .7 or more are the same object and only the better one stays.
    """
    kept = inference.detections.first(inference.detections.count_above(threshold))
    found: list[Sighting] = []
    rows = zip(kept.boxes.tolist(), kept.classes.tolist(), kept.scores.tolist(), strict=True)
    for (left, top, right, bottom), classed, score in rows:
        box = (left, top, right, bottom)
        if classed in judged and not any(overlap(box, other.box) >= SAME_OBJECT_IOU for other in found):
            found.append(Sighting(box, classed, score))
    return found
