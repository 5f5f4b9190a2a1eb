"""Duplicate: a model puts several boxes on one object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from hilgui.cornercases.boxes import Box
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.protocol import RunContext
from hilgui.records import FoundObject, Hit, Inference, Kind, Moment, Role, Severity

_Shown = tuple[Box, int, float]  # box, class, score


class Duplicate:
    """Reports `boxes` or more detections of judged classes of which every two overlap by IoU ≥ `iou`.

    Two are usual: suppression runs within a class, and one object may be both car and truck.
    """

    kind: ClassVar[Kind] = Kind.DUPLICATE
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.duplicate

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each object with too many boxes."""
        return [
            self._hit(role, nth, group, moment)
            for role, inference in moment.inferences.items()
            for nth, group in enumerate(self._groups(role, inference, moment))
        ]

    def _groups(self, role: Role, inference: Inference, moment: Moment) -> list[list[_Shown]]:
        """Gather, from the best score on, what overlaps all that is in a group already."""
        close, least = self._context.following.overlaps(moment, role) >= self._limits.iou, self._limits.boxes
        count = len(close)
        if np.count_nonzero(close) < count + least * (least - 1):  # each with itself; a group adds all its pairs
            return []
        kept = inference.detections.first(count)
        boxes, classes, scores = kept.boxes.tolist(), kept.classes.tolist(), kept.scores.tolist()
        groups: list[list[int]] = []  # rows
        for row in [row for row, classed in enumerate(classes) if classed in self._context.vocabulary.judged]:
            beside = close[row].tolist()
            for group in groups:
                if all(beside[other] for other in group):
                    group.append(row)
                    break
            else:
                groups.append([row])
        return [
            [(tuple(boxes[row]), classes[row], scores[row]) for row in group] for group in groups if len(group) >= least
        ]

    def _hit(self, role: Role, nth: int, group: list[_Shown], moment: Moment) -> Hit:
        names = [self._context.vocabulary.name(classed) for _, classed, _ in group]
        said = ", ".join(f"{name} {score:.2f}" for name, (*_, score) in zip(names, group, strict=True))
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=self._thread(role, nth, group[0][0], moment),
            severity=Severity.LOW,
            weight=float(len(group)) + group[0][2],
            why=f"the {role} puts {len(group)} boxes on one object for {DURATION}: {said}",
            role=role,
            objects=tuple(
                FoundObject(name, box, score=score) for name, (box, _, score) in zip(names, group, strict=True)
            ),
            evidence={"boxes": float(len(group)), "classes": float(len(set(names))), "score": group[0][2]},
        )

    def _thread(self, role: Role, nth: int, box: Box, moment: Moment) -> str:
        """Name the track of the best box; it is one of those that are followed, as it has the best score."""
        if self._context.period_s is None:
            return f"group {nth}"
        present = self._context.following.at(moment).get(role, {})
        number = next((number for number, seen in present.items() if seen.box == box), None)
        return f"group {nth}" if number is None else self._context.grading.thread(moment, role, number)
