"""Phantom: a model reports an object for several frames where the labels have nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from hilgui.cornercases.boxes import Box
from hilgui.cornercases.criticality import closeness, severity_of
from hilgui.cornercases.doubts import doubt_of_no_label
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.others import other_of, score_of_same
from hilgui.cornercases.protocol import RunContext
from hilgui.evaluation.tracker import Tracker
from hilgui.records import Comparison, FoundObject, Hit, Judgement, Kind, Moment, Role, Severity, Suspect


@dataclass(frozen=True, slots=True)
class _Ghost:
    """One detection without truth."""

    box: Box
    classed: int
    score: float
    iou: float  # best with anything labelled


@dataclass(slots=True)
class _Streak:
    frames: int = 0
    waiting: list[Hit] = field(default_factory=list)


class Phantom:
    """Reports a detection with at least `score` that overlaps no truth and no ignore region for `frames` frames.

    The corridor of the vehicle is not looked at: recordings carry no calibration yet. A frame without labels, or that
    the model skipped, pauses it. Labels have holes: where the other model reports the same object, `why` says so.
    """

    kind: ClassVar[Kind] = Kind.PHANTOM
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.phantom
        self._ordered = context.period_s is not None
        self._frames = self._limits.frames if self._ordered else 1
        self._trackers = {role: Tracker(keep=context.limits.merge_gap) for role in context.thresholds}
        self._streaks: dict[Role, dict[int, _Streak]] = {}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each phantom and model; the first ones come when it has lasted long enough."""
        if moment.truth is None:
            return []
        hits: list[Hit] = []
        for role, comparison in moment.comparisons.items():
            ghosts = self._ghosts(role, comparison, moment)
            boxes = [ghost.box for ghost in ghosts]
            numbers = self._trackers[role].update(boxes) if self._ordered else list(range(len(boxes)))
            hits += self._lasting(role, ghosts, numbers, moment)
        return hits

    def _ghosts(self, role: Role, comparison: Comparison, moment: Moment) -> list[_Ghost]:
        detections = moment.inferences[role].detections
        count = len(comparison.detections)
        mask = (
            (comparison.detections == Judgement.UNMATCHED)
            & (comparison.iou < self._limits.iou)
            & (detections.scores[:count] >= np.float32(self._limits.score))
        )
        ghosts = []
        for row in np.flatnonzero(mask).tolist():
            left, top, right, bottom = detections.boxes[row].tolist()
            score, iou = float(detections.scores[row]), float(comparison.iou[row])
            ghosts.append(_Ghost((left, top, right, bottom), int(detections.classes[row]), score, iou))
        return ghosts

    def _lasting(self, role: Role, ghosts: list[_Ghost], numbers: list[int], moment: Moment) -> list[Hit]:
        """Hold hits back until their phantom has lasted `frames` frames; one that is not seen today is over."""
        before = self._streaks.get(role, {}) if self._ordered else {}
        today: dict[int, _Streak] = {}
        ready: list[Hit] = []
        for ghost, number in zip(ghosts, numbers, strict=True):
            streak = today[number] = before.get(number) or _Streak()
            streak.frames += 1
            streak.waiting.append(self._hit(role, ghost, number, moment))
            if streak.frames >= self._frames:
                ready += streak.waiting
                streak.waiting = []
        self._streaks[role] = today
        return ready

    def _hit(self, role: Role, ghost: _Ghost, number: int, moment: Moment) -> Hit:
        label = self._context.vocabulary.name(ghost.classed)
        height_px, height = ghost.box[3] - ghost.box[1], moment.ref.height
        criticality = self._context.limits.criticality
        evidence = {"score": ghost.score, "best_iou": ghost.iou, "height_px": height_px}
        why = (
            f"{label} with score {ghost.score:.2f} reported by the {role} for {DURATION} where the labels have nothing"
        )
        other, doubt = other_of(role), ""
        if other in moment.inferences:
            score = score_of_same(role, ghost.box, ghost.classed, moment, self._context.thresholds)
            doubt = doubt_of_no_label(ghost.score, score)
            evidence["other_reports"] = float(score is not None)
            if score is None:
                why += f"; the {other} reports no {label} there"
            else:
                why += f"; the {other} reports it too with score {score:.2f}: perhaps an object without label"
        shifted = self._context.shifts.explain(role, "")
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=f"track {number}",
            # Without a corridor nobody knows whether it stands in the way.
            severity=min(severity_of(label, height_px, height, criticality), Severity.MEDIUM),
            weight=ghost.score * (1.0 + closeness(height_px, height, criticality)),
            why=why,
            role=role,
            objects=(FoundObject(label, ghost.box, number if self._ordered else -1, ghost.score),),
            evidence=evidence,
            suspect=Suspect.TIMING if shifted else Suspect.LABEL if doubt else None,
            suspect_why=shifted or doubt,
        )
