"""Pascal VOC's average precision (devkit of 2007 and 2010): each detection looks at the one truth it overlaps most.

Differs from COCO: that truth may be taken already, then the detection is a duplicate, even where another would be
free; boxes contain their last pixel (+1); one IoU threshold; no limit of detections. Truths that are `ignore`
(difficult) or crowd are not counted, and neither are detections that look at them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.clusters import clusters_of, resample
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.intervals import resampled
from hilgui.evaluation.overlap import iou_matrix
from hilgui.records import Detections, Moment, Truth

IOU = 0.5

_Rows = tuple[NDArray[np.float32], NDArray[np.int8]]  # score, +1 hit, -1 wrong, 0 not counted


class VocRows:
    """The detections of one class as VOC matches them, frame by frame."""

    def __init__(self, iou: float = IOU) -> None:
        self._iou = iou
        self._rows: list[_Rows] = []
        self._truths_of: list[int] = []  # counted ones of each frame
        self._counts: NDArray[np.int64] = np.empty(0, np.int64)  # the same, for sums
        self._sorted: tuple[NDArray[np.int8], NDArray[np.int64]] | None = None
        self.truths = 0

    def add(self, boxes: NDArray[np.floating], scores: NDArray[np.float32], truth: Truth) -> None:
        """Take detections by falling score and the truths of the class."""
        counted = ~(truth.ignore | truth.crowd)
        self.truths += int(counted.sum())
        words = np.full(len(boxes), -1, np.int8)
        if len(truth) and len(boxes):
            last_pixel = np.array([0.0, 0.0, 1.0, 1.0])
            overlap = iou_matrix(boxes.astype(np.float64) + last_pixel, truth.boxes + last_pixel)
            taken: set[int] = set()
            for row, best in enumerate(overlap.argmax(axis=1).tolist()):
                if overlap[row, best] < self._iou:
                    continue
                if not counted[best]:
                    words[row] = 0
                elif best not in taken:
                    words[row] = 1
                    taken.add(best)
        self._rows.append((scores, words))
        self._truths_of.append(int(counted.sum()))
        self._sorted = None

    def curve(self, weights: NDArray[np.int64] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give recall and precision after each counted detection; `weights` says how often each frame counts."""
        words, frames = self._by_score()
        drawn = np.ones(len(words), np.int64) if weights is None else weights[frames]
        truths = self._count(weights)
        known = (words != 0) & (drawn > 0)
        words, drawn = words[known], drawn[known]
        true = np.cumsum(np.where(words == 1, drawn, 0)).astype(np.float64)
        return true / max(truths, 1), true / np.cumsum(drawn)

    def _by_score(self) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """Give what each detection is and its frame, by falling score."""
        if self._sorted is None:
            scores = np.concatenate([rows[0] for rows in self._rows]) if self._rows else np.empty(0, np.float32)
            words = np.concatenate([rows[1] for rows in self._rows]) if self._rows else np.empty(0, np.int8)
            frames = np.repeat(np.arange(len(self._rows)), [len(rows[0]) for rows in self._rows])
            order = np.argsort(-scores, kind="stable")
            self._sorted = words[order], frames[order]
        return self._sorted

    def _count(self, weights: NDArray[np.int64] | None) -> int:
        if weights is None:
            return self.truths
        if len(self._counts) != len(self._truths_of):
            self._counts = np.array(self._truths_of, np.int64)
        return int(weights @ self._counts)

    def averages(self, weights: NDArray[np.int64] | None = None) -> tuple[float, float] | None:
        """Read both averages from one curve, None without a truth.

        The 11-point average (2007) is of the best precision from each recall 0, .1, … 1 on; the other is the area below
        the envelope (2010).
        """
        if not self._count(weights):
            return None
        recall, precision = self.curve(weights)
        points = (precision[recall >= point].max(initial=0.0) for point in np.arange(0.0, 1.1, 0.1))
        steps = np.diff(np.concatenate(([0.0], recall, [1.0])))
        envelope = np.maximum.accumulate(np.concatenate((precision, [0.0]))[::-1])[::-1]
        return float(sum(points) / 11), float((steps * envelope).sum())


class VocQuality:
    """Accumulates VOC's figures: `voc.ap_11` and `voc.ap_all` at IoU .5, over classes and for each."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._classes = {number: VocRows() for number in subject.judged}
        self._book = FrameBook(subject.scratch)

    def start_drive(self, name: str) -> None:
        """Go on: average precision knows no order, drives are what is resampled."""
        self._book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference = moment.inferences.get(self._subject.role)
        if inference is None or moment.truth is None:
            return
        detections: Detections = inference.detections
        self._book.add(moment.ref)
        for number, rows in self._classes.items():
            mine = detections.classes == number
            rows.add(
                detections.boxes[mine], detections.scores[mine], moment.truth.where(moment.truth.classes == number)
            )

    def figures(self) -> dict[str, Figure]:
        """Read the figures; means are over the classes that have truths."""
        figures: dict[str, Figure] = {}
        total = sum(rows.truths for rows in self._classes.values())
        averages = {number: rows.averages() for number, rows in self._classes.items()}
        for place, name in enumerate(("ap_11", "ap_all")):
            read = {number: None if each is None else each[place] for number, each in averages.items()}
            known = [value for value in read.values() if value is not None]
            figures[f"voc.{name}"] = Figure(float(np.mean(known)) if known else None, total)
            for number, value in read.items():
                label = self._subject.vocabulary.name(number)
                figures[f"voc.{name}.{label}"] = Figure(value, self._classes[number].truths)
        return figures

    def with_intervals(self) -> dict[str, Figure]:
        """Read the figures with their interval, or the reason why there is none."""
        figures, clusters = self.figures(), clusters_of(self._book)
        held = [number for number, rows in self._classes.items() if rows.truths]

        def averages(weights: NDArray[np.int64]) -> NDArray[np.float64]:
            of_frame = weights[clusters.of_frame]
            table = [self._classes[number].averages(of_frame) or (np.nan, np.nan) for number in held]
            return np.array(table, np.float64).reshape(-1, 2).T

        def read(draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
            values, drawn = {}, resample(averages, draws)
            for place, name in enumerate(("ap_11", "ap_all")):
                table = drawn[:, place]
                known = ~np.isnan(table)
                with np.errstate(invalid="ignore"):
                    values[f"voc.{name}"] = np.where(known, table, 0.0).sum(axis=1) / known.sum(axis=1)
                for column, number in enumerate(held):
                    values[f"voc.{name}.{self._subject.vocabulary.name(number)}"] = table[:, column]
            return values

        return resampled(figures, clusters, read)

    def details(self) -> dict[str, Any]:
        """Give nothing more than numbers."""
        return {}
