"""The first explanation: what the model says at the object, against its threshold and against the labels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hilgui.evaluation.matching import MATCH_IOU
from hilgui.evaluation.overlap import share_matrix
from hilgui.explanations.target import Target, best_score, overlaps
from hilgui.records import Detections, Truth, Vocabulary

NEAR_IOU = 0.3  # a box that fits worse than this is about something else
FAINT = 0.01  # a lower score says nothing


class Reason(StrEnum):
    """Why an object is missed, or where a phantom comes from."""

    SHOWN = "shown"  # asked again, the model shows the missed object
    SCORE = "score"  # a box that fits, below the threshold
    LOCALISATION = "localisation"  # above the threshold, but it does not fit
    CLASS = "class"  # another class at its place
    NOTHING = "nothing"  # no box of any class
    GONE = "gone"  # asked again, the model does not show the phantom
    LABELLED = "labelled"  # a phantom on a labelled object of its class that it fits badly
    TWICE = "twice"  # a phantom on a labelled object that another box has found
    UNLABELLED = "unlabelled"  # a phantom where the labels have nothing


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the model says there; figures are those of the whole, unchanged picture."""

    reason: Reason
    score: float  # best of the target's class by IoU .5; of LOCALISATION that of the box that fits worse
    iou: float
    other: str = ""  # class of the box, or label, that took the place
    other_score: float = 0.0


def diagnosed(said: Detections, truth: Truth | None, target: Target, vocabulary: Vocabulary) -> Diagnosis:
    """Look at a picture's detections, at every score, and at its labels."""
    return _missed(said, target, vocabulary) if target.is_missed else _phantom(said, truth, target, vocabulary)


def _missed(said: Detections, target: Target, vocabulary: Vocabulary) -> Diagnosis:
    overlap, limit = overlaps(said.boxes, target.box), np.float32(target.threshold)
    mine = said.classes == target.classed
    score = best_score(said, target)
    fit = float(overlap[mine].max(initial=0.0))
    if np.float32(score) >= limit:
        return Diagnosis(Reason.SHOWN, score, fit)
    loose = np.flatnonzero(mine & (said.scores >= limit) & (overlap >= NEAR_IOU))
    if len(loose):
        best = int(loose[overlap[loose].argmax()])
        return Diagnosis(Reason.LOCALISATION, float(said.scores[best]), float(overlap[best]))
    others = np.flatnonzero(~mine & (overlap >= MATCH_IOU))
    place = int(others[said.scores[others].argmax()]) if len(others) else -1
    name = "" if place < 0 else vocabulary.name(int(said.classes[place]))
    rival = 0.0 if place < 0 else float(said.scores[place])
    if rival >= max(score, FAINT) and (np.float32(rival) >= limit or score <= FAINT):
        return Diagnosis(Reason.CLASS, score, fit, name, rival)
    return Diagnosis(Reason.SCORE if score > FAINT else Reason.NOTHING, score, fit)


def _phantom(said: Detections, truth: Truth | None, target: Target, vocabulary: Vocabulary) -> Diagnosis:
    score = best_score(said, target)
    if np.float32(score) < np.float32(target.threshold):
        return Diagnosis(Reason.GONE, score, 0.0)
    if truth is None or not len(truth):
        return Diagnosis(Reason.UNLABELLED, score, 0.0)
    overlap = overlaps(truth.boxes, target.box)
    best = int(overlap.argmax())
    name, fit = vocabulary.name(int(truth.classes[best])), float(overlap[best])
    if truth.classes[best] == target.classed and fit >= MATCH_IOU:
        return Diagnosis(Reason.TWICE, score, fit, name)
    if fit >= MATCH_IOU:
        return Diagnosis(Reason.CLASS, score, fit, name)
    inside = share_matrix(np.array([target.box]), truth.boxes)[0]
    if fit >= 0.1 or inside.max() >= MATCH_IOU:
        near = best if fit >= 0.1 else int(inside.argmax())
        return Diagnosis(Reason.LABELLED, score, float(overlap[near]), vocabulary.name(int(truth.classes[near])))
    return Diagnosis(Reason.UNLABELLED, score, fit)
