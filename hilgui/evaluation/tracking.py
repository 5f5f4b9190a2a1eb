"""Tracking figures: tracked boxes against the identities of the labels."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.clear import MATCH_IOU, NOTHING, Clear, ClearFigures
from hilgui.evaluation.hota import HotaFigures, hota_figures, no_hota
from hilgui.evaluation.identity import IdentityFigures, identity_figures
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.overlap import iou_matrix, share_matrix
from hilgui.evaluation.track_parts import CountLog, TrackParts
from hilgui.evaluation.track_rows import TrackRows
from hilgui.records import NO_CLASS, NO_TRACK, Truth


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
    """What was seen of one class."""

    def __init__(self, scratch: Path | None) -> None:
        self.rows = TrackRows(scratch)
        self.clear = Clear()
        self.counts = CountLog(scratch)

    def parts(self) -> TrackParts:
        return TrackParts(self.counts.rows(), self.rows.pairs(), *self.clear.objects())

    def figures(self) -> TrackingFigures:
        pairs = self.rows.pairs()
        return TrackingFigures(self.clear.figures(), identity_figures(pairs), hota_figures(pairs))


class TrackingJudge:
    """Compares tracked boxes with labelled identities, class by class; exact at any moment, one thread.

    A tracked box that reaches no counted truth at IoU .5 is left out when it lies on a crowd or an ignored truth of its
    class, or by half in a region without class. Identities are told apart by drive: `drive` may be anything hashable.
    """

    def __init__(self, judged: frozenset[int], scratch: Path | None = None) -> None:
        self._judged = judged
        self._scratch = scratch
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
            known = self._classes.get(number)
            if known is None:
                known = self._classes[number] = _Class(self._scratch)
            near = overlap[np.ix_(mine, theirs)]
            names = [(drive, track) for track in truth.tracks[mine].tolist()]
            frame = self.frames - 1
            one, other = known.rows.add(names, [(drive, track) for track in tracks[theirs].tolist()], near, frame)
            known.counts.add(frame, len(one), len(other), *known.clear.add(one, other, near, frame))

    def parts(self) -> dict[int, TrackParts]:
        """Give what the figures of each class are made of, frame by frame; frames count from 0 in order of `add`."""
        return {number: each.parts() for number, each in sorted(self._classes.items())}

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


def pooled(figures: Iterable[TrackingFigures]) -> TrackingFigures:
    """Add the counts of classes or drives (trackeval's "detections averaged")."""
    return reduce(add, figures, TrackingFigures(NOTHING, IdentityFigures(0, 0, 0), no_hota()))
