"""Slices of the evidence: recall, precision and AP under each condition, with the frames behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.criticality import CriticalityMeter
from hilgui.evaluation.figure import Interval
from hilgui.evaluation.geometry import CameraOf, no_camera
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.overlap import iou_matrix
from hilgui.evaluation.slice_bins import UNKNOWN, frame_bins, object_bins
from hilgui.records import Detections, Judgement, Moment, Truth
from hilgui.settings import CriticalityLimits

BLOCK_FRAMES = 100  # frames of a drive that hang together
_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """What a model does in one slice; ratios are None without anything to divide by."""

    dimension: str
    value: str
    truths: int
    matched: int
    false_positives: int | None  # by their own attributes; None where those of some are unknown
    drives: int
    map_50: float | None
    examples: tuple[tuple[str, int], ...]  # drive and frame of the first misses
    recall_interval: Interval | None = None

    @property
    def recall(self) -> float | None:
        """Give the share of truths that were found."""
        return self.matched / self.truths if self.truths else None

    @property
    def precision(self) -> float | None:
        """Give the share of detections that have a truth; None where nobody knows which slice false positives have."""
        if self.false_positives is None:
            return None
        found = self.matched + self.false_positives
        return self.matched / found if found else None

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "dimension": self.dimension,
            "value": self.value,
            "recall": self.recall,
            "recall_interval": None if self.recall_interval is None else self.recall_interval.as_json(),
            "precision": self.precision,
            "map_50": self.map_50,
            "truths": self.truths,
            "matched": self.matched,
            "false_positives": self.false_positives,
            "drives": self.drives,
            "examples": [{"drive": drive, "frame": seq} for drive, seq in self.examples],
        }


@dataclass(frozen=True, slots=True, eq=False)
class SliceRows:
    """Every counted truth with its bins: what the search looks at. Clusters are blocks of 100 frames of a drive."""

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # of each dimension, by code
    codes: NDArray[np.int16]  # (N, dimensions)
    matched: NDArray[np.bool_]  # (N,)
    clusters: NDArray[np.int64]  # (N,) from 0
    drives: NDArray[np.int64]  # (N,) from 0
    seqs: NDArray[np.int64]  # (N,)
    drive_names: tuple[str, ...]

    def where(self, mask: NDArray[np.bool_]) -> SliceRows:
        """Keep the rows that the mask names."""
        return replace(
            self,
            codes=self.codes[mask],
            matched=self.matched[mask],
            clusters=self.clusters[mask],
            drives=self.drives[mask],
            seqs=self.seqs[mask],
        )


@dataclass(slots=True)
class _Slice:
    truths: int = 0
    matched: int = 0
    false_positives: int = 0
    drives: set[int] = field(default_factory=set)
    examples: list[tuple[str, int]] = field(default_factory=list)
    precision: AveragePrecision | None = None


class Slicer:
    """Collects the judged frames of one model over drives; frames in order, one thread.

    A truth belongs to the slices of its own attributes and of its frame, a false positive to those of its own. For AP a
    truth outside the slice is ignored, and so is a detection that lies outside by its own attributes and reaches no
    truth of the slice at IoU .5.
    """

    def __init__(self, subject: Subject, limits: CriticalityLimits | None = None, *, with_ap: bool = True) -> None:
        self._subject = subject
        self._limits = limits or CriticalityLimits()
        self._with_ap = with_ap
        self._slices: dict[tuple[str, str], _Slice] = {}
        self._rows: list[dict[str, str]] = []
        self._matched: list[bool] = []
        self._places: list[tuple[int, int, int]] = []  # drive, block, seq
        self._drives: list[str] = []
        self._conditions: dict[str, str] = {}
        self._camera_name = ""
        self._camera_of: CameraOf = no_camera
        self._meters: dict[str, CriticalityMeter] = {}  # by channel
        self._frames = 0

    def start_drive(
        self,
        name: str,
        conditions: Mapping[str, str],
        camera_of: CameraOf = no_camera,
        camera_name: str = "",
        limits: CriticalityLimits | None = None,
    ) -> None:
        """Begin another drive: its conditions (day part, weather, …) and limits hold for all its frames.

        `camera_of` tells how each of its cameras is mounted, by its channel.
        """
        self._drives.append(name)
        self._conditions = dict(conditions)
        self._camera_name = camera_name or UNKNOWN
        self._limits = limits or self._limits
        self._camera_of, self._meters = camera_of, {}
        self._frames = 0

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame; those without labels or without this model are let pass."""
        subject = self._subject
        comparison, truth = moment.comparisons.get(subject.role), moment.truth
        channel = moment.ref.channel
        meter = self._meters.get(channel)
        if meter is None:
            meter = CriticalityMeter(self._limits, subject.vocabulary, self._camera_of(channel))
            self._meters[channel] = meter
        known = meter.truths(moment)
        shown = meter.detections(moment, subject.role, 0.0)
        if comparison is None or truth is None or known is None or shown is None:
            return
        detections = moment.inferences[subject.role].detections
        frame = {**self._conditions, **frame_bins(moment, self._camera_name)}
        unseen = np.full(len(detections), np.nan)
        mine = object_bins(self._names(truth.classes), truth.boxes, known, truth.occlusion)
        theirs = object_bins(self._names(detections.classes), detections.boxes, shown, unseen)
        drive = len(self._drives) - 1
        for row in np.flatnonzero(comparison.truths != Judgement.IGNORED).tolist():
            matched = bool(comparison.truths[row] == Judgement.MATCHED)
            bins = frame | {name: values[row] for name, values in mine.items()}
            self._rows.append(bins)
            self._matched.append(matched)
            self._places.append((drive, self._frames // BLOCK_FRAMES, moment.ref.seq))
            for each in self._of(bins):
                each.truths += 1
                each.matched += matched
                each.drives.add(drive)
                if not matched and len(each.examples) < _EXAMPLES:
                    each.examples.append((self._drives[drive], moment.ref.seq))
        for row in np.flatnonzero(comparison.detections == Judgement.UNMATCHED).tolist():
            for each in self._of(frame | {name: values[row] for name, values in theirs.items()}):
                each.false_positives += 1
        if self._with_ap:
            self._measure(detections, truth, frame, mine, theirs)
        self._frames += 1

    def figures(self) -> list[SliceFigures]:
        """Read the figures of every slice that has a truth or a false positive, by dimension and value."""
        # Where the attribute of a false positive is unknown, it is missing in the slice it belongs to.
        open_ended = {name for (name, value), each in self._slices.items() if value == UNKNOWN and each.false_positives}
        open_ended -= {name for name in open_ended if all(v == UNKNOWN for n, v in self._slices if n == name)}
        found = []
        for (dimension, value), each in sorted(self._slices.items()):
            if each.truths or each.false_positives:
                is_open = dimension in open_ended and value != UNKNOWN
                read = None if each.precision is None or is_open else each.precision.figures().map_50
                found.append(
                    SliceFigures(
                        dimension,
                        value,
                        each.truths,
                        each.matched,
                        None if is_open else each.false_positives,
                        len(each.drives),
                        read,
                        tuple(each.examples),
                    )
                )
        return found

    def rows(self) -> SliceRows:
        """Give every counted truth with its bins."""
        dimensions = tuple(sorted({name for bins in self._rows for name in bins}))
        values: list[tuple[str, ...]] = []
        codes = np.zeros((len(self._rows), len(dimensions)), np.int16)
        for column, name in enumerate(dimensions):
            said = [bins.get(name, UNKNOWN) for bins in self._rows]
            known = tuple(sorted(set(said)))
            place = {value: number for number, value in enumerate(known)}
            codes[:, column] = [place[value] for value in said]
            values.append(known)
        places = np.array(self._places, np.int64).reshape(-1, 3)
        _, clusters = np.unique(places[:, :2], axis=0, return_inverse=True)
        return SliceRows(
            dimensions,
            tuple(values),
            codes,
            np.array(self._matched, np.bool_),
            clusters.reshape(-1).astype(np.int64),
            places[:, 0],
            places[:, 2],
            tuple(self._drives),
        )

    def _names(self, classes: NDArray[np.int32]) -> list[str]:
        return [self._subject.vocabulary.name(number) for number in classes.tolist()]

    def _of(self, bins: Mapping[str, str]) -> Iterator[_Slice]:
        for key in bins.items():
            yield self._slices.setdefault(key, _Slice())

    def _measure(
        self,
        detections: Detections,
        truth: Truth,
        frame: Mapping[str, str],
        mine: Mapping[str, list[str]],
        theirs: Mapping[str, list[str]],
    ) -> None:
        """Feed the frame to the AP of every slice that it touches."""
        for key in frame.items():
            self._precision(key).add(detections, truth)
        counted = is_judged(truth.classes, self._subject.vocabulary.judged) & ~(truth.crowd | truth.ignore)
        near = (iou_matrix(detections.boxes, truth.boxes) >= 0.5) & (detections.classes[:, None] == truth.classes)
        for dimension, values in mine.items():
            inside_of, said = np.array(values, object), np.array(theirs[dimension], object)
            for value in set(inside_of[counted].tolist()) | set(said.tolist()):
                inside = inside_of == value
                kept = (said == value) | (near & (inside & counted)).any(axis=1)
                part = replace(truth, ignore=truth.ignore | (counted & ~inside))
                self._precision((dimension, value)).add(detections.where(kept), part)

    def _precision(self, key: tuple[str, str]) -> AveragePrecision:
        each = self._slices.setdefault(key, _Slice())
        if each.precision is None:
            each.precision = AveragePrecision(self._subject.judged)
        return each.precision
