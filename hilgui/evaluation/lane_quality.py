"""Lane quality of one model: TuSimple's accuracy and CULane's F1 over the labelled frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.lane_scores import culane_counts, tusimple_score
from hilgui.records import Moment


class LaneQuality:
    """Accumulates the lanes of one model; see `Accumulator`.

    `tusimple_accuracy`, `tusimple_fp`, `tusimple_fn` are means over frames, `culane_f1`, `culane_precision` and
    `culane_recall` come from counts over all frames.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._scores = np.zeros(3)
        self._counts = np.zeros(3, np.int64)  # matched, too many, missing
        self._frames = 0

    def start_drive(self, name: str) -> None:
        """Begin another drive; lanes are judged frame by frame."""

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.lane_truth
        if inference is None or inference.lanes is None or truth is None:
            return
        size = (moment.ref.width, moment.ref.height)
        score = tusimple_score(inference.lanes.lines, truth.lanes, *size)
        counts = culane_counts(inference.lanes.lines, truth.lanes, *size)
        self._scores += (score.accuracy, score.false_positive, score.false_negative)
        self._counts += (counts.true_positives, counts.false_positives, counts.misses)
        self._frames += 1

    def figures(self) -> dict[str, Figure]:
        """Read the figures so far."""
        if not self._frames:
            return {}
        accuracy, false, missed = (self._scores / self._frames).tolist()
        hits, many, missing = self._counts.tolist()
        said, labelled = hits + many, hits + missing
        both = said + labelled
        return {
            "tusimple_accuracy": Figure(accuracy, self._frames, "frames"),
            "tusimple_fp": Figure(false, self._frames, "frames", "lower"),
            "tusimple_fn": Figure(missed, self._frames, "frames", "lower"),
            "culane_f1": Figure(2 * hits / both if both else None, both, "lanes"),
            "culane_precision": Figure(hits / said if said else None, said, "lanes"),
            "culane_recall": Figure(hits / labelled if labelled else None, labelled, "lanes"),
        }

    def details(self) -> dict[str, Any]:
        """Give nothing beyond the figures."""
        return {}
