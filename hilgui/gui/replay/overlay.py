"""What there is to draw on one frame: truths and detections with what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto

import numpy as np

from hilgui.evaluation import iou_matrix
from hilgui.records import NO_CLASS, NO_TRACK, Comparison, Judgement, Moment, Role, RunHeader

_STILL_IOU = 0.3  # what overlaps this much from frame to frame is the same object


class Layer(IntEnum):
    """Who says that the object is there."""

    TRUTH = auto()
    BASELINE = auto()
    CANDIDATE = auto()


LAYER_OF = {Role.BASELINE: Layer.BASELINE, Role.CANDIDATE: Layer.CANDIDATE}
ROLE_OF = {layer: role for role, layer in LAYER_OF.items()}


class State(IntEnum):
    """What became of the object in the comparison."""

    MATCHED = auto()
    MISSED = auto()  # a truth that at least one model did not find
    PHANTOM = auto()  # a detection without truth
    IGNORED = auto()  # crowd, ignore region, a class that is not compared
    UNJUDGED = auto()  # the frame has no labels


@dataclass(frozen=True, slots=True)
class Thing:
    """One box on the picture; `row` is its row in the truth or in the detections of its layer."""

    layer: Layer
    row: int
    box: tuple[float, float, float, float]  # x1 y1 x2 y2 px of the picture
    name: str  # class
    state: State
    score: float | None = None
    missed_by: tuple[Role, ...] = ()
    agrees: bool = True  # False: only one of the two models reports it

    @property
    def is_error(self) -> bool:
        """Say whether somebody is wrong here."""
        return self.state in (State.MISSED, State.PHANTOM)

    @property
    def area(self) -> float:
        """Give the area in px²."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    @property
    def key(self) -> tuple[Layer, int]:
        """Name the thing within its frame."""
        return self.layer, self.row


def things_of(moment: Moment | None, header: RunHeader) -> tuple[Thing, ...]:
    """List the detections at or above the threshold, the truths and the ignore regions of a frame, errors on top."""
    if moment is None:
        return ()
    things = [*_truths(moment, header)]
    for role in moment.inferences:
        things += _detections(moment, role, header)
    things.sort(key=lambda thing: thing.is_error)
    return tuple(things)


def thing_at(things: tuple[Thing, ...], x: float, y: float, slack: float) -> Thing | None:
    """Find the smallest box that holds a point (px of the picture), errors first; `slack` px around it count."""
    near = [
        thing
        for thing in things
        if thing.box[0] - slack <= x <= thing.box[2] + slack and thing.box[1] - slack <= y <= thing.box[3] + slack
    ]
    return min(near, key=lambda thing: (thing.area, not thing.is_error), default=None)


def followed(thing: Thing | None, things: tuple[Thing, ...]) -> Thing | None:
    """Find an object again on another frame: a truth by its track, anything else by where it was."""
    if thing is None:
        return None
    same = [other for other in things if other.layer is thing.layer]
    if thing.layer is Layer.TRUTH and "#" in thing.name:
        return next((other for other in same if other.name == thing.name), None)
    if not same:
        return None
    overlap = iou_matrix(np.array([thing.box]), np.array([other.box for other in same]))[0]
    best = int(np.argmax(overlap))
    return same[best] if overlap[best] >= _STILL_IOU else None


def _truths(moment: Moment, header: RunHeader) -> list[Thing]:
    truth = moment.truth
    if truth is None:
        return _regions(header)
    missed_by: list[tuple[Role, ...]] = [()] * len(truth)
    matched = [False] * len(truth)
    for role, comparison in moment.comparisons.items():
        for row, judgement in enumerate(comparison.truths.tolist()):
            if judgement == Judgement.UNMATCHED:
                missed_by[row] = (*missed_by[row], role)
            elif judgement == Judgement.MATCHED:
                matched[row] = True
    boxes, classes, tracks = truth.boxes.tolist(), truth.classes.tolist(), truth.tracks.tolist()
    return [
        Thing(
            layer=Layer.TRUTH,
            row=row,
            box=(box[0], box[1], box[2], box[3]),
            name=_named(header.vocabulary.name(classes[row]), classes[row], tracks[row]),
            state=State.MISSED if missed_by[row] else State.MATCHED if matched[row] else State.IGNORED,
            missed_by=missed_by[row],
        )
        for row, box in enumerate(boxes)
    ]


def _regions(header: RunHeader) -> list[Thing]:
    """List where the camera profile says that nothing is judged, on a frame without labels; rows below 0."""
    name = header.vocabulary.name(NO_CLASS)
    regions = header.source.regions
    return [Thing(Layer.TRUTH, -1 - place, box, name, State.IGNORED) for place, box in enumerate(regions)]


def _named(name: str, class_index: int, track: int) -> str:
    return name if track == NO_TRACK or class_index == NO_CLASS else f"{name} #{track}"


def _detections(moment: Moment, role: Role, header: RunHeader) -> list[Thing]:
    detections = moment.inferences[role].detections
    count = detections.count_above(header.models[role].threshold)
    comparison = moment.comparisons.get(role)
    alone = _alone(moment, role)
    boxes, scores = detections.boxes[:count].tolist(), detections.scores[:count].tolist()
    classes = detections.classes[:count].tolist()
    return [
        Thing(
            layer=LAYER_OF[role],
            row=row,
            box=(box[0], box[1], box[2], box[3]),
            name=header.vocabulary.name(classes[row]),
            state=_state(comparison, row),
            score=scores[row],
            agrees=row not in alone,
        )
        for row, box in enumerate(boxes)
    ]


def _alone(moment: Moment, role: Role) -> frozenset[int]:
    differs = moment.disagreement
    if differs is None:
        return frozenset()
    return frozenset((differs.only_baseline if role is Role.BASELINE else differs.only_candidate).tolist())


_STATES = {
    int(Judgement.MATCHED): State.MATCHED,
    int(Judgement.UNMATCHED): State.PHANTOM,
    int(Judgement.IGNORED): State.IGNORED,
}


def _state(comparison: Comparison | None, row: int) -> State:
    if comparison is None or row >= len(comparison.detections):
        return State.UNJUDGED
    return _STATES[int(comparison.detections[row])]
