"""Tracking figures of one model over a run: its tracks against the identities of the labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.clear import MATCH_IOU, NOTHING, Clear, ClearFigures
from hilgui.evaluation.hota import HotaFigures, hota_figures
from hilgui.evaluation.identity import IdentityFigures, identity_figures
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.overlap import iou_matrix, share_matrix
from hilgui.evaluation.track_rows import TrackRows
from hilgui.evaluation.tracker import Association, Tracker
from hilgui.records import NO_CLASS, NO_TRACK, Detections, Truth, Vocabulary

LOW_SCORE = 0.1  # boxes from here to the threshold may continue a track
KEEP_S = 1.0  # a track that was not seen for longer ends


@dataclass(frozen=True, slots=True)
class TrackingFigures:
    """CLEAR, identity and HOTA figures of one class, or pooled over all of them."""

    clear: ClearFigures
    identity: IdentityFigures
    hota: HotaFigures

    def __add__(self, other: TrackingFigures) -> TrackingFigures:
        """Pool with another class or drive: counts are added."""
        return TrackingFigures(self.clear + other.clear, self.identity + other.identity, self.hota + other.hota)

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"clear": self.clear.as_json(), "identity": self.identity.as_json(), "hota": self.hota.as_json()}


class _Class:
    """Everything about one class."""

    def __init__(self) -> None:
        self.rows = TrackRows()
        self.clear = Clear()

    def figures(self) -> TrackingFigures:
        pairs = self.rows.pairs()
        return TrackingFigures(self.clear.figures(), identity_figures(pairs), hota_figures(pairs))


class TrackingJudge:
    """Compares tracked boxes with labelled identities, class by class; exact at any moment, one thread.

    A tracked box that reaches no counted truth at IoU .5 is left out when it lies on a crowd or an ignored truth of its
    class, or by half in a region without class. Identities are told apart by drive: `drive` may be anything hashable.
    """

    def __init__(self, judged: frozenset[int]) -> None:
        self._judged = judged
        self._classes: dict[int, _Class] = {}
        self.frames = 0

    def add(
        self,
        truth: Truth,
        boxes: NDArray[np.floating],
        classes: NDArray[np.int32],
        tracks: NDArray[np.int64],
        drive: Hashable = "",
    ) -> None:
        """Take one labelled frame: tracked boxes (N, 4) x1 y1 x2 y2 px, with class and track number."""
        self.frames += 1
        counted = is_judged(truth.classes, self._judged) & ~(truth.crowd | truth.ignore) & (truth.tracks != NO_TRACK)
        kept = is_judged(classes, self._judged) & ~self._excused(truth, counted, boxes, classes)
        overlap = iou_matrix(boxes, truth.boxes).T
        present = set(truth.classes[counted].tolist()) | set(classes[kept].tolist()) | self._classes.keys()
        for number in present:
            mine = np.flatnonzero(counted & (truth.classes == number))
            theirs = np.flatnonzero(kept & (classes == number))
            known = self._classes.setdefault(number, _Class())
            near = overlap[np.ix_(mine, theirs)]
            names = [(drive, track) for track in truth.tracks[mine].tolist()]
            one, other = known.rows.add(names, [(drive, track) for track in tracks[theirs].tolist()], near)
            known.clear.add(one, other, near)

    def per_class(self) -> dict[int, TrackingFigures]:
        """Read the figures of each class with a truth or a track so far; re-matches HOTA over all frames."""
        return {number: each.figures() for number, each in sorted(self._classes.items())}

    @staticmethod
    def _excused(
        truth: Truth, counted: NDArray[np.bool_], boxes: NDArray[np.floating], classes: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        uncounted = ~counted
        if not uncounted.any() or not len(boxes):
            return np.zeros(len(boxes), np.bool_)
        same = classes[:, None] == truth.classes
        overlap = iou_matrix(boxes, truth.boxes, truth.crowd)
        region = truth.classes == NO_CLASS
        if region.any():
            overlap[:, region] = share_matrix(boxes, truth.boxes[region])
        near = overlap >= MATCH_IOU
        excused: NDArray[np.bool_] = (near & uncounted & (same | region)).any(axis=1) & ~(near & counted & same).any(
            axis=1
        )
        return excused


class Tracking:
    """Tracks a model's detections and judges the tracks; frames in order, one thread.

    Frames without labels are tracked and not judged. A run whose labels carry no identities has no tracking figures.
    """

    def __init__(self, judged: frozenset[int], threshold: float, period_s: float) -> None:
        self._judged = judged
        self._threshold = threshold
        keep = max(1, round(KEEP_S / period_s))
        self._tracker = Tracker(keep, Association(high_score=threshold))
        self._judge = TrackingJudge(judged)
        self._unidentified = 0

    def add(self, detections: Detections, truth: Truth | None) -> NDArray[np.int64]:
        """Take the next frame; give the track of each detection, -1 for those that have none."""
        tracks = np.full(len(detections), NO_TRACK, np.int64)
        count = detections.count_above(min(LOW_SCORE, self._threshold))
        rows = np.flatnonzero(is_judged(detections.classes[:count], self._judged))
        tracks[rows] = self._tracker.update(detections.boxes[rows], detections.scores[rows], detections.classes[rows])
        if truth is None:
            return tracks
        real = is_judged(truth.classes, self._judged) & ~(truth.crowd | truth.ignore)
        if (real & (truth.tracks == NO_TRACK)).any():
            self._unidentified += 1
            return tracks
        shown = np.flatnonzero(tracks >= 0)
        self._judge.add(truth, detections.boxes[shown], detections.classes[shown], tracks[shown])
        return tracks

    def per_class(self) -> dict[int, TrackingFigures]:
        """Read the figures of each class."""
        return self._judge.per_class()

    def as_json(self, vocabulary: Vocabulary) -> dict[str, Any] | None:
        """Give the figures as plain values, None where no labelled frame had identities."""
        per_class = self.per_class()
        if not any(figures.clear.truths for figures in per_class.values()):
            return None
        return {
            **pooled(per_class.values()).as_json(),
            "frames": self._judge.frames,
            "frames_without_identities": self._unidentified,
            "per_class": {vocabulary.name(number): figures.as_json() for number, figures in per_class.items()},
        }


def pooled(figures: Iterable[TrackingFigures]) -> TrackingFigures:
    """Add the counts of classes or drives (trackeval's "detections averaged")."""
    parts = list(figures)
    if not parts:
        zeros = np.zeros(19, np.int64)
        return TrackingFigures(
            NOTHING, IdentityFigures(0, 0, 0), HotaFigures(zeros, zeros, zeros, zeros * 0.0, zeros * 0.0)
        )
    return reduce(add, parts)
