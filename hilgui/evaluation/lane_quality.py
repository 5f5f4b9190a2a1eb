"""Lane quality of one model: TuSimple's accuracy and CULane's F1 over the labelled frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.frame_values import FrameValues
from hilgui.evaluation.lane_scores import culane_counts, tusimple_score
from hilgui.records import Moment

_MEANS = ("tusimple_accuracy", "tusimple_fp", "tusimple_fn")
_WRONG = {
    "culane_f1": ("many", "missing"),
    "culane_precision": ("many",),
    "culane_recall": ("missing",),
}  # lanes that make it worse


class LaneQuality:
    """Accumulates the lanes of one model; see `Accumulator`.

    `tusimple_accuracy`, `tusimple_fp`, `tusimple_fn` are means over frames, `culane_f1`, `culane_precision` and
    `culane_recall` come from counts over all frames.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._values = FrameValues((*_MEANS, "hits", "many", "missing"), subject.scratch)

    @property
    def book(self) -> FrameBook:
        """Give the judged frames."""
        return self._values.book

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.lane_truth
        if inference is None or inference.lanes is None or truth is None:
            return
        size = (moment.ref.width, moment.ref.height)
        score = tusimple_score(inference.lanes.lines, truth.lanes, *size)
        counts = culane_counts(inference.lanes.lines, truth.lanes, *size)
        means = (score.accuracy, score.false_positive, score.false_negative)
        self._values.add(moment.ref, (*means, counts.true_positives, counts.false_positives, counts.misses))

    def figures(self) -> dict[str, Figure]:
        """Read the figures so far."""
        frames = len(self._values)
        if not frames:
            return {}
        accuracy, false, missed = (float(self._values.of(name).sum()) / frames for name in _MEANS)
        hits, many, missing = (int(self._values.of(name).sum()) for name in ("hits", "many", "missing"))
        said, labelled = hits + many, hits + missing
        both = said + labelled
        return {
            "tusimple_accuracy": Figure(accuracy, frames, "frames"),
            "tusimple_fp": Figure(false, frames, "frames", "lower"),
            "tusimple_fn": Figure(missed, frames, "frames", "lower"),
            "culane_f1": Figure(2 * hits / both if both else None, both, "lanes"),
            "culane_precision": Figure(hits / said if said else None, said, "lanes"),
            "culane_recall": Figure(hits / labelled if labelled else None, labelled, "lanes"),
        }

    def with_intervals(self) -> dict[str, Figure]:
        """Read all figures with their interval, or the reason why there is none."""
        if not len(self._values):
            return {}
        values = self._values
        hits, many, missing = (values.of(name) for name in ("hits", "many", "missing"))
        shares = {name: values.mean(name) for name in _MEANS} | {
            "culane_f1": values.share(2 * hits, 2 * hits + many + missing, "lanes"),
            "culane_precision": values.share(hits, hits + many, "lanes"),
            "culane_recall": values.share(hits, hits + missing, "lanes"),
        }
        return values.with_intervals(self.figures(), shares)

    def behind(self, figure: str) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Give frames of the book and how much each makes a figure worse, None for a figure of others."""
        values = self._values
        if figure == "tusimple_accuracy":
            sizes = 1.0 - values.of(figure)
        elif figure in _MEANS:
            sizes = values.of(figure)
        elif figure in _WRONG:
            sizes = np.sum([values.of(name) for name in _WRONG[figure]], axis=0)
        else:
            return None
        return np.arange(len(values)), sizes

    def details(self) -> dict[str, Any]:
        """Give nothing beyond the figures."""
        return {}
