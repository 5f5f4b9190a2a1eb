"""What is compared of a frame: figures of the picture and of the outputs, one row a frame."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilgui.records import FeatureSample, FrameRef, Moment, Role, Vocabulary

PICTURE = ("brightness", "contrast", "overexposed", "sharpness", "saturation", "warmth", "noise")
FEATURE = "feature:"  # "baseline.feature:07": the network's deepest features, averaged over the picture
_EDGE = 1e-6  # of a turn: stamps are rounded
TOP = "top:"  # "baseline.top:car": best score of a class, the score map of the class max-pooled over the picture


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Frames of one or several drives, one behind the other; a column without a number in any frame is left out."""

    names: tuple[str, ...]
    values: NDArray[np.float64]  # (N, len(names))
    seqs: NDArray[np.int64]  # (N,)
    times_s: NDArray[np.float64]  # (N,), NaN in an unordered set
    stretches: tuple[int, ...]  # frames of each drive

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.values)

    @property
    def is_ordered(self) -> bool:
        """Say whether neighbours follow each other in time."""
        return not bool(np.isnan(self.times_s).any())

    def only(self, names: tuple[str, ...]) -> Sample:
        """Keep these columns, in this order."""
        return replace(self, names=names, values=self.values[:, [self.names.index(name) for name in names]])


def figures_of(moment: Moment, thresholds: Mapping[Role, float], vocabulary: Vocabulary) -> dict[str, float]:
    """Give the figures of one frame by name; pixels are not needed.

    Pictures: see `FrameHealth`; the sharpness is log10(1 + variance of the Laplacian). Outputs of a detector:
    detections at the threshold, best score, sum of all stored scores (0.001 and more), mean score of the detections at
    the threshold and their mean height as a share of the picture (0 where there are none), best score of every class.
    """
    health = moment.health
    found = dict(
        zip(
            PICTURE,
            (
                health.mean,
                health.deviation,
                health.saturated,
                math.log10(1.0 + health.sharpness) if health.sharpness >= 0 else math.nan,
                health.saturation,
                health.warmth,
                health.noise,
            ),
            strict=True,
        )
    )
    for role, threshold in thresholds.items():
        inference = moment.inferences.get(role)
        if inference is None:
            continue
        detections = inference.detections
        scores = detections.scores
        count = detections.count_above(threshold)  # the first ones: scores fall
        found[f"{role}.detections"] = float(count)
        found[f"{role}.score"] = float(scores[0]) if len(scores) else 0.0
        found[f"{role}.mass"] = float(scores.sum())
        found[f"{role}.mean_score"] = float(scores[:count].mean()) if count else 0.0
        boxes = detections.boxes[:count]
        heights = (boxes[:, 3] - boxes[:, 1]) / max(moment.ref.height, 1)
        found[f"{role}.height"] = float(heights.mean()) if count else 0.0
        best: dict[int, float] = {}
        for code, score in zip(detections.classes.tolist(), scores.tolist(), strict=True):
            best.setdefault(code, score)  # scores fall
        for code in sorted(vocabulary.judged):
            found[f"{role}.{TOP}{vocabulary.name(code)}"] = best.get(code, 0.0)
    return found


def feature_figures(sample: FeatureSample) -> dict[str, float]:
    """Give the features of one frame by name."""
    return {
        f"{role}.{FEATURE}{place:02d}": number
        for role, numbers in sample.features.items()
        for place, number in enumerate(numbers.tolist())
    }


class Turns:
    """Chooses frames for their features, so many a second of each camera; every picture of an unordered set."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._last: dict[str, int] = {}  # turn of each camera, counted from its beginning

    def is_due(self, ref: FrameRef) -> bool:
        """Say whether this frame is the first of its turn; frames come in order."""
        if math.isnan(ref.time_s):
            return True
        turn = math.floor(ref.time_s * self._per_s + _EDGE)
        if turn <= self._last.get(ref.channel, turn - 1):
            return False
        self._last[ref.channel] = turn
        return True


class Sampler:
    """Collects figures frame by frame; a frame that lacks some of those of the first is left out and counted.

    `wanted` are those that matter: a candidate that skips frames of a live run takes none away from the others.
    """

    def __init__(self, wanted: Collection[str] | None = None) -> None:
        self._wanted = wanted
        self._names: tuple[str, ...] = ()
        self._rows: list[tuple[float, ...]] = []
        self._seqs: list[int] = []
        self._times_s: list[float] = []
        self._stretches: list[int] = []
        self.left_out = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Name the figures of the first frame."""
        return self._names

    def start_drive(self) -> None:
        """Begin another drive."""
        self._stretches.append(0)

    def add(self, seq: int, time_s: float, figures: Mapping[str, float]) -> None:
        """Take the figures of the next frame."""
        if not self._names:
            self._names = tuple(name for name in figures if self._wanted is None or name in self._wanted)
        if not all(name in figures for name in self._names):
            self.left_out += 1
            return
        self._rows.append(tuple(figures[name] for name in self._names))
        self._seqs.append(seq)
        self._times_s.append(time_s)
        self._stretches[-1] += 1

    def sample(self) -> Sample:
        """Give all of them; columns that are not numbers in every frame are left out."""
        values = np.array(self._rows, np.float64).reshape(len(self._rows), len(self._names))
        known = np.flatnonzero(np.isfinite(values).all(axis=0))
        names = tuple(self._names[place] for place in known.tolist())
        stretches = tuple(stretch for stretch in self._stretches if stretch)
        return Sample(names, values[:, known], np.array(self._seqs, np.int64), np.array(self._times_s), stretches)


def is_single(name: str) -> bool:
    """Say whether a figure is compared by itself; many of one kind are compared together alone."""
    return TOP not in name and FEATURE not in name


def bundle_of(name: str) -> str:
    """Name what a figure is compared together with: its group, "baseline features" for those of the network."""
    return f"{group_of(name)} features" if FEATURE in name else group_of(name)


def group_of(name: str) -> str:
    """Name what a figure belongs to: "picture", "baseline" or "candidate"."""
    role, dot, _ = name.partition(".")
    return role if dot else "picture"
