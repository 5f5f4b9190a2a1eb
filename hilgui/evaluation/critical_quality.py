"""Critical quality of one model: how much of what matters now it sees, how soon, and what it invents in the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.criticality import Basis, Criticality, CriticalityMeter
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.tracker import Tracker
from hilgui.records import NO_TRACK, FrameRef, Judgement, Moment
from hilgui.settings import CriticalityLimits

MISSED_FRAMES = 3  # consecutive critical frames without a match make a missed object
PHANTOM_IOU = 0.1
PHANTOM_FRAMES = 3
LEAST_SECONDS = 10.0  # judged; a rate over less says nothing
LONGEST_STEP = 3  # frames between two judged ones; beyond, the labels pause, and that is no driven time
_KEEP = 5


@dataclass(slots=True)
class _Object:
    """One labelled object that was critical at least once."""

    name: str
    since_s: float  # when it first was critical
    first_match_s: float = math.nan
    last_match_s: float = math.nan  # within an unbroken critical spell
    longest_gap_s: float = 0.0
    run: int = 0  # critical frames in a row without a match
    longest_run: int = 0


@dataclass(slots=True)
class _Drive:
    objects: dict[object, _Object] = field(default_factory=dict)
    phantoms: dict[int, int] = field(default_factory=dict)  # frames in a row, by track
    followed: Tracker = field(default_factory=lambda: Tracker(_KEEP))
    ghosts: Tracker = field(default_factory=lambda: Tracker(0))
    last_s: float = math.nan
    last_seq: int = 0


class CriticalQuality:
    """Accumulates the critical objects of one model; see `Accumulator`.

    A critical object counts as missed when it stays without a match for three critical frames in a row (one, in an
    unordered set). Times to the first detection are those of the objects that were found at all; how many never were
    stands beside them. A gap runs from the last match to the frame before the next one, as long as the object stays
    critical. Phantoms are detections at the operating point in the corridor that reach IoU .1 with nothing
    labelled, and last three frames.
    """

    def __init__(self, subject: Subject, limits: CriticalityLimits | None = None) -> None:
        self._subject = subject
        self._limits = limits or CriticalityLimits()
        self._camera: CameraGeometry | None = None
        self._matched = self._critical = 0
        self._bases = np.zeros(len(Basis), np.int64)
        self._per_class: dict[str, list[int]] = {}  # matched, critical
        self._seconds = 0.0
        self._phantoms = 0
        self._frames = 0
        self._closed: list[_Object] = []
        self._needed = MISSED_FRAMES
        self._begin()

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self._closed += self._drive.objects.values()
        self._begin()

    def look_through(self, camera: CameraGeometry | None) -> None:
        """Say how the camera of the drive that begins is mounted; None: nobody knows."""
        self._camera = camera
        self._begin()

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        comparison = moment.comparisons.get(self._subject.role)
        found = self._meter.truths(moment)
        shown = self._meter.detections(moment, self._subject.role, self._subject.threshold)
        if comparison is None or found is None or shown is None or moment.truth is None:
            return
        self._frames += 1
        self._pass_time(moment.ref)
        counted = (comparison.truths != Judgement.IGNORED) & is_judged(
            moment.truth.classes, self._subject.vocabulary.judged
        )
        self._count(moment, found, counted)
        self._invented(moment, shown)

    def figures(self) -> dict[str, Figure]:
        """Read `critical_recall`, `missed_critical`, `time_to_first_detection_s`, `longest_gap_s` and their kin."""
        if not self._frames:
            return {}
        objects = [*self._closed, *self._drive.objects.values()]
        missed = sum(each.longest_run >= self._needed for each in objects)
        waits = [each.first_match_s - each.since_s for each in objects if not math.isnan(each.first_match_s)]
        hours = self._seconds / 3600 if self._seconds >= LEAST_SECONDS else 0.0
        count = len(objects)
        figures = {
            "critical_recall": _share(self._matched, self._critical),
            "missed_critical": Figure(missed, count, "critical objects", "lower"),
            "missed_critical_per_hour": Figure(
                missed / hours if hours else None, round(self._seconds), "judged seconds", "lower"
            ),
            "never_detected_critical": Figure(count - len(waits), count, "critical objects", "lower"),
            "phantoms_per_minute": Figure(
                self._phantoms / (60 * hours) if hours else None,
                round(self._seconds),
                "judged seconds",
                "lower",
            ),
        }
        if self._seconds:
            gaps = [each.longest_gap_s for each in objects if not math.isnan(each.first_match_s)]
            figures["time_to_first_detection_s"] = Figure(_mean(waits), len(waits), "critical objects", "lower")
            figures["latest_first_detection_s"] = Figure(
                max(waits, default=None), len(waits), "critical objects", "lower"
            )
            figures["longest_gap_s"] = Figure(max(gaps, default=None), len(gaps), "critical objects", "lower")
        for name, (matched, critical) in sorted(self._per_class.items()):
            figures[f"critical_recall.{name}"] = _share(matched, critical)
        return figures

    def details(self) -> dict[str, Any]:
        """Give where the distances of the critical objects came from as `criticality`."""
        if not self._frames:
            return {}
        basis = {each.words: int(self._bases[each]) for each in Basis if self._bases[each]}
        return {"criticality": {"basis": basis, "judged_s": self._seconds, "phantoms": self._phantoms}}

    def _begin(self) -> None:
        self._drive = _Drive()
        self._meter = CriticalityMeter(self._limits, self._subject.vocabulary, self._camera)

    def _pass_time(self, ref: FrameRef) -> None:
        if math.isnan(ref.time_s):
            self._needed = 1
            return
        drive = self._drive
        if ref.seq - drive.last_seq <= LONGEST_STEP and ref.time_s > drive.last_s:  # NaN compares false
            self._seconds += ref.time_s - drive.last_s
        drive.last_s, drive.last_seq = ref.time_s, ref.seq

    def _count(self, moment: Moment, found: Criticality, counted: NDArray[np.bool_]) -> None:
        truth = moment.truth
        comparison = moment.comparisons[self._subject.role]
        assert truth is not None
        rows = np.flatnonzero(counted)
        tracks = truth.tracks[rows].tolist()
        nameless = [place for place, track in enumerate(tracks) if track == NO_TRACK]
        numbers = self._drive.followed.update(truth.boxes[rows[nameless]], classes=truth.classes[rows[nameless]])
        names: list[object] = list(tracks)
        for place, number in zip(nameless, numbers, strict=True):
            # In an unordered set nothing goes on from one picture to the next.
            names[place] = ("followed", number if not math.isnan(moment.ref.time_s) else (moment.ref.seq, place))
        for row, name in zip(rows.tolist(), names, strict=True):
            matched = bool(comparison.truths[row] == Judgement.MATCHED)
            if found.critical[row]:
                self._one(moment, row, name, matched, Basis(int(found.basis[row])))
            elif (known := self._drive.objects.get(name)) is not None:
                known.run = 0
                known.last_match_s = math.nan

    def _one(self, moment: Moment, row: int, name: object, matched: bool, basis: Basis) -> None:
        truth = moment.truth
        assert truth is not None
        label, now_s = self._subject.vocabulary.name(int(truth.classes[row])), moment.ref.time_s
        counts = self._per_class.setdefault(label, [0, 0])
        counts[0] += matched
        counts[1] += 1
        self._matched += matched
        self._critical += 1
        self._bases[basis] += 1
        one = self._drive.objects.setdefault(name, _Object(label, now_s))
        if matched:
            one.run = 0
            one.last_match_s = now_s
            if math.isnan(one.first_match_s):
                one.first_match_s = 0.0 if math.isnan(now_s) else now_s
                one.since_s = 0.0 if math.isnan(one.since_s) else one.since_s
            return
        one.run += 1
        one.longest_run = max(one.longest_run, one.run)
        if not math.isnan(one.last_match_s):
            one.longest_gap_s = max(one.longest_gap_s, now_s - one.last_match_s)

    def _invented(self, moment: Moment, shown: Criticality) -> None:
        comparison = moment.comparisons[self._subject.role]
        ghosts = np.flatnonzero(
            (comparison.detections == Judgement.UNMATCHED) & (comparison.iou < PHANTOM_IOU) & shown.in_corridor
        )
        boxes = moment.inferences[self._subject.role].detections.boxes[ghosts]
        before = self._drive.phantoms
        today: dict[int, int] = {}
        for number in self._drive.ghosts.update(boxes):
            today[number] = before.get(number, 0) + 1
            self._phantoms += today[number] == (1 if math.isnan(moment.ref.time_s) else PHANTOM_FRAMES)
        self._drive.phantoms = today


def _share(part: int, whole: int) -> Figure:
    return Figure(part / whole if whole else None, whole, "critical truths")


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
