"""Detection quality of one model: average precision, and the counts at its operating point."""

from __future__ import annotations

from typing import Any

import numpy as np

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.figures import DetectionFigures
from hilgui.records import Judgement, Moment

_AP = ("map_50_95", "map_50", "map_75")


class DetectionQuality:
    """Accumulates the boxes of one model; see `Accumulator`."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._precision = AveragePrecision(subject.judged)
        size = len(subject.vocabulary.names)
        self._counts = np.zeros((size, 3), np.int64)  # matched, missed, phantoms
        self.book = FrameBook()

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.truth
        comparison = moment.comparisons.get(self._subject.role)
        if inference is None or truth is None or comparison is None:
            return
        self.book.add(moment.ref)
        self._precision.add(inference.detections, truth)
        found = inference.detections.classes[: len(comparison.detections)]
        np.add.at(self._counts[:, 0], truth.classes[comparison.truths == Judgement.MATCHED], 1)
        np.add.at(self._counts[:, 1], truth.classes[comparison.truths == Judgement.UNMATCHED], 1)
        np.add.at(self._counts[:, 2], found[comparison.detections == Judgement.UNMATCHED], 1)

    def average_precision(self) -> DetectionFigures:
        """Read average precision alone."""
        return self._precision.figures()

    def figures(self) -> dict[str, Figure]:
        """Read all figures: `map_50_95`, `recall`, `precision`, `f1`, and each with `.CLASS`."""
        read = self._precision.figures()
        names = self._subject.vocabulary
        figures = {name: Figure(getattr(read, name), read.truths) for name in _AP}
        figures |= _rates("", self._counts.sum(axis=0).tolist())
        for number, mine in read.per_class.items():
            label = f".{names.name(number)}"
            figures |= {f"{name}{label}": Figure(getattr(mine, name), mine.truths) for name in _AP}
            figures |= _rates(label, self._counts[number].tolist())
        return figures

    def details(self) -> dict[str, Any]:
        """Give nothing yet."""
        return {}


def _rates(label: str, counts: list[int]) -> dict[str, Figure]:
    matched, missed, phantoms = counts
    truths, found = matched + missed, matched + phantoms
    both = truths + found
    return {
        f"recall{label}": Figure(matched / truths if truths else None, truths),
        f"precision{label}": Figure(matched / found if found else None, found, "detections"),
        f"f1{label}": Figure(2 * matched / both if both else None, both, "truths and detections"),
    }
