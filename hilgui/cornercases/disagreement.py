"""Disagreement: baseline and candidate see the same frame too differently."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.cornercases.criticality import Grade
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.odd_one import OddOne
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Detections, Disagreement, FoundObject, Hit, Kind, Moment, Role, Severity, Telling

STRONG = 2.0  # times the limit


class ModelDisagreement:
    """Reports frames whose 1 - F1, mean of `smooth` frames, is above `value`, or with a critical object seen by one.

    Critical is as `evaluation.criticality` says, by the calibrated camera or by height and corridor polygon; one model
    alone must see such an object on `smooth` consecutive frames. Frames that the candidate skipped are not looked at;
    neither needs truth. A mean at or below `floor`, or what a model was measured to differ from itself by, is noise.

    Which model is the odd one out is told by what lasts (see `odd_one`).
    """

    kind: ClassVar[Kind] = Kind.DISAGREEMENT
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = True
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        limits = context.limits.disagreement
        self._limit = max(limits.value, limits.floor, context.noise.disagreement)
        self._odd = OddOne(context)
        self._smooth = context.limits.disagreement.smooth if context.period_s is not None else 1
        self._values: deque[float] = deque(maxlen=self._smooth)
        self._alone = dict.fromkeys(Role, 0)  # consecutive frames with a critical object only it sees

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give at most one hit, for the whole frame; none before `smooth` frames were seen."""
        disagreement = moment.disagreement
        if disagreement is None:
            return []
        self._values.append(disagreement.value)
        self._odd.note(moment, disagreement)
        for role in Role:
            self._alone[role] = self._alone[role] + 1 if self._critical(role, disagreement, moment) else 0
        mean = sum(self._values) / self._smooth
        lonely = [role for role in Role if self._alone[role] >= self._smooth]
        if len(self._values) < self._smooth or (mean <= self._limit and not lonely):
            return []
        return [self._hit(moment, disagreement, mean, lonely)]

    def _objects(self, detections: Detections, rows: NDArray[np.int32]) -> list[FoundObject]:
        columns = zip(
            detections.boxes[rows].tolist(),
            detections.classes[rows].tolist(),
            detections.scores[rows].tolist(),
            strict=True,
        )
        name = self._context.vocabulary.name
        return [
            FoundObject(name(classed), (left, top, right, bottom), score=score)
            for (left, top, right, bottom), classed, score in columns
        ]

    def _critical(self, role: Role, disagreement: Disagreement, moment: Moment) -> list[tuple[str, Grade]]:
        """Name the critical objects that one model alone sees."""
        rows = set((disagreement.only_baseline if role is Role.BASELINE else disagreement.only_candidate).tolist())
        if not rows:
            return []
        grades = self._context.grading.shown(moment, role)
        return [
            (self._context.vocabulary.name(sighting.classed), grades[number])
            for number, sighting in self._context.following.at(moment)[role].items()
            if sighting.row in rows and grades[number].is_critical
        ]

    def _hit(self, moment: Moment, disagreement: Disagreement, mean: float, lonely: list[Role]) -> Hit:
        value = disagreement.value
        severity, said = Severity.MEDIUM if mean > STRONG * self._limit else Severity.LOW, ""
        if lonely:
            severity = Severity.HIGH
            critical = self._critical(lonely[0], disagreement, moment)
            label, grade = min(critical, key=lambda each: (each[1].ttc_s, each[1].distance_m or 0.0))
            said = f"; a {label} is seen by the {lonely[0]} alone, {grade.words}"
        odd, odd_why = self._odd.out()
        seen = tuple(moment.inferences[role].detections for role in (Role.BASELINE, Role.CANDIDATE))
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread="",
            severity=severity,
            weight=value + (1.0 if lonely else 0.0) + (0.5 if odd else 0.0),  # a frame that says who is at fault
            suspect_why=odd_why,
            suspect_role=odd,
            telling=partial(self._tell, disagreement, mean, said, odd, odd_why, *seen),
        )

    def _tell(
        self,
        disagreement: Disagreement,
        mean: float,
        said: str,
        odd: Role | None,
        odd_why: str,
        baseline: Detections,
        candidate: Detections,
    ) -> Telling:
        value = disagreement.value
        one = self._objects(baseline, disagreement.only_baseline)
        other = self._objects(candidate, disagreement.only_candidate)
        evidence = {
            "value": value,
            "smoothed": mean,
            "only_baseline": float(len(one)),
            "only_candidate": float(len(other)),
        }
        if odd is not None:
            evidence["candidate_is_odd"] = float(odd is Role.CANDIDATE)
        why = (
            f"the models disagree for {DURATION}: 1 - F1 = {value:.2f} here, {mean:.2f} smoothed; "
            f"seen by the baseline alone: {_listed(one)}; by the candidate alone: {_listed(other)}{said}"
        )
        return Telling(f"{why}; {odd_why}" if odd_why else why, tuple(one + other), evidence)


def _listed(found: list[FoundObject]) -> str:
    """Count objects by class, "2 × person, 1 × car"."""
    labels = [one.label for one in found]
    return ", ".join(f"{labels.count(label)} × {label}" for label in dict.fromkeys(labels)) or "nothing"
