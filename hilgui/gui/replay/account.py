"""Says in words what is known about one object on one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication

from hilgui.evaluation import iou_matrix
from hilgui.gui.replay.overlay import LAYER_OF, ROLE_OF, Layer, State, Thing
from hilgui.records import NO_CLASS, NO_TRACK, Judgement, Moment, Role, RunHeader

_SAME_PLACE_IOU = 0.3  # a detection that overlaps this much speaks about the same object


@dataclass(frozen=True, slots=True)
class Account:
    """What the inspector shows: one sentence, and facts by name."""

    title: str
    sentence: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best detection of a model at a place, at any score that was stored."""

    row: int
    score: float
    name: str
    iou: float
    is_above: bool
    is_same_class: bool


def account_of(thing: Thing, moment: Moment, header: RunHeader) -> Account:
    """Describe a thing of a moment."""
    if thing.layer is Layer.TRUTH:
        return _of_truth(thing, moment, header)
    return _of_detection(thing, moment, header)


def nearest(
    box: tuple[float, float, float, float], class_index: int, role: Role, moment: Moment, header: RunHeader
) -> Nearest | None:
    """Find a model's best-scored detection at a place: of the same class if there is one, else of any.

    Looks at everything that was stored (scores from .001). None when nothing is there, or the model did not run.
    """
    inference = moment.inferences.get(role)
    if inference is None or not len(inference.detections):
        return None
    detections = inference.detections
    overlap = iou_matrix(np.array([box]), detections.boxes)[0]
    there = overlap >= _SAME_PLACE_IOU
    same = there & (detections.classes == class_index)
    rows = np.flatnonzero(same if same.any() else there)
    if not len(rows):
        return None
    row = int(rows[0])  # detections are sorted by falling score
    return Nearest(
        row=row,
        score=float(detections.scores[row]),
        name=header.vocabulary.name(int(detections.classes[row])),
        iou=float(overlap[row]),
        is_above=bool(detections.scores[row] >= np.float32(header.models[role].threshold)),
        is_same_class=bool(same.any()),
    )


def score_text(score: float) -> str:
    """Write a score as the field does: .71, and 0.004 where two digits would say nothing."""
    if score >= 0.995:
        return "1.00"
    return f"{score:.2f}".removeprefix("0") if score >= 0.01 else f"{score:.3f}"


def _tr(words: str) -> str:
    return QCoreApplication.translate("Account", words)


def _of_truth(thing: Thing, moment: Moment, header: RunHeader) -> Account:
    truth = moment.truth
    if truth is None:  # a frame without labels shows the regions of the camera profile alone
        words = "an ignore region of the camera profile: detections inside are not judged"
        return Account(f"truth · {thing.name}", words, tuple(_box_facts(thing)))
    row = thing.row
    class_index = int(truth.classes[row])
    facts = [(_tr("class"), header.vocabulary.name(class_index))]
    if truth.tracks[row] != NO_TRACK:
        facts.append((_tr("track"), str(int(truth.tracks[row]))))
    facts += _box_facts(thing)
    if not np.isnan(truth.distance_m[row]):
        facts.append((_tr("distance"), f"{truth.distance_m[row]:.1f} m"))
    if not np.isnan(truth.occlusion[row]):
        facts.append((_tr("occluded"), f"{truth.occlusion[row]:.0%}"))
    facts += [(role.value, _told(thing, role, class_index, moment, header)) for role in header.models]
    if truth.crowd[row]:
        sentence = _tr("a crowd: detections inside are not judged")
    elif class_index == NO_CLASS:
        sentence = _tr("an ignore region: detections inside are not judged")
    elif truth.ignore[row]:
        sentence = _tr("labelled as too hard to judge: never a miss")
    elif thing.state is State.IGNORED:
        sentence = _tr("{0} is not among the classes that are compared").format(thing.name)
    else:
        sentence = _truth_sentence(thing, class_index, moment, header)
    return Account(_tr("truth · {0}").format(thing.name), sentence, tuple(facts))


def _truth_sentence(thing: Thing, class_index: int, moment: Moment, header: RunHeader) -> str:
    if len(thing.missed_by) > 1:
        return _tr("missed by both models")
    missed, parts = [], []
    for role in header.models:
        match = _match(thing.row, role, moment)
        if role not in moment.inferences:
            parts.append(_tr("the {0} skipped this frame").format(role.value))
        elif role in thing.missed_by:
            missed.append(_tr("missed by the {0}").format(role.value))
        elif match is None:
            parts.append(_tr("{0} found it").format(role.value))
        else:
            parts.append(_tr("{0} found it, score {1}").format(role.value, score_text(match[0])))
    return "; ".join(missed + parts)


def _told(thing: Thing, role: Role, class_index: int, moment: Moment, header: RunHeader) -> str:
    """Say what one model made of a truth."""
    if role not in moment.inferences:
        return _tr("skipped this frame")
    match = _match(thing.row, role, moment)
    if match is not None:
        return _tr("score {0}, IoU {1}").format(score_text(match[0]), score_text(match[1]))
    return _best_here(thing.box, class_index, role, moment, header)


def _best_here(
    box: tuple[float, float, float, float], class_index: int, role: Role, moment: Moment, header: RunHeader
) -> str:
    found = nearest(box, class_index, role, moment, header)
    if found is None:
        return _tr("nothing here at any score")
    threshold = score_text(header.models[role].threshold)
    if found.is_above and found.is_same_class:
        return _tr("{0} here, IoU {1}").format(score_text(found.score), score_text(found.iou))
    if found.is_above:
        return _tr("seen as {0} {1}, IoU {2}").format(found.name, score_text(found.score), score_text(found.iou))
    if found.is_same_class:
        return _tr("best score here {0}, below threshold {1}").format(score_text(found.score), threshold)
    wanted = header.vocabulary.name(class_index)
    said = _tr("no {0} here at any score; {1} {2}, below threshold {3}")
    return said.format(wanted, found.name, score_text(found.score), threshold)


def _of_detection(thing: Thing, moment: Moment, header: RunHeader) -> Account:
    role = ROLE_OF[thing.layer]
    comparison = moment.comparisons.get(role)
    class_index = int(moment.inferences[role].detections.classes[thing.row])
    threshold = header.models[role].threshold
    facts = [
        (_tr("class"), thing.name),
        (_tr("score"), _tr("{0} (threshold {1})").format(score_text(thing.score or 0), score_text(threshold))),
        *_box_facts(thing),
    ]
    partner = -1
    if comparison is not None and thing.row < len(comparison.partner):
        partner = int(comparison.partner[thing.row])
        what = _tr("IoU with truth") if partner >= 0 else _tr("best IoU with any truth")
        facts.append((what, score_text(float(comparison.iou[thing.row]))))
    if partner >= 0 and moment.truth is not None:
        facts += _partner_facts(partner, moment)
    for other in header.models:
        if other is not role:
            told = _tr("skipped this frame")
            if other in moment.inferences:
                told = _best_here(thing.box, class_index, other, moment, header)
            facts.append((other.value, told))
    return Account(f"{role.value} · {thing.name}", _detection_sentence(thing, role, moment), tuple(facts))


def _partner_facts(row: int, moment: Moment) -> list[tuple[str, str]]:
    truth = moment.truth
    assert truth is not None
    facts = []
    if truth.tracks[row] != NO_TRACK:
        facts.append((_tr("track"), str(int(truth.tracks[row]))))
    if not np.isnan(truth.distance_m[row]):
        facts.append((_tr("distance"), f"{truth.distance_m[row]:.1f} m"))
    if not np.isnan(truth.occlusion[row]):
        facts.append((_tr("occluded"), f"{truth.occlusion[row]:.0%}"))
    return facts


def _detection_sentence(thing: Thing, role: Role, moment: Moment) -> str:
    alone = "" if thing.agrees else _tr("; the other model does not report it")
    if thing.state is State.MATCHED:
        return _tr("right: the {0} found a labelled object").format(role.value) + alone
    if thing.state is State.PHANTOM:
        return _tr("phantom of the {0}: no label fits").format(role.value) + alone
    if thing.state is State.IGNORED:
        return _tr("not judged: an ignore region, a crowd, or a class that is not compared")
    return _tr("not judged: this frame has no labels") + alone


def _box_facts(thing: Thing) -> list[tuple[str, str]]:
    x1, y1, x2, y2 = thing.box
    return [(_tr("box"), _tr("{0:.0f} × {1:.0f} px at {2:.0f}, {3:.0f}").format(x2 - x1, y2 - y1, x1, y1))]


def _match(truth_row: int, role: Role, moment: Moment) -> tuple[float, float] | None:
    """Give score and IoU of the detection that matched a truth."""
    comparison = moment.comparisons.get(role)
    if comparison is None or comparison.truths[truth_row] != Judgement.MATCHED:
        return None
    rows = np.flatnonzero(comparison.partner == truth_row)
    if not len(rows):
        return None
    row = int(rows[0])
    return float(moment.inferences[role].detections.scores[row]), float(comparison.iou[row])


def thing_of_finding(
    things: tuple[Thing, ...], box: tuple[float, float, float, float], role: Role | None
) -> Thing | None:
    """Find the thing that a finding's box is about: the same box, else the best overlap of at least one half."""
    if not things:
        return None
    overlap = iou_matrix(np.array([box]), np.array([thing.box for thing in things]))[0]
    preferred = LAYER_OF.get(role) if role is not None else None
    best = max(
        range(len(things)),
        key=lambda index: (round(float(overlap[index]), 3), things[index].is_error, things[index].layer is preferred),
    )
    return things[best] if overlap[best] >= 0.5 else None
