"""Other benchmarks' ways to judge boxes, for figures that are to be set beside published ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import Accumulator, FrameBook, Subject
from hilgui.evaluation.average_precision import COCO_FIGURES, AveragePrecision
from hilgui.evaluation.clusters import clusters_of
from hilgui.evaluation.detection_intervals import coco_values
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.intervals import resampled
from hilgui.evaluation.kitti import KittiQuality
from hilgui.evaluation.voc import VocQuality
from hilgui.records import Detections, Moment, Truth


class InclusiveQuality:
    """COCO's figures over boxes whose last pixel belongs to them, as Scalabel judges BDD100K (`scalabel.…`).

    Width is x2 - x1 + 1 for labels and detections alike, areas follow.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._precision = AveragePrecision(subject.judged)
        self._book = FrameBook(subject.scratch)

    def start_drive(self, name: str) -> None:
        """Go on: average precision knows no order, drives are what is resampled."""
        self._book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference = moment.inferences.get(self._subject.role)
        if inference is not None and moment.truth is not None:
            self._book.add(moment.ref)
            self._precision.add(*inclusive(inference.detections, moment.truth))

    def figures(self) -> dict[str, Figure]:
        """Read the twelve figures of COCO, and AP of each class."""
        name_of = self._subject.vocabulary.name
        figures = {f"scalabel.{name}": Figure(*value) for name, value in self._precision.coco().items()}
        for number, mine in self._precision.figures().per_class.items():
            figures[f"scalabel.map_50_95.{name_of(number)}"] = Figure(mine.map_50_95, mine.truths)
        return figures

    def with_intervals(self) -> dict[str, Figure]:
        """Read the figures with their interval, or the reason why there is none."""
        clusters = clusters_of(self._book)

        def read(draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
            drawn = coco_values(self._precision, clusters, draws)
            values = {f"scalabel.{name}": drawn[name] for name in COCO_FIGURES}
            for column, number in enumerate(self._precision.judged):
                name = f"scalabel.map_50_95.{self._subject.vocabulary.name(number)}"
                values[name] = drawn["map_50_95."][:, column]
            return values

        return resampled(self.figures(), clusters, read)

    def details(self) -> dict[str, Any]:
        """Give nothing more than numbers."""
        return {}


PROTOCOLS: dict[str, Callable[[Subject], Accumulator] | None] = {
    "coco": None,  # always measured
    "kitti": KittiQuality,
    "voc": VocQuality,
    "scalabel": InclusiveQuality,
}
"""What `hilgui evaluate --protocol` knows; figures of a protocol carry its name in front."""


def inclusive(detections: Detections, truth: Truth) -> tuple[Detections, Truth]:
    """Move the right and lower side of all boxes one pixel out."""
    boxes = truth.boxes.copy()
    boxes[:, 2:] += 1.0
    shown = detections.boxes.astype(np.float64)
    shown[:, 2:] += 1.0
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    # Kept in float64: rounding 1279.9964 + 1 to float32 would move overlaps that lie on a threshold.
    return replace(detections, boxes=shown), replace(truth, boxes=boxes, areas=areas)  # type: ignore[arg-type]
