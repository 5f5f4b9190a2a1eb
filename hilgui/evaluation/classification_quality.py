"""Classification quality of one model: top-1, top-5 and the expected calibration error."""

from __future__ import annotations

from typing import Any

import numpy as np

from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.figure import Figure
from hilgui.records import Moment

BINS = 15  # of equal width, after Guo et al. (ICML 2017)
_TOP = 5


class ClassificationQuality:
    """Accumulates the classes of whole pictures; see `Accumulator`. Any of the labelled classes is right."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._frames = self._first = self._among = 0
        self._bins = np.zeros((BINS, 3))  # pictures, sum of scores, right ones

    def start_drive(self, name: str) -> None:
        """Begin another drive; pictures count alike."""

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.class_truth
        if inference is None or inference.classification is None or truth is None:
            return
        said = inference.classification
        if not len(said.classes):
            return
        right = {truth.names[number].strip().casefold() for number in truth.classes.tolist()}
        names = [self._name(number) for number in said.classes[:_TOP].tolist()]
        hit = names[0] in right
        self._frames += 1
        self._first += hit
        self._among += any(name in right for name in names)
        score = float(said.scores[0])
        # A score on the border belongs to the lower bin, as in the paper.
        self._bins[min(max(int(np.ceil(score * BINS)) - 1, 0), BINS - 1)] += (1, score, hit)

    def figures(self) -> dict[str, Figure]:
        """Read `top_1`, `top_5` and `ece`."""
        if not self._frames:
            return {}
        error = float(np.abs(self._bins[:, 1] - self._bins[:, 2]).sum() / self._frames)
        return {
            "top_1": Figure(self._first / self._frames, self._frames, "pictures"),
            "top_5": Figure(self._among / self._frames, self._frames, "pictures"),
            "ece": Figure(error, self._frames, "pictures", "lower"),
        }

    def details(self) -> dict[str, Any]:
        """Give pictures, mean score and share of right ones in each bin as `class_calibration`."""
        filled = self._bins[self._bins[:, 0] > 0]
        rows = [[int(count), score / count, right / count] for count, score, right in filled.tolist()]
        return {"class_calibration": rows} if rows else {}

    def _name(self, number: int) -> str:
        names = self._subject.model_classes
        return (names[number] if 0 <= number < len(names) else str(number)).strip().casefold()
