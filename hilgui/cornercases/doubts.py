"""Doubts: where both models contradict a label together, the label is the suspect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hilgui.cornercases.boxes import Box, overlap
from hilgui.cornercases.labelled import Labelled
from hilgui.records import Judgement, Moment, Role

if TYPE_CHECKING:
    from hilgui.cornercases.protocol import RunContext

SURE = 0.75  # both scores
AGREED_IOU = 0.75  # of both models' boxes
MATCH_IOU = 0.5  # with the label, of another class
FITS_IOU, TOUCHES_IOU = 0.4, 0.1  # with the label, of its own class

_UNMATCHED = int(Judgement.UNMATCHED)
_Said = tuple[Box, int, float]  # box, class, score


def doubt_of_label(moment: Moment, labelled: Labelled, context: RunContext) -> str:
    """Say in a sentence what both models, surely and alike, report instead of the label; "" where they do not.

    Both report with a score of at least .75, in boxes that agree by IoU .75, the same other class in a box that fits
    the label by IoU .5, or the same class in a box that touches the label by .1 and fits it by less than .4. Boxes that
    match another label belong to a neighbour and say nothing. Lower, two models that learnt from the same pictures
    agree on the same mistakes: on exactly rendered drives they did.
    """
    said = [found for role in moment.comparisons if (found := _surest(moment, role, labelled.box)) is not None]
    if len(said) < len(Role):
        return ""
    (one, classed, score), (other, also, second) = said
    if classed != also or overlap(one, other) < AGREED_IOU:
        return ""
    scores = f"scores {score:.2f} and {second:.2f}"
    best = max(overlap(one, labelled.box), overlap(other, labelled.box))
    if classed != labelled.classed:
        if best < MATCH_IOU:
            return ""
        name = context.vocabulary.name(classed)
        return f"both models agree against the label: they report {name} there with {scores}"
    if best >= FITS_IOU:
        return ""
    return (
        f"both models agree against the label: their boxes fit each other by IoU {overlap(one, other):.2f} and the "
        f"label by {best:.2f} only, with {scores}"
    )


def doubt_of_no_label(score: float, other_score: float | None) -> str:
    """Say that both models are sure of an object that has no label; "" where they are not."""
    if other_score is None or min(score, other_score) < SURE:
        return ""
    return f"both models agree against the labels: they report it with scores {score:.2f} and {other_score:.2f}"


def _surest(moment: Moment, role: Role, box: Box) -> _Said | None:
    """Give the best detection at the place of a label that one may be sure of and that matches no label."""
    detections, verdicts = moment.inferences[role].detections, moment.comparisons[role].detections
    sure = min(detections.count_above(SURE), len(verdicts))
    for row in np.flatnonzero(verdicts[:sure] == _UNMATCHED).tolist():  # by falling score
        left, top, right, bottom = detections.boxes[row].tolist()
        found = (left, top, right, bottom)
        if overlap(box, found) >= TOUCHES_IOU:
            return found, int(detections.classes[row]), float(detections.scores[row])
    return None
