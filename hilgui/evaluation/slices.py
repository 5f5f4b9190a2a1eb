"""Slices of the evidence: recall, precision and AP under each condition, with the frames behind them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.clusters import BLOCK, clusters_of
from hilgui.evaluation.geometry import CameraOf, no_camera
from hilgui.evaluation.slice_bins import OF_OBJECTS, UNKNOWN, frame_bins, object_names
from hilgui.evaluation.slice_columns import SliceColumns
from hilgui.evaluation.slice_figures import SliceFigures, SliceReader
from hilgui.evaluation.slice_objects import FrameObjects, SliceObjects, View
from hilgui.evaluation.slice_tags import SliceTags
from hilgui.records import FrameRef, Judgement, Moment
from hilgui.settings import CriticalityLimits


@dataclass(frozen=True, slots=True, eq=False)
class SliceRows:
    """Every counted truth with its bins: what the search looks at. Clusters are blocks of a drive, never drives."""

    dimensions: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]  # of each dimension, by code
    codes: NDArray[np.int16]  # (N, dimensions)
    matched: NDArray[np.bool_]  # (N,)
    clusters: NDArray[np.int64]  # (N,) from 0
    drives: NDArray[np.int64]  # (N,) from 0
    seqs: NDArray[np.int64]  # (N,)
    drive_names: tuple[str, ...]
    unit: str = BLOCK  # what a cluster is

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


class Slicer:
    """Collects the judged frames of one model over drives; frames in order, one thread.

    A truth belongs to the slices of its own attributes and of its frame, a false positive to those of its own. For AP
    the matches of the whole frame stand: a truth outside the slice is ignored with the detection that it has, and so
    is a detection without a match that lies outside by its own attributes.
    """

    def __init__(
        self,
        subject: Subject,
        limits: CriticalityLimits | None = None,
        *,
        with_ap: bool = True,
        with_tags: bool = False,
    ) -> None:
        self._subject = subject
        self._limits = limits or CriticalityLimits()
        self._precision = AveragePrecision(subject.judged, scratch=subject.scratch) if with_ap else None
        self.book = FrameBook(subject.scratch)
        self._settings: dict[tuple[tuple[str, str], ...], int] = {}  # bins of frames that have been seen
        self._setting_of = array("i")
        self._objects = SliceObjects()  # every label
        self._shown = SliceObjects()  # every detection
        self._tags = SliceTags() if with_tags else None  # of every label
        self._conditions: dict[str, str] = {}
        self._camera_name = ""
        self._camera_of: CameraOf = no_camera
        self._views: dict[tuple[str, int, int], View] = {}  # by channel and size of the picture

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
        self.book.start_drive(name)
        self._conditions = dict(conditions)
        self._camera_name = camera_name or UNKNOWN
        self._limits = limits or self._limits
        self._camera_of, self._views = camera_of, {}

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame; those without labels or without this model are let pass."""
        role = self._subject.role
        comparison, truth = moment.comparisons.get(role), moment.truth
        if comparison is None or truth is None or role not in moment.inferences:
            return
        detections, ref = moment.inferences[role].detections, moment.ref
        frame = self.book.add(ref)
        bins = tuple({**self._conditions, **frame_bins(moment, self._camera_name)}.items())
        self._setting_of.append(self._settings.setdefault(bins, len(self._settings)))
        view = self._view(ref)
        counted, found = comparison.truths != Judgement.IGNORED, comparison.truths == Judgement.MATCHED
        self._objects.add(
            FrameObjects(frame, view, truth.classes, truth.boxes, counted, found, truth.occlusion, truth.distance_m)
        )
        if self._tags is not None:
            self._tags.add(truth.tags, len(truth))
        phantom = np.zeros(len(detections), np.bool_)  # what lies below the threshold was not compared
        phantom[: len(comparison.detections)] = comparison.detections == Judgement.UNMATCHED
        self._shown.add(FrameObjects(frame, view, detections.classes, detections.boxes, phantom, phantom))
        if self._precision is not None:
            self._precision.add(detections, truth)

    def figures(self, *, with_intervals: bool = False) -> list[SliceFigures]:
        """Read the figures of every slice that has a truth or a false positive, by dimension and value."""
        names, objects, shown = self._coded()
        reader = SliceReader(self.book, objects, shown, self._precision)
        found = []
        for column in sorted(range(len(names)), key=lambda column: names[column][0]):
            dimension, values = names[column]
            found += reader.figures(column, dimension, values, with_intervals=with_intervals)
        return found

    def rows(self) -> SliceRows:
        """Give every counted truth with its bins."""
        names, every, _ = self._coded()
        objects = every.counted()
        order = sorted(range(len(names)), key=lambda column: names[column][0])
        values: list[tuple[str, ...]] = []
        kept: list[int] = []
        codes = np.zeros((len(objects.frames), len(order)), np.int16)
        for column in order:
            mine = objects.codes[:, column].astype(np.int64)
            said = (*names[column][1], UNKNOWN)  # -1: nobody said
            present = np.unique(mine)
            known = tuple(sorted({said[code] for code in present.tolist()}))
            if not known:
                continue
            place = {value: number for number, value in enumerate(known)}
            table = np.zeros(len(said), np.int16)
            table[present] = [place[said[code]] for code in present.tolist()]
            codes[:, len(kept)] = table[mine]
            kept.append(column)
            values.append(known)
        blocks = clusters_of(self.book, BLOCK)
        _, clusters = np.unique(blocks.of_frame[objects.frames], return_inverse=True)
        seqs = np.array([seen.seq for seen in self.book.frames], np.int64)
        return SliceRows(
            tuple(names[column][0] for column in kept),
            tuple(values),
            codes[:, : len(kept)],
            objects.hit,
            clusters.reshape(-1).astype(np.int64),
            self.book.places()[0][objects.frames],
            seqs[objects.frames],
            tuple(self.book.drives),
            blocks.unit,
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """Name the attributes of labels that are no groups, as they have too many values."""
        return () if self._tags is None else self._tags.left_out

    def _coded(self) -> tuple[list[tuple[str, tuple[str, ...]]], SliceColumns, SliceColumns]:
        """Give dimensions with the names of their codes, and the objects and detections with codes in all of them."""
        names = list(zip(OF_OBJECTS, object_names(self._subject.vocabulary.names), strict=True))
        settings = [dict(each) for each in self._settings]
        of_frames = sorted({name for each in settings for name in each})
        tables = np.full((len(settings), len(of_frames)), -1, np.int16)
        for column, name in enumerate(of_frames):
            values = tuple(sorted({each[name] for each in settings if name in each}))
            names.append((name, values))
            for row, each in enumerate(settings):
                if name in each:
                    tables[row, column] = values.index(each[name])
        of_frame = tables[np.array(self._setting_of, np.int64)]
        objects, shown = self._objects.columns().widened(of_frame), self._shown.columns().widened(of_frame)
        if self._tags is not None:
            told, codes = self._tags.coded()
            nobody = np.full((len(shown.frames), len(told)), -1, np.int16)  # nothing says what a detection wears
            names, objects, shown = [*names, *told], objects.beside(codes), shown.beside(nobody)
        return names, objects, shown

    def _view(self, ref: FrameRef) -> View:
        """Give how the camera of a frame looks at the road; the same object for all its frames of one drive."""
        key = (ref.channel, ref.width, ref.height)
        if key not in self._views:
            self._views[key] = View(self._camera_of(ref.channel), (ref.width, ref.height), self._limits)
        return self._views[key]
