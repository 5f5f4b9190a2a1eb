"""Missed object: a labelled object that a model does not report for several frames."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from hilgui.cornercases.boxes import NEAR_IOU, Box, is_cut, overlap, strongest_near, touches_border
from hilgui.cornercases.criticality import closeness, severity_of
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.evaluation.tracker import Tracker
from hilgui.records import (
    NO_TRACK,
    Comparison,
    Detections,
    FoundObject,
    Hit,
    Judgement,
    Kind,
    Moment,
    Role,
    Severity,
    Truth,
)

MATCH_IOU = 0.5
FAINT = 0.01  # a lower score says nothing
CUT_WEIGHT, TOUCHING_WEIGHT = 0.01, 0.5  # at the border of the picture there is less to see
LONGEST = 30  # frames after which a miss does not grow worse by lasting


@dataclass(frozen=True, slots=True)
class _Object:
    """One labelled object that a model may be asked for."""

    row: int  # in the truth
    thread: str
    classed: int
    label: str
    track: int
    box: Box
    height_px: float
    distance_m: float | None
    occlusion: float | None
    is_cut: bool  # by the border of the picture, so that little is left of it
    visible: float  # 0..1, how much the labels and the border leave to be seen


@dataclass(slots=True)
class _Streak:
    """Consecutive frames in which one model misses one object; its frames wait until there are enough."""

    frames: int = 0
    waiting: list[tuple[_Object, Moment]] = field(default_factory=list)


class MissedObject:
    """Reports a judged truth that is tall and visible enough and stays without a match for `frames` frames.

    A frame without labels, or that the model skipped, pauses a miss: it neither counts nor ends it. A truth of which
    the border of the picture leaves little (it enters or leaves) continues a miss, but starts none.
    """

    kind: ClassVar[Kind] = Kind.MISSED_OBJECT
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._limits = context.limits.missed_object
        self._criticality = context.limits.criticality
        self._vocabulary = context.vocabulary
        self._thresholds = context.thresholds
        self._tracker = Tracker(keep=context.limits.merge_gap) if context.period_s is not None else None
        self._frames = self._limits.frames if context.period_s is not None else 1
        self._streaks: dict[Role, dict[str, _Streak]] = {}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each object and model; the first ones come when the miss has lasted long enough."""
        if moment.truth is None:
            return []
        threads = self._threads(moment.truth)
        hits: list[Hit] = []
        for role, comparison in moment.comparisons.items():
            missed = self._missed(comparison, moment.truth, moment, threads)
            hits += self._lasting(role, missed, moment)
        return hits

    def _missed(self, comparison: Comparison, truth: Truth, moment: Moment, threads: dict[int, str]) -> list[_Object]:
        """Give the objects without a match that are large and visible enough to be asked for."""
        found = []
        size = moment.ref.width, moment.ref.height
        for row, verdict in enumerate(comparison.truths.tolist()):
            if verdict != Judgement.UNMATCHED or row not in threads:
                continue
            box: Box = tuple(truth.boxes[row].tolist())
            left, top, right, bottom = box
            distance_m, occlusion = float(truth.distance_m[row]), float(truth.occlusion[row])
            # NaN compares false: an unknown occlusion counts as visible.
            if bottom - top < self._limits.min_height_px or right - left < self._limits.min_width_px:
                continue
            if occlusion > self._limits.max_occlusion:
                continue
            cut = is_cut(box, *size)
            border = CUT_WEIGHT if cut else TOUCHING_WEIGHT if touches_border(box, *size) else 1.0
            found.append(
                _Object(
                    row,
                    threads[row],
                    int(truth.classes[row]),
                    self._vocabulary.name(int(truth.classes[row])),
                    int(truth.tracks[row]),
                    box,
                    bottom - top,
                    None if math.isnan(distance_m) else distance_m,
                    None if math.isnan(occlusion) else occlusion,
                    cut,
                    border * (1.0 if math.isnan(occlusion) else 1.0 - occlusion),
                )
            )
        return found

    def _threads(self, truth: Truth) -> dict[int, str]:
        """Name what persists for each judged row: the label's own track, else one of ours."""
        excused = (truth.crowd | truth.ignore).tolist()
        classes, tracks = truth.classes.tolist(), truth.tracks.tolist()
        judged = [row for row, classed in enumerate(classes) if classed in self._vocabulary.judged and not excused[row]]
        threads = {row: f"truth {tracks[row]}" for row in judged if tracks[row] != NO_TRACK}
        nameless = [row for row in judged if row not in threads]
        if self._tracker is None:
            return threads | {row: f"row {row}" for row in nameless}
        numbers = self._tracker.update([tuple(truth.boxes[row].tolist()) for row in nameless])
        return threads | {row: f"object {number}" for row, number in zip(nameless, numbers, strict=True)}

    def _lasting(self, role: Role, missed: list[_Object], moment: Moment) -> list[Hit]:
        """Give hits once a miss has lasted `frames` frames, for the earlier ones too.

        A streak without a miss in this frame is over; a cut truth keeps it, and counts once it has lasted.
        """
        before = self._streaks.get(role, {})
        today: dict[str, _Streak] = {}
        hits: list[Hit] = []
        for labelled in missed:
            streak = today[labelled.thread] = before.get(labelled.thread) or _Streak()
            if labelled.is_cut and streak.frames < self._frames:
                continue
            streak.frames += 1
            streak.waiting.append((labelled, moment))
            if streak.frames >= self._frames:
                first = streak.frames - len(streak.waiting) + 1
                hits += [self._hit(role, one, then, nth) for nth, (one, then) in enumerate(streak.waiting, first)]
                streak.waiting = []
        self._streaks[role] = today
        return hits

    def _hit(self, role: Role, labelled: _Object, moment: Moment, nth: int) -> Hit:
        """Describe the `nth` consecutive frame of a miss."""
        height, distance = moment.ref.height, labelled.distance_m
        score, iou = strongest_near(moment.inferences[role].detections, labelled.box, labelled.classed)
        evidence = {"height_px": labelled.height_px, "best_overlapping_score": score, "best_iou": iou}
        if distance is not None:
            evidence["distance_m"] = distance
        if labelled.occlusion is not None:
            evidence["occlusion"] = labelled.occlusion
        other, found = _other(role, labelled.row, moment)
        if other is not None:
            evidence["other_found"] = float(found is not None)
        who = labelled.label if labelled.track == NO_TRACK else f"{labelled.label} {labelled.track}"
        where = f"at {distance:.1f} m" if distance is not None else f"{labelled.height_px:.0f} px tall"
        why = f"{who} {where} missed by the {role} for {DURATION}: {self._instead(role, labelled, moment, score, iou)}"
        if other is not None:
            why += (
                f"; the {other} found it with score {found:.2f}"
                if found is not None
                else f"; the {other} missed it too"
            )
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=labelled.thread,
            severity=Severity.LOW
            if labelled.is_cut
            else severity_of(labelled.label, labelled.height_px, height, self._criticality, distance),
            weight=closeness(labelled.height_px, height, self._criticality, distance)
            * labelled.visible
            * (1.0 + 0.5 * min(nth, LONGEST) / LONGEST),
            why=why,
            role=role,
            objects=(FoundObject(labelled.label, labelled.box, labelled.track, None, distance),),
            evidence=evidence,
        )

    def _instead(self, role: Role, labelled: _Object, moment: Moment, score: float, iou: float) -> str:
        """Say what the model reported there instead."""
        threshold = self._thresholds[role]
        if score >= threshold and iou >= MATCH_IOU:
            return f"its box with score {score:.2f} went to another object"
        if score >= threshold:
            return f"its box with score {score:.2f} fits by IoU {iou:.2f} only"
        detections = moment.inferences[role].detections
        shown = detections.first(detections.count_above(threshold))
        for (left, top, right, bottom), classed in zip(shown.boxes.tolist(), shown.classes.tolist(), strict=True):
            if overlap(labelled.box, (left, top, right, bottom)) >= MATCH_IOU:
                return f"it reports {self._vocabulary.name(classed)} there"
        if score > FAINT:
            digits = 2 if f"{score:.2f}" != f"{threshold:.2f}" else 3
            return f"its best score there is {score:.{digits}f}, below the threshold of {threshold:.{digits}f}"
        score, other = _other_class(detections, labelled)
        if score > FAINT:
            name = self._vocabulary.name(other)
            return f"it reports no {labelled.label} there above a score of {FAINT}, but a {name} with {score:.2f}"
        return f"it reports nothing there above a score of {FAINT}"


def _other_class(detections: Detections, labelled: _Object) -> tuple[float, int]:
    """Give the best score near an object, at any score and of whatever class, and its class; 0 where there is none."""
    for box, score, classed in zip(
        detections.boxes.tolist(), detections.scores.tolist(), detections.classes.tolist(), strict=True
    ):  # by falling score
        if classed != labelled.classed and overlap(labelled.box, tuple(box)) >= NEAR_IOU:
            return score, classed
    return 0.0, labelled.classed


def _other(role: Role, row: int, moment: Moment) -> tuple[Role | None, float | None]:
    """Name the other model, where it saw the frame, and its score for the truth of this row, where it found it."""
    other = Role.BASELINE if role is Role.CANDIDATE else Role.CANDIDATE
    comparison = moment.comparisons.get(other)
    if comparison is None:
        return None, None
    partners = comparison.partner.tolist()
    if row not in partners:
        return other, None
    return other, float(moment.inferences[other].detections.scores[partners.index(row)])
