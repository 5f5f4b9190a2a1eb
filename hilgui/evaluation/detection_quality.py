"""Detection quality of one model: average precision, the operating point, errors, and how sure all of it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.accumulator import FrameBook, Subject
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.clusters import RESAMPLES, SEED, Clusters, PerCluster, clusters_of, jackknife
from hilgui.evaluation.detection_intervals import belief_values, coco_values, gain_values
from hilgui.evaluation.error_split import ERRORS, ErrorSplit, split_errors
from hilgui.evaluation.figure import Figure
from hilgui.evaluation.figures import DetectionFigures
from hilgui.evaluation.intervals import resampled
from hilgui.evaluation.operating_point import BACKGROUND, Outcomes, outcomes
from hilgui.evaluation.row_log import RowLog
from hilgui.evaluation.score_curves import reliability, score_curves
from hilgui.records import Moment

AP = ("map_50_95", "map_50", "map_75")
RATES = ("recall", "precision", "f1")

_BLOCK_FRAMES = 256  # whose outcomes are still apart
_OF = {"recall": "truths", "precision": "detections", "f1": "truths and detections"}


class DetectionQuality:
    """Accumulates the boxes of one model; see `Accumulator`. Figures: docs/evaluation.md."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.precision = AveragePrecision(subject.judged, with_nearest=True, with_scored=True, scratch=subject.scratch)
        self.book = FrameBook(subject.scratch)
        self._outcomes: list[Outcomes] = []  # of the newest frames, one part a frame
        self._before = RowLog(Outcomes, subject.scratch)

    def start_drive(self, name: str) -> None:
        """Begin another drive."""
        self.book.start_drive(name)

    def add(self, moment: Moment) -> None:
        """Take the next evaluated frame."""
        inference, truth = moment.inferences.get(self.subject.role), moment.truth
        comparison = moment.comparisons.get(self.subject.role)
        if inference is None or truth is None or comparison is None:
            return
        frame = self.book.add(moment.ref)
        self.precision.add(inference.detections, truth)
        self._outcomes.append(outcomes(frame, inference.detections, truth, comparison))
        if len(self._outcomes) == _BLOCK_FRAMES:  # joined, as four small arrays a frame are half a kilobyte
            self._join()

    def average_precision(self) -> DetectionFigures:
        """Read average precision alone."""
        return self.precision.figures()

    def outcomes(self) -> Outcomes:
        """Give what became of truths and detections at the operating point, all frames so far."""
        if self._outcomes:
            self._join()
        return self._before.joined()

    def errors(self) -> ErrorSplit:
        """Split the errors so far by their cause."""
        rows, truths = self.precision.rows()
        return split_errors(rows, truths, self.precision.nearest(), len(self.subject.judged))

    def figures(self) -> dict[str, Figure]:
        """Read all figures, those of a class with `.CLASS` behind the name; without intervals."""
        name_of = self.subject.vocabulary.name
        counts = _counts(self.outcomes(), len(self.subject.vocabulary.names))
        figures = {name: Figure(*value) for name, value in self.precision.coco().items()}
        figures |= _rates("", counts[:, self.subject.judged].sum(axis=1))
        figures |= self._beliefs()
        errors = self.errors()
        gains = errors.gains
        for error in ERRORS:
            figures[f"tide.{error}"] = Figure(gains[error], errors.count(error), "errors", "lower")
        for number, mine in self.precision.coco_by_class().items():
            label = f".{name_of(number)}"
            wanted = mine if mine["map_50_95"][1] else {name: mine[name] for name in AP}
            figures |= {f"{name}{label}": Figure(*value) for name, value in wanted.items()}
            figures |= _rates(label, counts[:, number])
        return figures

    def details(self) -> dict[str, Any]:
        """Give curves and matrices: `precision_recall`, `by_score`, `reliability`, `confusion`."""
        ranked, scored, names = self.precision.ranked(), self.precision.scored(), self.subject.vocabulary
        curves = {}
        for column, number in enumerate(self.subject.judged):
            recall, precision, scores = ranked.curve(column)
            picked = np.unique(np.linspace(0, max(len(recall) - 1, 0), min(len(recall), 101)).round().astype(np.int64))
            curves[names.name(number)] = {
                "recall": recall[picked].tolist(),
                "precision": precision[picked].tolist(),
                "score": scores[picked].tolist(),
            }
        return {
            "precision_recall": curves,
            "by_score": score_curves(scored).as_json(),
            "reliability": reliability(scored).as_json(),
            "confusion": self._confusion(),
        }

    def with_intervals(self, resamples: int = RESAMPLES, seed: int = SEED) -> dict[str, Figure]:
        """Read all figures with their interval (drives or blocks, never frames), or the reason why there is none."""
        figures, clusters = self.figures(), self.clusters()
        return resampled(figures, clusters, lambda draws: self._resampled(clusters, draws), resamples, seed)

    def clusters(self, unit: str | None = None) -> Clusters:
        """Give what is resampled."""
        return clusters_of(self.book, unit)

    def per_cluster(self, figure: str, clusters: Clusters | None = None) -> PerCluster:
        """Give a figure of each cluster, for tests over drives: rates as they are, AP as jackknife pseudo-values.

        Raises KeyError for a figure that is not resampled.
        """
        clusters = clusters or self.clusters()
        names, read = self.readings(clusters)
        place = names.index(figure) if figure in names else -1
        if place < 0:
            raise KeyError(figure)
        is_rate = figure.split(".")[0] in RATES
        if is_rate:
            values = np.array([read(row)[place] for row in np.eye(len(clusters), dtype=np.int64)])
        else:
            values = jackknife(read, len(clusters))[:, place]
        return PerCluster(figure, clusters.unit, clusters.names, values, not is_rate)

    def readings(self, clusters: Clusters) -> tuple[list[str], Callable[[NDArray[np.int64]], NDArray[np.float64]]]:
        """Give names of figures and a function that reads all of them with weights of clusters, NaN where none."""
        judged = self.subject.judged
        labels = [f".{self.subject.vocabulary.name(number)}" for number in judged]
        names = [f"{name}{label}" for label in ("", *labels) for name in (*AP, *RATES)]
        ranked, mine = self.precision.ranked().grouped(clusters.of_frame), self.outcomes()
        per_cluster = self._rates_by_cluster(mine, clusters)

        def read(weights: NDArray[np.int64]) -> NDArray[np.float64]:
            averages = ranked.averages(weights)
            counts = np.tensordot(weights, per_cluster, axes=1)
            rows = [(*averages.mean, *_ratios(counts.sum(axis=1)))]
            rows += [(*averages.of_class(column), *_ratios(counts[:, column])) for column in range(len(judged))]
            return np.array(rows, np.float64).reshape(-1)

        return names, read

    def _rates_by_cluster(self, mine: Outcomes, clusters: Clusters) -> NDArray[np.float64]:
        """Count found, missed and phantom by cluster and judged class: (clusters, 3, classes)."""
        size = len(self.subject.vocabulary.names)
        counts = np.zeros((len(clusters), 3, size))
        of_cluster = clusters.of_frame[mine.frames]
        for kind, (mask, classes) in enumerate(_kinds(mine)):
            np.add.at(counts[:, kind], (of_cluster[mask], classes[mask]), 1)
        return counts[:, :, self.subject.judged]

    def _resampled(self, clusters: Clusters, draws: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Read every figure for every draw."""
        labels = [self.subject.vocabulary.name(number) for number in self.subject.judged]
        counts = np.tensordot(draws, self._rates_by_cluster(self.outcomes(), clusters), axes=1)
        values = dict(zip(RATES, _all_ratios(counts.sum(axis=2)), strict=True))
        tables = dict(zip(RATES, _all_ratios(np.moveaxis(counts, 2, 0)), strict=True))
        for name, each in coco_values(self.precision, clusters, draws).items():
            if name.endswith("."):
                tables[name[:-1]] = each.T
            else:
                values[name] = each
        for name, table in tables.items():
            values |= {f"{name}.{label}": row for label, row in zip(labels, table, strict=True)}
        values |= belief_values(self.precision, self.subject.threshold, clusters, draws)
        return values | gain_values(self.errors().mended, len(self.precision.rows()[0].scores), clusters, draws)

    def _join(self) -> None:
        self._before.add(Outcomes.joined(self._outcomes))
        self._outcomes = []

    def _beliefs(self) -> dict[str, Figure]:
        """Read what depends on scores: calibration at the operating point, the threshold with the best F1."""
        scored = self.precision.scored()
        shown = reliability(scored, self.subject.threshold)
        best = score_curves(scored).best
        truths = len(scored.truth_columns)
        return {
            "calibration_error": Figure(shown.error, int(shown.counts.sum()), "detections", "lower"),
            "best_f1": Figure(None if best is None else best[1], truths),
            "best_threshold": Figure(None if best is None else best[0], truths, better=""),
        }

    def _confusion(self) -> dict[str, Any]:
        """Count rows (what was there) by columns (what was shown); the last of both is the background."""
        classes = self.subject.judged
        place = np.full(len(self.subject.vocabulary.names) + 1, len(classes))
        place[classes] = np.arange(len(classes))
        mine = self.outcomes()
        counts = np.zeros((len(classes) + 1, len(classes) + 1), np.int64)
        np.add.at(counts, (place[mine.there], place[mine.shown]), 1)
        names = [*(self.subject.vocabulary.name(number) for number in classes), "background"]
        return {"classes": names, "counts": counts.tolist()}


def _kinds(mine: Outcomes) -> tuple[tuple[NDArray[np.bool_], NDArray[np.int32]], ...]:
    """Give mask and classes of what was found, missed and phantom."""
    return (
        (mine.found, mine.there),
        (~mine.found & (mine.there != BACKGROUND), mine.there),
        (~mine.found & (mine.shown != BACKGROUND), mine.shown),
    )


def _counts(mine: Outcomes, size: int) -> NDArray[np.float64]:
    """Count found, missed and phantom by class: (3, classes)."""
    return np.stack([np.bincount(classes[mask], minlength=size) for mask, classes in _kinds(mine)]).astype(float)


def _ratios(counts: NDArray[np.float64]) -> tuple[float, float, float]:
    """Give recall, precision and F1 of (found, missed, phantom); NaN for 0/0."""
    found, missed, phantoms = counts.tolist()
    pairs = ((found, found + missed), (found, found + phantoms), (2 * found, 2 * found + missed + phantoms))
    first, second, third = (up / down if down else float("nan") for up, down in pairs)
    return first, second, third


def _all_ratios(counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Give recall, precision and F1 of (..., 3) counts; NaN for 0/0."""
    found, missed, phantoms = np.moveaxis(counts, -1, 0)
    pairs = ((found, found + missed), (found, found + phantoms), (2 * found, 2 * found + missed + phantoms))
    with np.errstate(divide="ignore", invalid="ignore"):
        return tuple(up / down for up, down in pairs)


def _rates(label: str, counts: NDArray[np.float64]) -> dict[str, Figure]:
    found, missed, phantoms = (int(count) for count in counts.tolist())
    rests_on = (found + missed, found + phantoms, 2 * found + missed + phantoms)
    return {
        f"{name}{label}": Figure(value if count else None, count, _OF[name])
        for name, value, count in zip(RATES, _ratios(counts), rests_on, strict=True)
    }
