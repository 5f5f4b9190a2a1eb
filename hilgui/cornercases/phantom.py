"""Phantom: a model reports an object for several frames where the labels have nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, NamedTuple

import numpy as np

from hilgui.cornercases.boxes import Box
from hilgui.cornercases.criticality import Grade, closeness
from hilgui.cornercases.doubts import doubt_of_no_label
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.others import other_of, score_of_same
from hilgui.cornercases.protocol import RunContext
from hilgui.evaluation.criticality import Basis
from hilgui.records import Comparison, FoundObject, Hit, Judgement, Kind, Moment, Role, Severity, Suspect, Telling

_UNMATCHED = int(Judgement.UNMATCHED)  # numpy takes five times as long to compare with the member of an enumeration


class _Ghost(NamedTuple):
    """One detection without truth."""

    number: int  # of its track
    box: Box
    classed: int
    score: float
    iou: float  # best with anything labelled
    grade: Grade
    other: float | None  # score of the other model for the same
    doubt: str  # why the labels are doubted, "" where they are not


@dataclass(slots=True)
class _Streak:
    frames: int = 0
    waiting: list[Hit] = field(default_factory=list)


class Phantom:
    """Reports a detection with at least `score` that overlaps no truth and no ignore region for `frames` frames.

    In a drive it must stand in the corridor of the vehicle, by calibration or by a polygon in the picture, unless both
    models are sure of it (then the labels are the suspect) or `corridor` is off; unordered pictures have no vehicle. A
    frame without labels, or that the model skipped, pauses it. Labels have holes: where the other model reports the
    same object, `why` says so.
    """

    kind: ClassVar[Kind] = Kind.PHANTOM
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.phantom
        self._ordered = context.period_s is not None
        self._asks_corridor = self._limits.corridor and self._ordered
        self._frames = self._limits.frames if self._ordered else 1
        self._streaks: dict[Role, dict[int, _Streak]] = {}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each phantom and model; the first ones come when it has lasted long enough."""
        if moment.truth is None:
            return []
        hits: list[Hit] = []
        for role, comparison in moment.comparisons.items():
            hits += self._lasting(role, self._ghosts(role, comparison, moment), moment)
        return hits

    def _ghosts(self, role: Role, comparison: Comparison, moment: Moment) -> list[_Ghost]:
        if _UNMATCHED not in comparison.detections.tobytes():
            return []
        scores = moment.inferences[role].detections.scores[: len(comparison.detections)]
        mask = (
            (comparison.detections == _UNMATCHED)
            & (comparison.iou < self._limits.iou)
            & (scores >= np.float32(self._limits.score))
        )
        if not mask.any():
            return []
        rows, overlaps = set(np.flatnonzero(mask).tolist()), comparison.iou.tolist()
        grades = self._context.grading.shown(moment, role)
        ghosts = []
        for number, seen in self._context.following.at(moment)[role].items():
            if seen.row not in rows:
                continue
            other = score_of_same(role, seen.box, seen.classed, moment, self._context.thresholds)
            doubt = doubt_of_no_label(seen.score, other)
            if grades[number].in_corridor or doubt or not self._asks_corridor:
                iou, grade = overlaps[seen.row], grades[number]
                ghosts.append(_Ghost(number, seen.box, seen.classed, seen.score, iou, grade, other, doubt))
        return ghosts

    def _lasting(self, role: Role, ghosts: list[_Ghost], moment: Moment) -> list[Hit]:
        """Hold hits back until their phantom has lasted `frames` frames; one that is not seen today is over."""
        before = self._streaks.get(role, {}) if self._ordered else {}
        today: dict[int, _Streak] = {}
        ready: list[Hit] = []
        for ghost in ghosts:
            streak = today[ghost.number] = before.get(ghost.number) or _Streak()
            streak.frames += 1
            streak.waiting.append(self._hit(role, ghost, moment))
            if streak.frames >= self._frames:
                ready += streak.waiting
                streak.waiting = []
        self._streaks[role] = today
        return ready

    def _hit(self, role: Role, ghost: _Ghost, moment: Moment) -> Hit:
        height_px, is_guess = ghost.box[3] - ghost.box[1], ghost.grade.basis is Basis.HEIGHT
        shifted, doubt = self._context.shifts.explain(role, ""), ghost.doubt
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=f"track {ghost.number}",
            # Where nobody knows how far away it stands, nobody knows whether the vehicle would brake.
            severity=min(ghost.grade.severity, Severity.MEDIUM) if is_guess else ghost.grade.severity,
            weight=ghost.score * (1.0 + closeness(height_px, moment.ref.height, self._context.limits.criticality)),
            role=role,
            suspect=Suspect.TIMING if shifted else Suspect.LABEL if doubt else None,
            suspect_why=shifted or doubt,
            telling=partial(self._tell, role, ghost, other_of(role) in moment.inferences),
        )

    def _tell(self, role: Role, ghost: _Ghost, other_saw: bool) -> Telling:
        label, height_px = self._context.vocabulary.name(ghost.classed), ghost.box[3] - ghost.box[1]
        evidence = {"score": ghost.score, "best_iou": ghost.iou, "height_px": height_px}
        evidence |= ghost.grade.evidence
        why = (
            f"{label} with score {ghost.score:.2f} reported by the {role} for {DURATION} where the labels have nothing"
        )
        other, score = other_of(role), ghost.other
        if other_saw:
            evidence["other_reports"] = float(score is not None)
            if score is None:
                why += f"; the {other} reports no {label} there"
            else:
                why += f"; the {other} reports it too with score {score:.2f}: perhaps an object without label"
        if ghost.grade.is_critical and ghost.grade.basis is not Basis.HEIGHT:
            why += f"; {ghost.grade.words}"
        return Telling(
            why, (FoundObject(label, ghost.box, ghost.number if self._ordered else -1, ghost.score),), evidence
        )
