"""Tracking quality of one model: the bench tracks its detections and judges the tracks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.clusters import clusters_of
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.intervals import resampled
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.track_parts import blamed, track_values
from hilgui.evaluation.tracker import Association, Tracker
from hilgui.evaluation.tracking import TrackingFigures, TrackingJudge, pooled
from hilgui.records import NO_TRACK, Detections, Moment, Truth

LOW_SCORE = 0.1  # boxes from here to the threshold keep a track alive
KEEP = 30  # frames without a box after which a track ends (ByteTrack's buffer)


class TrackingQuality:
    """Accumulates the tracks of one model; see `Accumulator`.

    Models give no identities, so the figures are those of the model together with the bench's tracker: two models
    compare, because both get the same one. Boxes below the threshold keep tracks alive and are not judged. Frames
    without labels are tracked and not judged; frames with an object without identity, and those of an unordered set,
    are let pass. Without any judged frame there are no figures.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._judged = subject.vocabulary.judged
        self._judge = TrackingJudge(self._judged, subject.scratch)
        self.book = FrameBook(subject.scratch)
        self._drive = 0
        self._tracker = self._fresh()
        self.unidentified = 0  # labelled frames in which an object had no identity

    def start_drive(self, name: str) -> None:
        """Begin another drive: its tracks and identities are others."""
        self._drive += 1
        self.book.start_drive(name)
        self._tracker = self._fresh()

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference = moment.inferences.get(self._subject.role)
        if inference is None or math.isnan(moment.ref.time_s):
            return
        detections, truth = inference.detections, moment.truth
        tracks = self._follow(detections)
        if truth is None:
            return
        if self._has_unidentified(truth):
            self.unidentified += 1
            return
        self.book.add(moment.ref)
        shown = np.flatnonzero(tracks[: detections.count_above(self._subject.threshold)] >= 0)
        self._judge.add(truth, detections.boxes[shown], detections.classes[shown], tracks[shown], self._drive)

    def per_class(self) -> dict[int, TrackingFigures]:
        """Read the figures of each class by its number; empty where no labelled frame had identities."""
        found = self._judge.per_class()
        return found if any(each.clear.truths for each in found.values()) else {}

    def figures(self) -> dict[str, Figure]:
        """Read `mota`, `motp`, `id_switches`, `idf1`, `hota` and their kin, each also with `.CLASS`."""
        per_class = self.per_class()
        if not per_class:
            return {}
        figures = _figures("", pooled(per_class.values()))
        for number, each in per_class.items():
            figures |= _figures(f".{self._subject.vocabulary.name(number)}", each)
        return figures

    def with_intervals(self) -> dict[str, Figure]:
        """Read all figures with their interval, or the reason why there is none; see `track_parts`."""
        figures, parts = self.figures(), self._judge.parts()
        if not figures:
            return {}
        clusters = clusters_of(self.book)

        def read(draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
            values = track_values(list(parts.values()), clusters, draws)
            for number, part in parts.items():
                label = self._subject.vocabulary.name(number)
                values |= {f"{name}.{label}": row for name, row in track_values([part], clusters, draws).items()}
            return values

        return resampled(figures, clusters, read)

    def behind(self, figure: str) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Give frames of the book and how much each makes a figure worse, None for a figure of others."""
        head, _, label = figure.partition(".")
        name_of = self._subject.vocabulary.name
        parts = [
            part
            for number, part in self._judge.parts().items()
            if not label or name_of(number).casefold() == label.casefold()
        ]
        return blamed(parts, head)

    def details(self) -> dict[str, Any]:
        """Give all counts of CLEAR, identity and HOTA as `tracking`."""
        per_class = self.per_class()
        if not per_class:
            return {}
        named = {self._subject.vocabulary.name(number): each.as_json() for number, each in per_class.items()}
        whole = {"frames": self._judge.frames, "frames_without_identities": self.unidentified}
        return {"tracking": {**pooled(per_class.values()).as_json(), **whole, "per_class": named}}

    def _follow(self, detections: Detections) -> NDArray[np.int64]:
        tracks = np.full(len(detections), NO_TRACK, np.int64)
        count = detections.count_above(min(LOW_SCORE, self._subject.threshold))
        rows = np.flatnonzero(is_judged(detections.classes[:count], self._judged))
        tracks[rows] = self._tracker.update(detections.boxes[rows], detections.scores[rows], detections.classes[rows])
        return tracks

    def _has_unidentified(self, truth: Truth) -> bool:
        counted = is_judged(truth.classes, self._judged) & ~(truth.crowd | truth.ignore)
        return bool((counted & (truth.tracks == NO_TRACK)).any())

    def _fresh(self) -> Tracker:
        return Tracker(KEEP, Association(high_score=self._subject.threshold))


def _figures(label: str, read: TrackingFigures) -> dict[str, Figure]:
    clear, identity, hota = read.clear, read.identity, read.hota
    higher = {
        "mota": clear.mota,
        "motp": clear.motp,
        "idf1": identity.idf1,
        "idp": identity.idp,
        "idr": identity.idr,
        "hota": hota.hota,
        "det_a": hota.det_a,
        "ass_a": hota.ass_a,
        "loc_a": hota.loc_a,
    }
    figures = {f"{name}{label}": Figure(value, clear.truths) for name, value in higher.items()}
    lower = {"id_switches": clear.switches, "fragmentations": clear.fragmentations}
    figures |= {f"{name}{label}": Figure(count, clear.truths, better="lower") for name, count in lower.items()}
    objects = clear.objects
    figures[f"mostly_tracked{label}"] = Figure(clear.mostly_tracked, objects, "objects")
    figures[f"mostly_lost{label}"] = Figure(clear.mostly_lost, objects, "objects", "lower")
    return figures
