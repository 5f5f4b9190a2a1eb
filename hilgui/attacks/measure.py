"""How much damage was done: AP or accuracy with interval, the difference to clean, the share of attacks that worked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special  # scipy.stats takes half a second to import

from hilgui.attacks.aims import Goal, Target
from hilgui.attacks.gallery import Answer, Gallery, found
from hilgui.attacks.objective import remaining
from hilgui.evaluation import AveragePrecision, Clusters, Interval
from hilgui.evaluation.clusters import LEVEL, percentile_interval
from hilgui.evaluation.overlap import iou_matrix
from hilgui.evaluation.shares import Shares
from hilgui.robustness.quality import RESAMPLES, resampled


@dataclass(frozen=True, slots=True, eq=False)
class Damage:
    """One condition, measured on all pictures."""

    name: str
    value: float | None  # AP .50:.95, or the share of right answers
    interval: Interval | None
    value_50: float | None  # AP .50; None of a classifier
    change: Interval | None  # of value minus clean, paired
    success: float | None  # share of objects (answers) that were right clean and fell to the attack
    success_interval: Interval | None
    at_stake: int  # how many there were
    draws: NDArray[np.float64]  # (RESAMPLES,) of `value`
    ms: float = 0.0  # per picture, to make it

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""

        def interval(one: Interval | None) -> dict[str, Any] | None:
            return None if one is None else one.as_json()

        return {
            "name": self.name,
            "value": self.value,
            "interval": interval(self.interval),
            "ap_50": self.value_50,
            "change": interval(self.change),
            "success": self.success,
            "success_interval": interval(self.success_interval),
            "at_stake": self.at_stake,
            "ms_per_picture": round(self.ms, 2),
        }


def measure(
    name: str,
    gallery: Gallery,
    answers: Sequence[Answer],
    clean: Sequence[Answer],
    clean_draws: NDArray[np.float64] | None,
    targets: Sequence[Target],
    ms: float = 0.0,
) -> Damage:
    """Measure the answers under one condition beside those to the clean pictures, or these alone."""
    clusters = gallery.clusters()
    value: float | None
    value_50: float | None = None
    if gallery.is_classifier:
        value, drawn, interval = _accuracy(answers, clusters)
    else:
        value, value_50, drawn = _precision(gallery, answers, clusters)
        interval = percentile_interval(drawn, clusters)
    success, success_interval, at_stake = _fallen(gallery, answers, clean, targets, clusters)
    if clean_draws is None:
        return Damage(name, value, interval, value_50, None, None, None, at_stake, drawn, ms)
    change = percentile_interval(drawn - clean_draws, clusters)
    return Damage(name, value, interval, value_50, change, success, success_interval, at_stake, drawn, ms)


def worked(gallery: Gallery, answer: Answer, clean: Answer, target: Target) -> tuple[int, int]:
    """Count what fell to the attack on one picture, and what was at stake."""
    if target.goal is Goal.CREATE:
        before = -remaining(clean.inference, target) >= gallery.model.threshold
        after = -remaining(answer.inference, target) >= gallery.model.threshold
        return int(after and not before), int(not before)
    was, now = found(clean), found(answer)
    if target.goal is Goal.CHANGE and not gallery.is_classifier:
        taken = _called_otherwise(gallery, answer, clean)
        return int(taken.sum()), int(was.sum())
    return int((was & ~now).sum()), int(was.sum())


def wilson(hits: int, trials: int, level: float = LEVEL) -> Interval | None:
    """Give Wilson's score interval of a share (Wilson, JASA 1927); None of nothing."""
    if not trials:
        return None
    z = float(special.ndtri((1 + level) / 2))
    share, denominator = hits / trials, 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / denominator
    half = z * float(np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))) / denominator
    return Interval(max(0.0, centre - half), min(1.0, centre + half), level, "trial", trials, "Wilson")


def _called_otherwise(gallery: Gallery, answer: Answer, clean: Answer) -> NDArray[np.bool_]:
    """Say which objects that were found are not any more, while another class stands in their place."""
    was, now = found(clean), found(answer)
    assert clean.comparison is not None
    boxes = np.zeros((len(was), 4))
    rows = np.flatnonzero(clean.comparison.partner >= 0)
    boxes[clean.comparison.partner[rows]] = clean.detections.boxes[rows]
    shown = answer.detections.first(answer.detections.count_above(gallery.model.threshold))
    near = (iou_matrix(boxes, shown.boxes) >= 0.5).any(axis=1) if len(shown) else np.zeros(len(was), np.bool_)
    taken: NDArray[np.bool_] = was & ~now & near
    return taken


def _fallen(
    gallery: Gallery, answers: Sequence[Answer], clean: Sequence[Answer], targets: Sequence[Target], clusters: Clusters
) -> tuple[float | None, Interval | None, int]:
    pairs = [worked(gallery, *each) for each in zip(answers, clean, targets, strict=True)]
    frames = np.arange(len(pairs))
    table = np.array(pairs, np.float64).reshape(-1, 2)
    share = Shares(frames, table[:, 0], frames, table[:, 1], "objects", "lower")
    value, at_stake = share.figure().value, int(table[:, 1].sum())
    if gallery.is_classifier:
        return value, wilson(int(table[:, 0].sum()), at_stake), at_stake
    if value in (0.0, 1.0):  # every resample says the same: what none or all of so many clusters leave open
        return value, wilson(round(value * len(clusters)), len(clusters)), at_stake
    return value, share.interval(clusters), at_stake


def _accuracy(answers: Sequence[Answer], clusters: Clusters) -> tuple[float, NDArray[np.float64], Interval | None]:
    right = np.array([answer.is_right for answer in answers], np.float64)
    frames, draws = np.arange(len(right)), clusters.draws(RESAMPLES)
    drawn = (draws @ clusters.sums(frames, right)) / (draws @ clusters.sums(frames))
    return float(right.mean()), drawn, wilson(int(right.sum()), len(right))


def _precision(
    gallery: Gallery, answers: Sequence[Answer], clusters: Clusters
) -> tuple[float | None, float | None, NDArray[np.float64]]:
    precision = AveragePrecision(gallery.vocabulary.judged)
    for answer, shot in zip(answers, gallery.shots, strict=True):
        precision.add(answer.detections, shot.truth)
    ranked = precision.ranked()
    whole = ranked.averages().mean
    return whole[0], whole[1], resampled(ranked, clusters)


def clean_answers(gallery: Gallery) -> list[Answer]:
    """Show the pictures as they are."""
    return [gallery.look(shot.image, shot) for shot in gallery.shots]


def all_targets(gallery: Gallery, goal: Goal, name: str = "") -> list[Target]:
    """Give the target of each picture."""
    return [gallery.target(shot, goal, name) for shot in gallery.shots]
