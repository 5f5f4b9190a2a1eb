"""The labelled objects that a model may be asked for, worked out once a frame for every detector that asks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hilgui.cornercases.boxes import Box, is_cut, touches_border
from hilgui.cornercases.criticality import Grade
from hilgui.cornercases.grading import Grading
from hilgui.cornercases.threads import Threads
from hilgui.records import NO_TRACK, Moment, Severity, Truth, Vocabulary
from hilgui.settings import CornerCaseLimits

CUT_WEIGHT, TOUCHING_WEIGHT = 0.01, 0.5  # at the border of the picture there is less to see


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled object that is large and visible enough to be asked for."""

    row: int  # in the truth
    thread: str  # what persists: the label's own track, else one of ours
    classed: int
    label: str
    track: int  # the label's own, or NO_TRACK
    box: Box
    height_px: float
    distance_m: float | None  # as labelled
    occlusion: float | None
    is_cut: bool  # by the border of the picture, so that little is left of it
    visible: float  # 0..1, how much the labels and the border leave to be seen
    grade: Grade

    @property
    def severity(self) -> Severity:
        """Say how much losing it matters."""
        return self.grade.severity

    @property
    def is_critical(self) -> bool:
        """Say whether it matters now (see `evaluation.criticality`)."""
        return self.grade.is_critical

    @property
    def name(self) -> str:
        """Give the class with the label's own number, "person 23"."""
        return self.label if self.track == NO_TRACK else f"{self.label} {self.track}"


class Labelling:
    """Follows the labelled objects; moments come in frame order, on one thread."""

    def __init__(self, limits: CornerCaseLimits, vocabulary: Vocabulary, threads: Threads, grading: Grading) -> None:
        self._limits = limits
        self._vocabulary = vocabulary
        self._threads = threads
        self._grading = grading
        self._moment: Moment | None = None
        self._asked: list[Labelled] = []

    def at(self, moment: Moment) -> list[Labelled]:
        """Give the objects of this frame in the order of the labels; none where it has no labels."""
        if moment is not self._moment:
            self._moment = moment
            self._asked = [] if moment.truth is None else self._ask(moment.truth, moment)
        return self._asked

    def _ask(self, truth: Truth, moment: Moment) -> list[Labelled]:
        threads, grades = self._threads.at(moment), self._grading.truths(moment)
        boxes, classes, tracks = truth.boxes.tolist(), truth.classes.tolist(), truth.tracks.tolist()
        distances, occlusions = truth.distance_m.tolist(), truth.occlusion.tolist()
        least, size = self._limits.missed_object, (moment.ref.width, moment.ref.height)
        asked = []
        for row, thread in threads.items():
            box: Box = tuple(boxes[row])
            left, top, right, bottom = box
            occlusion, distance_m = occlusions[row], distances[row]
            # NaN compares false: an unknown occlusion counts as visible.
            if bottom - top < least.min_height_px or right - left < least.min_width_px:
                continue
            if occlusion > least.max_occlusion:
                continue
            cut = is_cut(box, *size)
            border = CUT_WEIGHT if cut else TOUCHING_WEIGHT if touches_border(box, *size) else 1.0
            grade = grades[row]
            if cut and grade.severity is not Severity.LOW:
                grade = grade._replace(severity=Severity.LOW, is_critical=False)
            asked.append(
                Labelled(
                    row,
                    thread,
                    classes[row],
                    self._vocabulary.name(classes[row]),
                    tracks[row],
                    box,
                    bottom - top,
                    None if math.isnan(distance_m) else distance_m,
                    None if math.isnan(occlusion) else occlusion,
                    cut,
                    border * (1.0 if math.isnan(occlusion) else 1.0 - occlusion),
                    grade,
                )
            )
        return asked
