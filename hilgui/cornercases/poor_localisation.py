"""Poor localisation: a critical object is seen, but its box fits badly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from hilgui.cornercases.boxes import Box, overlap
from hilgui.cornercases.doubts import doubt_of_label
from hilgui.cornercases.labelled import Labelled
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Detections, FoundObject, Hit, Kind, Moment, Role, Severity, Suspect, Telling

MATCH_IOU = 0.5


@dataclass(slots=True)
class _Streak:
    frames: int = 0
    waiting: list[Hit] = field(default_factory=list)


class PoorLocalisation:
    """Reports a critical object without match whose best box of its class has an IoU from `least_iou` to .5.

    It must stay so for `frames` frames in a row. The box that fits badly may also be of a neighbour: the evidence has
    its IoU. It counts as a miss too.
    """

    kind: ClassVar[Kind] = Kind.POOR_LOCALISATION
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.poor_localisation
        self._frames = self._limits.frames if context.period_s is not None else 1
        self._streaks: dict[Role, dict[str, _Streak]] = {}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each critical object with a bad box; the first ones come when it has lasted long enough."""
        if moment.truth is None:
            return []
        hits: list[Hit] = []
        for role in moment.comparisons:
            before, today = self._streaks.get(role, {}), {}
            for one in self._context.labelling.missed(moment, role):
                if not one.is_critical:
                    continue
                iou, box, score = _best_fit(moment.inferences[role].detections, one, self._context.thresholds[role])
                if not self._limits.least_iou <= iou < MATCH_IOU:
                    continue
                streak = today[one.thread] = before.get(one.thread) or _Streak()
                streak.frames += 1
                streak.waiting.append(self._hit(role, one, iou, box, score, moment))
                if streak.frames >= self._frames:
                    hits += streak.waiting
                    streak.waiting = []
            self._streaks[role] = today
        return hits

    def _hit(self, role: Role, one: Labelled, iou: float, box: Box, score: float, moment: Moment) -> Hit:
        shifted = self._context.shifts.explain(role, one.thread)
        doubt = "" if shifted else doubt_of_label(moment, one, self._context)
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=one.thread,
            severity=Severity.MEDIUM,  # it is seen; that it counts as missed is another finding
            weight=(1.0 - iou) * one.visible,
            role=role,
            suspect=Suspect.TIMING if shifted else Suspect.LABEL if doubt else None,
            suspect_why=shifted or doubt,
            telling=partial(_told, role, one, iou, box, score),
        )


def _told(role: Role, one: Labelled, iou: float, box: Box, score: float) -> Telling:
    where = f"at {one.distance_m:.1f} m" if one.distance_m is not None else f"{one.height_px:.0f} px tall"
    return Telling(
        f"the box of the {role} fits {one.name} {where} badly for {DURATION}: IoU {iou:.2f}, {_how(one.box, box)}",
        (FoundObject(one.label, box, one.track, score, one.distance_m),),
        {"iou": iou, "score": score, "height_px": one.height_px, **_errors(one.box, box), **one.grade.evidence},
    )


def _best_fit(detections: Detections, one: Labelled, threshold: float) -> tuple[float, Box, float]:
    shown = detections.first(detections.count_above(threshold))
    best: tuple[float, Box, float] = (0.0, one.box, 0.0)
    for (left, top, right, bottom), classed, score in zip(
        shown.boxes.tolist(), shown.classes.tolist(), shown.scores.tolist(), strict=True
    ):
        box = (left, top, right, bottom)
        if classed == one.classed and (iou := overlap(one.box, box)) > best[0]:
            best = iou, box, score
    return best


def _errors(label: Box, box: Box) -> dict[str, float]:
    wide, high = label[2] - label[0], label[3] - label[1]
    return {
        "error_x": (box[0] + box[2] - label[0] - label[2]) / (2 * wide),
        "error_y": (box[1] + box[3] - label[1] - label[3]) / (2 * high),
        "width_ratio": (box[2] - box[0]) / wide,
        "height_ratio": (box[3] - box[1]) / high,
    }


def _how(label: Box, box: Box) -> str:
    errors = _errors(label, box)
    return (
        f"{errors['width_ratio']:.1f} × as wide, {errors['height_ratio']:.1f} × as high, "
        f"{abs(errors['error_x']):.0%} of its width beside"
    )
