"""Overconfident: a model is wrong and sure of it, once or as a habit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

import numpy as np

from hilgui.cornercases.boxes import Box
from hilgui.cornercases.criticality import closeness
from hilgui.cornercases.doubts import doubt_of_no_label
from hilgui.cornercases.merge import DURATION
from hilgui.cornercases.others import score_of_same
from hilgui.cornercases.protocol import RunContext
from hilgui.records import Comparison, FoundObject, Hit, Judgement, Kind, Moment, Role, Severity, Suspect, Telling

BINS = 10
_MATCHED, _UNMATCHED, _IGNORED = map(int, Judgement)


class Overconfident:
    """Reports a false positive with a score of at least `score`, and a detection calibration error above the limit.

    The calibration error (Küppers et al., "Multivariate Confidence Calibration for Object Detection", CVPRW 2020, over
    the score alone) is the mean over ten bins of |mean score - share of matches|, weighted by the detections of each,
    of all detections above the threshold so far; it is judged from `detections` on.
    """

    kind: ClassVar[Kind] = Kind.OVERCONFIDENT
    needs_time: ClassVar[bool] = False
    needs_candidate: ClassVar[bool] = False
    needs_real_time: ClassVar[bool] = False

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._limits = context.limits.overconfident
        self._calibrations = {role: _Calibration() for role in context.thresholds}

    def look(self, moment: Moment) -> Iterable[Hit]:
        """Give a hit for each sure false positive, and one while the calibration is off."""
        hits: list[Hit] = []
        for role, comparison in moment.comparisons.items():
            scores = moment.inferences[role].detections.scores[: len(comparison.detections)]
            calibration = self._calibrations[role]
            calibration.add(scores.tolist(), comparison.detections.tolist())
            if _UNMATCHED in comparison.detections.tobytes():
                sure = (comparison.detections == _UNMATCHED) & (scores >= np.float32(self._limits.score))
                hits += [self._false(role, row, comparison, moment) for row in np.flatnonzero(sure).tolist()]
            if calibration.count >= self._limits.detections and self._context.period_s is not None:
                error, lean = calibration.error()
                if error > self._limits.calibration_error:
                    hits.append(self._habit(role, calibration.count, error, lean, moment))
        return hits

    def _false(self, role: Role, row: int, comparison: Comparison, moment: Moment) -> Hit:
        detections = moment.inferences[role].detections
        left, top, right, bottom = detections.boxes[row].tolist()
        box: Box = (left, top, right, bottom)
        classed, score = int(detections.classes[row]), float(detections.scores[row])
        limits, height = self._context.limits.criticality, moment.ref.height
        other = score_of_same(role, box, classed, moment, self._context.thresholds)
        doubt = doubt_of_no_label(score, other)
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread=self._thread(role, row, moment),
            severity=min(self._severity(role, row, moment), Severity.MEDIUM),
            weight=score * (1.0 + closeness(bottom - top, height, limits)),
            role=role,
            suspect=Suspect.LABEL if doubt else None,
            suspect_why=doubt,
            telling=partial(self._tell, role, box, classed, score, float(comparison.iou[row])),
        )

    def _tell(self, role: Role, box: Box, classed: int, score: float, iou: float) -> Telling:
        label = self._context.vocabulary.name(classed)
        beside = f"the best label there fits by IoU {iou:.2f}" if iou > 0 else "no label is there"
        return Telling(
            f"the {role} is sure of a {label} with score {score:.2f} for {DURATION}, but {beside}",
            (FoundObject(label, box, score=score),),
            {"score": score, "best_iou": iou, "height_px": box[3] - box[1]},
        )

    def _habit(self, role: Role, count: int, error: float, lean: float, moment: Moment) -> Hit:
        lies = "above" if lean > 0 else "below"
        return Hit(
            kind=self.kind,
            seq=moment.ref.seq,
            thread="calibration",
            severity=Severity.MEDIUM if error > 2 * self._limits.calibration_error else Severity.LOW,
            weight=error,
            why=f"the scores of the {role} lie {abs(lean):.2f} {lies} what they keep, on average: detection "
            f"calibration error {error:.2f} over {count} detections, the limit is {self._limits.calibration_error:g}",
            role=role,
            evidence={"calibration_error": error, "lean": lean, "detections": float(count)},
        )

    def _number(self, role: Role, row: int, moment: Moment) -> int | None:
        """Give the track of a detection; None where a better one on the same object has it."""
        present = self._context.following.at(moment).get(role, {})
        return next((number for number, seen in present.items() if seen.row == row), None)

    def _thread(self, role: Role, row: int, moment: Moment) -> str:
        number = None if self._context.period_s is None else self._number(role, row, moment)
        return f"row {row}" if number is None else f"track {number}"

    def _severity(self, role: Role, row: int, moment: Moment) -> Severity:
        number = self._number(role, row, moment)
        return Severity.LOW if number is None else self._context.grading.shown(moment, role)[number].severity


class _Calibration:
    """Counts detections and matches in bins of score."""

    def __init__(self) -> None:
        self.count = 0
        self._counts = [0] * BINS
        self._scores = [0.0] * BINS
        self._matches = [0] * BINS

    def add(self, scores: list[float], verdicts: list[int]) -> None:
        for score, verdict in zip(scores, verdicts, strict=True):
            if verdict != _IGNORED:
                place = min(int(score * BINS), BINS - 1)
                self.count += 1
                self._counts[place] += 1
                self._scores[place] += score
                self._matches[place] += verdict == _MATCHED

    def error(self) -> tuple[float, float]:
        """Give the calibration error, and by how much scores lie above precision on average."""
        lean = (sum(self._scores) - sum(self._matches)) / self.count
        gaps = (abs(score - matches) for score, matches in zip(self._scores, self._matches, strict=True))
        return sum(gaps) / self.count, lean
