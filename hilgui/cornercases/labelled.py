"""The labelled objects that a model may be asked for, worked out once a frame for every detector that asks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hilgui.cornercases.boxes import Box, is_cut, touches_border
from hilgui.cornercases.criticality import Grade
from hilgui.cornercases.grading import Grading
from hilgui.cornercases.threads import Threads
from hilgui.records import NO_TRACK, Judgement, Moment, Role, Severity, Truth, Vocabulary
from hilgui.settings import CornerCaseLimits

_UNMATCHED = int(Judgement.UNMATCHED)
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


class Asked:
    """The objects that one frame asks for, in the order of the labels; each is described when somebody looks at it."""

    def __init__(self, describe: Callable[[int, str, bool], Labelled] | None = None) -> None:
        """Take what describes an object by row, thread and whether it is cut."""
        self.rows: list[int] = []  # of the truth
        self.threads: list[str] = []
        self.cut: list[bool] = []
        self._describe = describe
        self._described: dict[int, Labelled] = {}

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.rows)

    def __getitem__(self, place: int) -> Labelled:
        """Describe one object; raises IndexError behind the last."""
        one = self._described.get(place)
        if one is None:
            assert self._describe is not None
            one = self._describe(self.rows[place], self.threads[place], self.cut[place])
            self._described[place] = one
        return one


class Labelling:
    """Follows the labelled objects; moments come in frame order, on one thread."""

    def __init__(self, limits: CornerCaseLimits, vocabulary: Vocabulary, threads: Threads, grading: Grading) -> None:
        self._limits = limits
        self._vocabulary = vocabulary
        self._threads = threads
        self._grading = grading
        self._moment: Moment | None = None
        self._asked = Asked()
        self._missed: dict[Role, list[Labelled]] = {}

    def at(self, moment: Moment) -> Asked:
        """Give the objects of this frame in the order of the labels; none where it has no labels."""
        if moment is not self._moment:
            self._moment, self._missed = moment, {}
            self._asked = Asked() if moment.truth is None else self._ask(moment.truth, moment)
        return self._asked

    def missed(self, moment: Moment, role: Role) -> list[Labelled]:
        """Give those that a model does not match."""
        asked = self.at(moment)
        if role not in self._missed:
            verdicts = moment.comparisons[role].truths.tolist()
            self._missed[role] = [asked[place] for place, row in enumerate(asked.rows) if verdicts[row] == _UNMATCHED]
        return self._missed[role]

    def _ask(self, truth: Truth, moment: Moment) -> Asked:
        asked = Asked(partial(self._describe, truth, moment, self._grading.truths(moment)))
        boxes, occlusions = truth.boxes.tolist(), truth.occlusion.tolist()
        least, width, height = self._limits.missed_object, moment.ref.width, moment.ref.height
        for row, thread in self._threads.at(moment).items():
            left, top, right, bottom = box = boxes[row]
            if bottom - top < least.min_height_px or right - left < least.min_width_px:
                continue
            if occlusions[row] > least.max_occlusion:  # NaN compares false: an unknown occlusion counts as visible
                continue
            asked.rows.append(row)
            asked.threads.append(thread)
            asked.cut.append(touches_border(box, width, height) and is_cut(box, width, height))
        return asked

    def _describe(
        self, truth: Truth, moment: Moment, grades: dict[int, Grade], row: int, thread: str, is_cut: bool
    ) -> Labelled:
        left, top, right, bottom = truth.boxes[row].tolist()
        box: Box = (left, top, right, bottom)
        distance_m, occlusion = truth.distance_m.item(row), truth.occlusion.item(row)
        touches = touches_border(box, moment.ref.width, moment.ref.height)
        border = CUT_WEIGHT if is_cut else TOUCHING_WEIGHT if touches else 1.0
        grade, classed = grades[row], truth.classes.item(row)
        if is_cut and grade.severity is not Severity.LOW:
            grade = grade._replace(severity=Severity.LOW, is_critical=False)
        return Labelled(
            row,
            thread,
            classed,
            self._vocabulary.name(classed),
            truth.tracks.item(row),
            box,
            bottom - top,
            None if math.isnan(distance_m) else distance_m,
            None if math.isnan(occlusion) else occlusion,
            is_cut,
            border * (1.0 if math.isnan(occlusion) else 1.0 - occlusion),
            grade,
        )
