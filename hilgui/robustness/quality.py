"""How good a model is under one condition: average precision with its resamples, and the frames that went worst.

mPC and rPC as Michaelis et al. define them (Benchmarking Robustness in Object Detection, 2019): mPC is the mean of the
measure over corruptions and severities, first over the severities of each; rPC is mPC over the measure on clean frames.
Every condition is resampled by the same draws of clusters, so intervals of means, ratios and differences are those of
paired figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import AveragePrecision, Clusters, Interval
from hilgui.evaluation.clusters import percentile_interval, resample
from hilgui.evaluation.ranked import RankedRows
from hilgui.records import Role
from hilgui.robustness.drives import Drives
from hilgui.robustness.looking import Look
from hilgui.robustness.question import MEASURES
from hilgui.robustness.result import Headline

RESAMPLES = 400
CLEAN = "clean"

Draws = NDArray[np.float32]
Key = tuple[str, str, Role]  # corruption ("clean"), severity (""), model


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """The measure of one model under one condition."""

    value: float | None
    by_class: dict[str, float | None]
    truths: int
    draws: Draws  # (RESAMPLES,) the measure of each resample, NaN where it has no truths


class Meter:
    """Collects the looks of one condition, in order, and reads each model's quality."""

    def __init__(self, drives: Drives, clusters: Clusters, measure: str) -> None:
        self._drives = drives
        self._clusters = clusters
        self._place = list(MEASURES).index(measure)
        self._precision = {role: AveragePrecision(drives.judged) for role in drives.models}

    def add(self, look: Look) -> None:
        """Take one frame."""
        for role, detections in look.detections.items():
            self._precision[role].add(detections, look.labelled.truth)

    def read(self, role: Role) -> Quality:
        """Read over all frames."""
        precision = self._precision[role]
        ranked = precision.ranked()
        whole = ranked.averages()
        names = self._drives.vocabulary
        by_class = {
            names.name(number): whole.of_class(column)[self._place]
            for column, number in enumerate(precision.judged)
            if whole.truths[column]
        }

        draws = resampled(ranked, self._clusters, self._place).astype(np.float32)
        return Quality(whole.mean[self._place], by_class, int(whole.truths.sum()), draws)


def resampled(ranked: RankedRows, clusters: Clusters, place: int = 0) -> NDArray[np.float64]:
    """Read one of MEASURES for every draw: (RESAMPLES,), NaN where a draw has no truths."""

    def value(weights: NDArray[np.int64]) -> NDArray[np.float64]:
        mean = ranked.averages(weights[clusters.of_frame]).mean[place]
        return np.array([np.nan if mean is None else mean])

    return resample(value, clusters.draws(RESAMPLES))[:, 0]


def interval_of(draws: Draws, clusters: Clusters) -> Interval | None:
    """Give the interval of resampled values."""
    return percentile_interval(draws.astype(np.float64), clusters)


def headlines(
    values: Mapping[Key, float | None],
    draws: Mapping[Key, Draws],
    rows: Sequence[str],
    columns: Sequence[str],
    roles: Sequence[Role],
    clusters: Clusters,
) -> tuple[Headline, ...]:
    """Give clean measure, mPC and rPC of each model, and candidate minus baseline; what is not whole is left out."""
    told: list[Headline] = []
    figures: dict[tuple[str, Role], tuple[float, Draws]] = {}
    for role in roles:
        clean = values.get((CLEAN, "", role))
        if clean is None:
            continue
        figures["clean", role] = clean, draws[CLEAN, "", role]
        keys = [[(row, column, role) for column in columns] for row in rows]
        if not rows or any(values.get(key) is None for line in keys for key in line):
            continue
        mean = float(np.mean([np.mean([values[key] for key in line]) for line in keys]))
        drawn = np.mean([np.mean([draws[key] for key in line], axis=0) for line in keys], axis=0).astype(np.float32)
        figures["mPC", role] = mean, drawn
        if clean > 0:
            with np.errstate(divide="ignore", invalid="ignore"):
                figures["rPC", role] = mean / clean, (drawn / draws[CLEAN, "", role]).astype(np.float32)
    for (name, role), (value, drawn) in figures.items():
        told.append(Headline(name, role, value, interval_of(drawn, clusters)))
    for name in ("clean", "mPC", "rPC"):
        pair = [figures.get((name, role)) for role in (Role.BASELINE, Role.CANDIDATE)]
        if pair[0] is not None and pair[1] is not None:
            told.append(Headline(name, None, pair[1][0] - pair[0][0], interval_of(pair[1][1] - pair[0][1], clusters)))
    return tuple(told)
