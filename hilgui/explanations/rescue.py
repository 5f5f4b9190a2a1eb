"""What would have saved it: the smallest change with which a missed object is found, or a phantom goes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hilgui.evaluation import compare
from hilgui.explanations.changes import CHANGES, Change
from hilgui.explanations.eyes import Eyes
from hilgui.explanations.target import Image, Target, best_score, is_shown
from hilgui.records import Judgement, Truth

GRID = (0.0625, 0.125, 0.25, 0.5, 0.75, 1.0)
_HALVINGS = 5
LOOKS = len(GRID) + _HALVINGS  # of one change, at most


@dataclass(frozen=True, slots=True, eq=False)
class Try:
    """One change; `severity` is the smallest that helped, None where none of those tried did."""

    change: Change
    severity: float | None
    score: float  # of the target then; without one the best (of a phantom: the lowest) that was seen
    holds_to: float  # hardest of the grid up to which it helped without a break
    lost: int  # other labelled objects that are found in the unchanged picture and not then
    gained: int  # phantoms more than in the unchanged picture
    image: Image | None  # the picture then


def rescue(
    eyes: Eyes,
    image: Image,
    target: Target,
    truth: Truth | None,
    judged: frozenset[int],
    told: Callable[[int], object],
) -> list[Try]:
    """Try every change; those that helped come first, the smallest share of what is tried before the others."""
    before = _others(eyes, image, target, truth, judged, CHANGES[0], 0.0)

    def tried(change: Change) -> Try:
        return _search(eyes, image, target, truth, judged, change, before)

    found = []
    for one in eyes.over(tried, CHANGES):
        found.append(one)
        told(LOOKS)
    return sorted(found, key=lambda one: 2.0 if one.severity is None else one.severity)


def _search(
    eyes: Eyes,
    image: Image,
    target: Target,
    truth: Truth | None,
    judged: frozenset[int],
    change: Change,
    before: tuple[set[int], int],
) -> Try:
    def helps(severity: float) -> tuple[bool, float]:
        changed, placing = change.do(image, target.box, severity)
        there = target.on(placing.box(target.box))
        said = eyes.look(changed)
        return is_shown(said, there) is target.is_missed, best_score(said, there)

    answers = [helps(severity) for severity in GRID]
    first = next((place for place, (is_good, _) in enumerate(answers) if is_good), None)
    if first is None:
        pick = max if target.is_missed else min
        return Try(change, None, pick(score for _, score in answers), 0.0, 0, 0, None)
    low, high = (GRID[first - 1] if first else 0.0), GRID[first]
    score = answers[first][1]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_good, seen = helps(middle)
        low, high, score = (low, middle, seen) if is_good else (middle, high, score)
    last = first
    while last + 1 < len(GRID) and answers[last + 1][0]:
        last += 1
    found, phantoms = _others(eyes, image, target, truth, judged, change, high)
    gained = max(phantoms - before[1] + (0 if target.is_missed else 1), 0)  # the phantom itself is gone
    changed, _ = change.do(image, target.box, high)
    return Try(change, high, score, GRID[last], len(before[0] - found), gained, changed)


def _others(
    eyes: Eyes,
    image: Image,
    target: Target,
    truth: Truth | None,
    judged: frozenset[int],
    change: Change,
    severity: float,
) -> tuple[set[int], int]:
    """Give the labelled objects that are found, the target left out, and count the phantoms; the same without labels.

    An object that a moved picture has lost half of counts as found: it is not the model that lost it.
    """
    if truth is None:
        return set(), 0
    changed, placing = (image, None) if severity == 0 else change.do(image, target.box, severity)
    boxes = truth.boxes if placing is None else placing.boxes(truth.boxes)
    moved = Truth.of(boxes, truth.classes, crowd=truth.crowd, ignore=truth.ignore)
    outcome = compare(eyes.look(changed), moved, target.threshold, judged)
    height, width = image.shape[:2]
    inner = np.clip(boxes, 0, np.array([width, height] * 2))
    area = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)
    kept = (inner[:, 2] - inner[:, 0]) * (inner[:, 3] - inner[:, 1]) / area
    found = (outcome.truths == Judgement.MATCHED) | (kept < 0.5)
    mine = np.abs(truth.boxes - np.array(target.box)).max(axis=1, initial=0) < 1 if target.is_missed else None
    if mine is not None:
        found &= ~mine
    return set(np.flatnonzero(found).tolist()), outcome.phantoms
