"""Grading: how much every object of a frame matters, worked out once for every detector that asks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable

import numpy as np
from numpy.typing import NDArray

from hilgui.cornercases.criticality import Grade, is_vulnerable, severity_of
from hilgui.cornercases.following import Following, Sighting
from hilgui.cornercases.threads import Threads
from hilgui.evaluation.criticality import Basis, Criticality, CriticalityMeter
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.records import Moment, Role, Truth, Vocabulary
from hilgui.settings import CriticalityLimits


class Grades(dict[int, Grade]):
    """Grades by row of the truth or by track, each worked out when somebody asks for it: most are never."""

    def __init__(self, names: Iterable[int], first: int, grade: Callable[[int], Grade]) -> None:
        """Take the row or track of each place from `first` on, and what gives the grade of a place."""
        super().__init__()
        self._places = dict(zip(names, itertools.count(first)))
        self._grade = grade

    def __missing__(self, name: int) -> Grade:
        """Work it out."""
        grade = self[name] = self._grade(self._places[name])
        return grade


class Grading:
    """Judges labelled objects and those that the models show by one meter, all in one go; frames in order."""

    def __init__(
        self,
        limits: CriticalityLimits,
        vocabulary: Vocabulary,
        camera: CameraGeometry | None,
        threads: Threads,
        following: Following,
    ) -> None:
        self._limits = limits
        self._vulnerable = [is_vulnerable(name, limits) for name in vocabulary.names]
        self._meter = CriticalityMeter(limits, vocabulary, camera)
        self._threads = threads
        self._following = following
        self._moment: Moment | None = None
        self._of_truth: dict[int, Grade] = {}
        self._shown: dict[Role, dict[int, Grade]] = {}
        self._owners: dict[Role, dict[int, str]] = {}  # thread of the label that each track matched last
        self._over: list[tuple[Role, int]] = []  # tracks that the frame before ended

    def truths(self, moment: Moment) -> dict[int, Grade]:
        """Give the grade of each judged row of the truth; none where the frame has no labels."""
        self._turn(moment)
        return self._of_truth

    def shown(self, moment: Moment, role: Role) -> dict[int, Grade]:
        """Give the grade of each object that a model shows, by its track."""
        self._turn(moment)
        return self._shown.get(role, {})

    def thread(self, moment: Moment, role: Role, number: int) -> str:
        """Name what persists of an object that a model shows: the label that its track matched last, else the track.

        So an object whose track breaks stays one object.
        """
        self._turn(moment)
        return self._owners.get(role, {}).get(number) or f"track {number}"

    def _turn(self, moment: Moment) -> None:
        if moment is not self._moment:
            self._moment = moment
            self._work_out(moment)

    def _work_out(self, moment: Moment) -> None:
        threads, seen = self._threads.at(moment), self._following.at(moment)
        truth, rows = moment.truth or Truth.none(), list(threads)
        names: list[Hashable] = list(threads.values())
        boxes: list[NDArray[np.floating]] = [truth.boxes[rows]]
        classes = [truth.classes[rows]]
        for role, sightings in seen.items():
            whose = role.value
            names += [(whose, number) for number in sightings]
            places = np.array([sighting.row for sighting in sightings.values()], np.int64)
            shown = moment.inferences[role].detections
            boxes.append(shown.boxes.take(places, axis=0))
            classes.append(shown.classes.take(places))
        labelled_m = np.full(len(names), np.nan)
        labelled_m[: len(rows)] = truth.distance_m[rows]
        together, classed = np.concatenate(boxes), np.concatenate(classes)
        known = self._meter.judge(moment.ref, together, classed, names, labelled_m)
        grade = self._grade_of(together, classed, known, moment)
        self._of_truth = Grades(rows, 0, grade)
        self._own(moment, threads, seen)
        place, self._shown = len(rows), {}
        for role, sightings in seen.items():
            self._shown[role] = Grades(sightings, place, grade)
            place += len(sightings)

    def _own(self, moment: Moment, threads: dict[int, str], seen: dict[Role, dict[int, Sighting]]) -> None:
        for role, number in self._over:
            self._owners[role].pop(number, None)
        self._over = []
        for role in seen:
            owners = self._owners.setdefault(role, {})
            self._over += [(role, number) for number in self._following.ended(role)]
            for number, row in self._following.matched(moment, role).items():
                if row in threads:
                    owners[number] = threads[row]

    def _grade_of(
        self, boxes: NDArray[np.float64], classes: NDArray[np.int32], known: Criticality, moment: Moment
    ) -> Callable[[int], Grade]:
        def grade(place: int) -> Grade:
            box, distance = boxes[place].tolist(), known.distance_m.item(place)
            distance_m = distance if distance == distance else None
            is_critical, in_corridor = known.critical.item(place), known.in_corridor.item(place)
            severity = severity_of(
                box[3] - box[1],
                moment.ref.height,
                self._limits,
                distance_m,
                is_vulnerable=self._vulnerable[classes[place]],
                is_critical=is_critical,
                in_corridor=in_corridor,
            )
            ttc_s, needed = known.ttc_s.item(place), known.deceleration_mps2.item(place)
            return Grade(severity, is_critical, in_corridor, distance_m, ttc_s, needed, _BASES[known.basis[place]])

        return grade


_BASES = tuple(Basis)
