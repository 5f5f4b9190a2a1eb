"""Missing: what missed objects and missed critical ones have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from hilgui.cornercases.boxes import NEAR_IOU, overlap, strongest_near
from hilgui.cornercases.criticality import closeness
from hilgui.cornercases.doubts import doubt_of_label
from hilgui.cornercases.labelled import Labelled
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.others import other_of
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Comparison, Detections, FoundObject, Hit, Kind, Moment, Role, Suspect, Telling

MATCH_IOU = 0.5
FAINT = 0.01  # a lower score says nothing
LONGEST = 30  # frames after which a miss does not grow worse by lasting


@dataclass(slots=True)
class _Streak:
    """Consecutive frames in which one model misses one object; its frames wait until there are enough."""

    frames: int = 0
    waiting: list[tuple[Labelled, Moment]] = field(default_factory=list)


class Missing:
    """Follows misses and gives hits for the frames on which the object is critical, or for those on which it is not.

    A frame without labels, or that the model skipped, pauses a miss: it neither counts nor ends it. A truth of which
    the border of the picture leaves little (it enters or leaves) continues a miss, but starts none.
    """

    kind: ClassVar[Kind]
    wants_critical: ClassVar[bool]
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._criticality = context.limits.criticality
        self._vocabulary = context.vocabulary
        self._thresholds = context.thresholds
        self._frames = context.limits.missed_object.frames if context.period_s is not None else 1
        self._streaks: dict[Role, dict[str, _Streak]] = {}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each object and model; the first ones come when the miss has lasted long enough."""
        if moment.truth is None:
            return []
        hits: list[Hit] = []
        for role in moment.comparisons:
            hits += self._lasting(role, self._context.labelling.missed(moment, role), moment)
        return hits

    def _lasting(self, role: Role, missed: list[Labelled], moment: Moment) -> list[Hit]:
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
                hits += [
                    self._hit(role, one, then, nth)
                    for nth, (one, then) in enumerate(streak.waiting, first)
                    if one.is_critical is self.wants_critical
                ]
                streak.waiting = []
        self._streaks[role] = today
        return hits

    def _hit(self, role: Role, labelled: Labelled, moment: Moment, nth: int) -> Hit:
        """Take the `nth` consecutive frame of a miss."""
        suspect, suspect_why = self._suspect(role, labelled, moment)
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=labelled.thread,
            severity=labelled.severity,
            weight=closeness(labelled.height_px, moment.ref.height, self._criticality, labelled.distance_m)
            * labelled.visible
            * (1.0 + 0.5 * min(nth, LONGEST) / LONGEST),
            role=role,
            suspect=suspect,
            suspect_why=suspect_why,
            telling=partial(self._tell, role, labelled, moment.inferences[role].detections, *_other(role, moment)),
        )

    def _tell(
        self,
        role: Role,
        labelled: Labelled,
        detections: Detections,
        other: Role | None,
        others: Comparison | None,
        other_detections: Detections | None,
    ) -> Telling:
        """Describe a frame of a miss."""
        distance = labelled.distance_m
        score, iou = strongest_near(detections, labelled.box, labelled.classed)
        evidence = {"height_px": labelled.height_px, "best_overlapping_score": score, "best_iou": iou}
        evidence |= labelled.grade.evidence
        if labelled.occlusion is not None:
            evidence["occlusion"] = labelled.occlusion
        found = _found(labelled.row, others, other_detections)
        if other is not None:
            evidence["other_found"] = float(found is not None)
        where = f"at {distance:.1f} m" if distance is not None else f"{labelled.height_px:.0f} px tall"
        instead = self._instead(role, labelled, detections, score, iou)
        why = f"{labelled.name} {where} missed by the {role} for {DURATION}: {instead}"
        if other is not None:
            why += (
                f"; the {other} found it with score {found:.2f}"
                if found is not None
                else f"; the {other} missed it too"
            )
        if labelled.is_critical:
            why += f"; {labelled.grade.words}"
        return Telling(why, (FoundObject(labelled.label, labelled.box, labelled.track, None, distance),), evidence)

    def _suspect(self, role: Role, labelled: Labelled, moment: Moment) -> tuple[Suspect | None, str]:
        """Name the times or the label where they explain the miss."""
        shifted = self._context.shifts.explain(role, labelled.thread)
        if shifted:
            return Suspect.TIMING, shifted
        doubt = doubt_of_label(moment, labelled, self._context)
        return (Suspect.LABEL, doubt) if doubt else (None, "")

    def _instead(self, role: Role, labelled: Labelled, detections: Detections, score: float, iou: float) -> str:
        """Say what the model reported there instead."""
        threshold = self._thresholds[role]
        if score >= threshold and iou >= MATCH_IOU:
            return f"its box with score {score:.2f} went to another object"
        if score >= threshold:
            return f"its box with score {score:.2f} fits by IoU {iou:.2f} only"
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


def _other_class(detections: Detections, labelled: Labelled) -> tuple[float, int]:
    """Give the best score near an object, at any score and of whatever class, and its class; 0 where there is none."""
    for box, score, classed in zip(
        detections.boxes.tolist(), detections.scores.tolist(), detections.classes.tolist(), strict=True
    ):  # by falling score
        if classed != labelled.classed and overlap(labelled.box, tuple(box)) >= NEAR_IOU:
            return score, classed
    return 0.0, labelled.classed


def _other(role: Role, moment: Moment) -> tuple[Role | None, Comparison | None, Detections | None]:
    """Name the other model, where it saw the frame, with what it showed there."""
    other = other_of(role)
    comparison = moment.comparisons.get(other)
    return (None, None, None) if comparison is None else (other, comparison, moment.inferences[other].detections)


def _found(row: int, comparison: Comparison | None, detections: Detections | None) -> float | None:
    """Give the score with which a model found the truth of this row, None where it did not."""
    if comparison is None or detections is None:
        return None
    partners = comparison.partner.tolist()
    return float(detections.scores[partners.index(row)]) if row in partners else None
