"""Grading: how much every object of a frame matters, worked out once for every detector that asks."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from hilgui.cornercases.criticality import Grade, is_vulnerable, severity_of
from hilgui.cornercases.following import Following, Sighting
from hilgui.cornercases.threads import Threads
from hilgui.evaluation.criticality import Basis, Criticality, CriticalityMeter
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.records import Moment, Role, Vocabulary
from hilgui.settings import CriticalityLimits


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
        if moment is self._moment:
            return
        self._moment = moment
        threads, seen = self._threads.at(moment), self._following.at(moment)
        names: list[Hashable] = [(None, thread) for thread in threads.values()]
        boxes, classes, distances = [], [], []
        if moment.truth is not None:
            rows = list(threads)
            boxes += moment.truth.boxes[rows].tolist()
            classes += moment.truth.classes[rows].tolist()
            distances += moment.truth.distance_m[rows].tolist()
        for role, sightings in seen.items():
            names += [(role, number) for number in sightings]
            boxes += [sighting.box for sighting in sightings.values()]
            classes += [sighting.classed for sighting in sightings.values()]
        distances += [np.nan] * (len(boxes) - len(distances))
        known = self._meter.judge(
            moment.ref, np.array(boxes, np.float64), np.array(classes, np.int32), names, np.array(distances)
        )
        grades = self._grades(boxes, classes, known, moment.ref.height)
        self._of_truth = dict(zip(threads, grades, strict=False))
        self._own(moment, threads, seen)
        place, self._shown = len(threads), {}
        for role, sightings in seen.items():
            self._shown[role] = dict(zip(sightings, grades[place:], strict=False))
            place += len(sightings)

    def _own(self, moment: Moment, threads: dict[int, str], seen: dict[Role, dict[int, Sighting]]) -> None:
        for role, number in self._over:
            self._owners[role].pop(number, None)
        self._over = []
        for role, sightings in seen.items():
            owners = self._owners.setdefault(role, {})
            self._over += [(role, number) for number in self._following.ended(role)]
            comparison = moment.comparisons.get(role)
            if comparison is None:
                continue
            partners = comparison.partner.tolist()
            for number, sighting in sightings.items():
                thread = threads.get(partners[sighting.row]) if sighting.row < len(partners) else None
                if thread is not None:
                    owners[number] = thread

    def _grades(self, boxes: list[list[float]], classes: list[int], known: Criticality, height: int) -> list[Grade]:
        grades = []
        columns = zip(
            boxes,
            classes,
            known.distance_m.tolist(),
            known.ttc_s.tolist(),
            known.deceleration_mps2.tolist(),
            known.in_corridor.tolist(),
            known.critical.tolist(),
            known.basis.tolist(),
            strict=True,
        )
        for box, classed, distance, ttc_s, needed, in_corridor, is_critical, basis in columns:
            distance_m = distance if distance == distance else None
            severity = severity_of(
                box[3] - box[1],
                height,
                self._limits,
                distance_m,
                is_vulnerable=self._vulnerable[classed],
                is_critical=is_critical,
                in_corridor=in_corridor,
            )
            grades.append(Grade(severity, is_critical, in_corridor, distance_m, ttc_s, needed, _BASES[basis]))
        return grades


_BASES = tuple(Basis)
