"""Critical quality of one model: how much of what matters now it sees, how soon, and what it invents in the way."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.clusters import Clusters, clusters_of
from hilgui.evaluation.criticality import Basis, Criticality, CriticalityMeter
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.geometry import CameraOf, no_camera
from hilgui.evaluation.intervals import LARGEST, with_intervals
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.row_log import RowLog
from hilgui.evaluation.shares import Shares
from hilgui.evaluation.tracker import Tracker
from hilgui.records import NO_TRACK, FrameRef, Judgement, Moment
from hilgui.settings import CriticalityLimits

MISSED_FRAMES = 3  # consecutive critical frames without a match make a missed object
PHANTOM_IOU = 0.1
PHANTOM_FRAMES = 3
LEAST_SECONDS = 10.0  # judged; a rate over less says nothing
LONGEST_STEP = 3  # frames between two judged ones; beyond, the labels pause, and that is no driven time
_KEEP = 5
_NEWEST = 1024  # rows that are at hand
CRITICAL_FIGURES = (
    "critical_recall",
    "missed_critical",
    "never_detected_critical",
    "time_to_first_detection_s",
    "longest_gap_s",
    "phantoms_per_minute",
)
_RATES = ("missed_critical_per_hour", "phantoms_per_minute")


@dataclass(slots=True)
class _Object:
    """One labelled object that was critical at least once."""

    frame: int  # in the book, when it first was critical
    since_s: float
    first_match_s: float = math.nan
    last_match_s: float = math.nan  # within an unbroken critical spell
    longest_gap_s: float = 0.0
    run: int = 0  # critical frames in a row without a match
    longest_run: int = 0


@dataclass(slots=True)
class _View:
    """What one camera of a drive shows."""

    meter: CriticalityMeter
    objects: dict[object, _Object] = field(default_factory=dict)
    phantoms: dict[int, int] = field(default_factory=dict)  # frames in a row, by track
    followed: Tracker = field(default_factory=lambda: Tracker(_KEEP))
    ghosts: Tracker = field(default_factory=lambda: Tracker(0))


@dataclass(slots=True)
class _Drive:
    views: dict[str, _View] = field(default_factory=dict)  # by channel
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
        self._camera_of: CameraOf = no_camera
        self.book = FrameBook(subject.scratch)
        self._rows = _Rows(subject.scratch)
        self._bases = np.zeros(len(Basis), np.int64)
        self._closed: list[_Object] = []
        self._needed = MISSED_FRAMES
        self._drive = _Drive()

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self._close()
        self.book.start_drive(name)

    def look_through(self, camera_of: CameraOf, limits: CriticalityLimits | None = None) -> None:
        """Say how each camera of the drive that begins is mounted, by its channel, and which limits hold."""
        self._camera_of = camera_of
        self._limits = limits or self._limits
        self._close()

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        comparison = moment.comparisons.get(self._subject.role)
        channel = moment.ref.channel
        view = self._drive.views.get(channel)
        if view is None:
            meter = CriticalityMeter(self._limits, self._subject.vocabulary, self._camera_of(channel))
            view = self._drive.views[channel] = _View(meter)
        found = view.meter.truths(moment)
        shown = view.meter.detections(moment, self._subject.role, self._subject.threshold)
        if comparison is None or found is None or shown is None or moment.truth is None:
            return
        frame = self.book.add(moment.ref)
        self._rows.drive(self._passed_s(moment.ref))
        counted = (comparison.truths != Judgement.IGNORED) & is_judged(
            moment.truth.classes, self._subject.vocabulary.judged
        )
        self._count(view, frame, moment, found, counted)
        self._invented(view, frame, moment, shown)

    def figures(self) -> dict[str, Figure]:
        """Read `critical_recall`, `missed_critical`, `time_to_first_detection_s`, `longest_gap_s` and their kin."""
        if not len(self.book.frames):
            return {}
        tables = self._tables()
        seconds = self._rows.judged_s
        figures = {name: table.figure() for name, table in tables.items()}
        for name in _RATES:  # over too short a time a rate says nothing
            if seconds < LEAST_SECONDS:
                figures[name] = replace(figures[name], value=None)
        found = [each for each in self._objects() if not math.isnan(each.first_match_s)]
        if seconds:
            waits = [each.first_match_s - each.since_s for each in found]
            gaps = [each.longest_gap_s for each in found]
            figures["latest_first_detection_s"] = _worst(waits)
            figures["longest_gap_s"] = _worst(gaps)
        else:
            del figures["time_to_first_detection_s"]
        return figures

    def with_intervals(self, clusters: Clusters | None = None) -> dict[str, Figure]:
        """Read all figures, those that add up over clusters with their interval; the longest of something has none."""
        figures = with_intervals(self.figures(), self._tables(), clusters or clusters_of(self.book))
        return {
            name: replace(figure, why_no_interval=LARGEST)
            if name.startswith(("latest_", "longest_")) and figure.value is not None
            else figure
            for name, figure in figures.items()
        }

    def behind(self, figure: str) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Give the frame of each error behind a figure, None for a figure of others."""
        frames = self._blamed(figure)
        return None if frames is None else (frames, np.ones(len(frames)))

    def details(self) -> dict[str, Any]:
        """Give where the distances of the critical objects came from as `criticality`."""
        if not len(self.book.frames):
            return {}
        basis = {each.words: int(self._bases[each]) for each in Basis if self._bases[each]}
        judged_s = self._rows.judged_s
        return {"criticality": {"basis": basis, "judged_s": judged_s, "phantoms": len(self._rows.phantoms)}}

    def _blamed(self, figure: str) -> NDArray[np.int64] | None:
        head, _, label = figure.partition(".")
        rows, objects = self._rows, self._objects()
        if head == "critical_recall":
            wanted = [place for name, place in rows.names.items() if not label or name.casefold() == label.casefold()]
            truths = rows.truths()
            return truths.frames[~truths.matched & np.isin(truths.names, wanted)].astype(np.int64)
        if head in ("missed_critical", "missed_critical_per_hour"):
            return np.array([each.frame for each in objects if each.longest_run >= self._needed], np.int64)
        if head == "never_detected_critical":
            return np.array([each.frame for each in objects if math.isnan(each.first_match_s)], np.int64)
        if head in ("time_to_first_detection_s", "latest_first_detection_s"):
            late = [each for each in objects if each.first_match_s > each.since_s]
            return np.array([each.frame for each in late], np.int64)
        if head == "longest_gap_s":
            return np.array([each.frame for each in objects if each.longest_gap_s > 0], np.int64)
        return np.array(rows.phantoms, np.int64) if head == "phantoms_per_minute" else None

    def _tables(self) -> dict[str, Shares]:
        """Lay out what each figure divides by what, with the frame that each part comes from."""
        rows, objects = self._rows, self._objects()
        truths = rows.truths()
        frames, matched = truths.frames.astype(np.int64), truths.matched.astype(np.float64)
        ones = np.ones(len(frames))
        first = np.array([each.frame for each in objects], np.int64)
        missed = np.array([each.longest_run >= self._needed for each in objects], np.float64)
        found = np.array([not math.isnan(each.first_match_s) for each in objects], np.bool_)
        waits = np.array([each.first_match_s - each.since_s for each in objects], np.float64)[found]
        all_frames, seconds = np.arange(len(self.book.frames)), rows.seconds()
        ghosts = np.array(rows.phantoms, np.int64)
        tables = {
            "critical_recall": Shares(frames, matched, frames, ones, "critical truths"),
            "missed_critical": Shares(first, missed, first, None, "critical objects", "lower"),
            "missed_critical_per_hour": Shares(first, missed, all_frames, seconds / 3600, "judged seconds", "lower"),
            "never_detected_critical": Shares(
                first, np.where(found, 0.0, 1.0), first, None, "critical objects", "lower"
            ),
            "phantoms_per_minute": Shares(
                ghosts, np.ones(len(ghosts)), all_frames, seconds / 60, "judged seconds", "lower"
            ),
            "time_to_first_detection_s": Shares(
                first[found], waits, first[found], np.ones(len(waits)), "critical objects", "lower"
            ),
        }
        for name in sorted(rows.names):
            mine = truths.names == rows.names[name]
            tables[f"critical_recall.{name}"] = Shares(
                frames[mine], matched[mine], frames[mine], ones[mine], "critical truths"
            )
        for name in _RATES:
            tables[name] = replace(tables[name], count=round(float(seconds.sum())))
        return tables

    def _objects(self) -> list[_Object]:
        return [*self._closed, *(each for view in self._drive.views.values() for each in view.objects.values())]

    def _close(self) -> None:
        self._closed = self._objects()
        self._drive = _Drive()

    def _passed_s(self, ref: FrameRef) -> float:
        """Give the time since the judged frame before; 0 where the labels paused."""
        if math.isnan(ref.time_s):
            self._needed = 1
            return 0.0
        drive, passed = self._drive, 0.0
        if ref.seq - drive.last_seq <= LONGEST_STEP and ref.time_s > drive.last_s:  # NaN compares false
            passed = ref.time_s - drive.last_s
        drive.last_s, drive.last_seq = ref.time_s, ref.seq
        return passed

    def _count(self, view: _View, frame: int, moment: Moment, found: Criticality, counted: NDArray[np.bool_]) -> None:
        truth = moment.truth
        comparison = moment.comparisons[self._subject.role]
        assert truth is not None
        rows = np.flatnonzero(counted)
        tracks = truth.tracks[rows].tolist()
        nameless = [place for place, track in enumerate(tracks) if track == NO_TRACK]
        numbers = view.followed.update(truth.boxes[rows[nameless]], classes=truth.classes[rows[nameless]])
        names: list[object] = list(tracks)
        for place, number in zip(nameless, numbers, strict=True):
            # In an unordered set nothing goes on from one picture to the next.
            names[place] = ("followed", number if not math.isnan(moment.ref.time_s) else (moment.ref.seq, place))
        for row, name in zip(rows.tolist(), names, strict=True):
            matched = bool(comparison.truths[row] == Judgement.MATCHED)
            if found.critical[row]:
                self._bases[found.basis[row]] += 1
                self._one(view, frame, moment, row, name, matched)
            elif (known := view.objects.get(name)) is not None:
                known.run = 0
                known.last_match_s = math.nan

    def _one(self, view: _View, frame: int, moment: Moment, row: int, name: object, matched: bool) -> None:
        assert moment.truth is not None
        now_s, label = moment.ref.time_s, self._subject.vocabulary.name(int(moment.truth.classes[row]))
        self._rows.add(frame, label, matched)
        one = view.objects.setdefault(name, _Object(frame, now_s))
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

    def _invented(self, view: _View, frame: int, moment: Moment, shown: Criticality) -> None:
        comparison = moment.comparisons[self._subject.role]
        ghosts = np.flatnonzero(
            (comparison.detections == Judgement.UNMATCHED) & (comparison.iou < PHANTOM_IOU) & shown.in_corridor
        )
        boxes = moment.inferences[self._subject.role].detections.boxes[ghosts]
        before = view.phantoms
        today: dict[int, int] = {}
        for number in view.ghosts.update(boxes):
            today[number] = before.get(number, 0) + 1
            if today[number] == (1 if math.isnan(moment.ref.time_s) else PHANTOM_FRAMES):
                self._rows.phantoms.append(frame)
        view.phantoms = today


@dataclass(frozen=True, slots=True, eq=False)
class _Truths:
    """Critical truths, side by side."""

    frames: NDArray[np.int32]
    names: NDArray[np.int32]  # position of the class among those seen
    matched: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: Sequence[_Truths]) -> _Truths:
        """Put blocks one after the other."""
        if not parts:
            return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.bool_))
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


@dataclass(frozen=True, slots=True, eq=False)
class _Driven:
    """What each judged frame stands for."""

    seconds: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: Sequence[_Driven]) -> _Driven:
        """Put blocks one after the other."""
        return cls(np.concatenate([part.seconds for part in parts]) if parts else np.empty(0))


class _Rows:
    """One row for each critical truth and each judged frame, in a file once they are many; and the phantoms."""

    def __init__(self, scratch: Path | None) -> None:
        self.phantoms = array("l")  # frame in which each had lasted long enough
        self.names: dict[str, int] = {}
        self.judged_s = 0.0
        self._newest: list[tuple[int, int, bool]] = []
        self._before = RowLog(_Truths, scratch)
        self._seconds = array("d")  # of the newest frames
        self._seconds_before = RowLog(_Driven, scratch)

    def add(self, frame: int, name: str, matched: bool) -> None:
        """Note a critical truth."""
        self._newest.append((frame, self.names.setdefault(name, len(self.names)), matched))
        if len(self._newest) == _NEWEST:
            self._join()

    def drive(self, seconds: float) -> None:
        """Note a judged frame."""
        self.judged_s += seconds
        self._seconds.append(seconds)
        if len(self._seconds) == _NEWEST:
            self._join_seconds()

    def truths(self) -> _Truths:
        """Give all critical truths."""
        self._join()
        return self._before.joined()

    def seconds(self) -> NDArray[np.float64]:
        """Give what each judged frame stands for."""
        self._join_seconds()
        return self._seconds_before.joined().seconds

    def _join(self) -> None:
        if self._newest:
            frames, names, matched = zip(*self._newest, strict=True)
            self._before.add(_Truths(np.array(frames, np.int32), np.array(names, np.int32), np.array(matched)))
            self._newest = []

    def _join_seconds(self) -> None:
        if len(self._seconds):
            self._seconds_before.add(_Driven(np.array(self._seconds)))
            self._seconds = array("d")


def _worst(values: list[float]) -> Figure:
    return Figure(max(values, default=None), len(values), "critical objects", "lower")
