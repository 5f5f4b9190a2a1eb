"""Classification quality of one model: top-1, top-5 and the expected calibration error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.clusters import clusters_of
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.frame_values import FrameValues
from hilgui.evaluation.intervals import resampled, with_intervals
from hilgui.records import Moment

BINS = 15  # of equal width, after Guo et al. (ICML 2017)
_TOP = 5


class ClassificationQuality:
    """Accumulates the classes of whole pictures; see `Accumulator`. Any of the labelled classes is right."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._values = FrameValues(("top_1", "top_5", "score"), subject.scratch)

    @property
    def book(self) -> FrameBook:
        """Give the judged pictures."""
        return self._values.book

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self._subject.role), moment.class_truth
        if inference is None or inference.classification is None or truth is None:
            return
        said = inference.classification
        if not len(said.classes):
            return
        right = {truth.names[number].strip().casefold() for number in truth.classes.tolist()}
        hits = [bool(self._names(number) & right) for number in said.classes[:_TOP].tolist()]
        self._values.add(moment.ref, (hits[0], any(hits), float(said.scores[0])))

    def figures(self) -> dict[str, Figure]:
        """Read `top_1`, `top_5` and `ece`."""
        count = len(self._values)
        if not count:
            return {}
        first, among = (float(self._values.of(name).sum()) / count for name in ("top_1", "top_5"))
        gaps, _ = self._bins()
        return {
            "top_1": Figure(first, count, "pictures"),
            "top_5": Figure(among, count, "pictures"),
            "ece": Figure(float(np.abs(gaps.sum(axis=0)).sum() / count), count, "pictures", "lower"),
        }

    def with_intervals(self) -> dict[str, Figure]:
        """Read all figures with their interval, or the reason why there is none."""
        figures = self.figures()
        if not figures:
            return {}
        clusters = clusters_of(self.book)
        figures = with_intervals(figures, {name: self._values.mean(name) for name in ("top_1", "top_5")}, clusters)

        def read(draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
            gaps, frames = self._bins()[0], np.arange(len(self._values))
            by_cluster = np.stack([clusters.sums(frames, column) for column in gaps.T], axis=1)
            return {"ece": np.abs(draws @ by_cluster).sum(axis=1) / (draws @ clusters.sums(frames))}

        return figures | resampled({"ece": figures["ece"]}, clusters, read)

    def behind(self, figure: str) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
        """Give pictures and how much each makes a figure worse, None for a figure of others.

        Of the wrong ones, those that the model is surest of come first.
        """
        score = self._values.of("score")
        if figure in ("top_1", "top_5"):
            return np.arange(len(self._values)), (1.0 - self._values.of(figure)) * (1.0 + score)
        return (np.arange(len(self._values)), np.abs(score - self._values.of("top_1"))) if figure == "ece" else None

    def details(self) -> dict[str, Any]:
        """Give pictures, mean score and share of right ones in each bin as `class_calibration`."""
        if not len(self._values):
            return {}
        score, right, (_, places) = self._values.of("score"), self._values.of("top_1"), self._bins()
        sums = [np.bincount(places, each, BINS) for each in (np.ones(len(score)), score, right)]
        rows = [[int(count), own / count, hits / count] for count, own, hits in np.array(sums).T.tolist() if count]
        return {"class_calibration": rows}

    def _bins(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Give score minus right in the bin of each picture, (pictures, BINS), and the bins."""
        score = self._values.of("score")
        # A score on the border belongs to the lower bin, as in the paper.
        places = np.clip(np.ceil(score * BINS).astype(np.int64) - 1, 0, BINS - 1)
        gaps = np.zeros((len(score), BINS))
        gaps[np.arange(len(score)), places] = score - self._values.of("top_1")
        return gaps, places

    def _names(self, number: int) -> frozenset[str]:
        """Give what a class of the model may be called: its number, its name, each word for it ("tench, Tinca")."""
        names = self._subject.model_classes
        name = (names[number] if 0 <= number < len(names) else "").strip().casefold()
        return frozenset({str(number), name, *(part.strip() for part in name.split(","))} - {""})
