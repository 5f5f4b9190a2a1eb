"""What an attacker wants, as wishes about a table of scores: positive raises, negative lowers. Arrays only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hilgui.attacks.readout import Readout
from hilgui.evaluation.overlap import iou_matrix

Floats = NDArray[np.float32]

_ON_IOU = 0.3  # from here on a row speaks of an object
_FLOOR = 0.001  # what is lower plays no part in average precision
_RAISED = 5  # rows that are raised together to create an object


class Goal(StrEnum):
    """What is to happen."""

    HIDE = "hide"  # objects that were found are lost; a classifier says something else
    CREATE = "create"  # an object where there is none
    CHANGE = "change"  # objects are taken for others


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What the attack is aimed at, in the model's own numbering and pixels of its input."""

    goal: Goal
    boxes: NDArray[np.float64]  # (G, 4) objects; to create: the one place
    classes: NDArray[np.int32]  # (G,) to create: the class that is to appear


def wishes(read: Readout, target: Target) -> Floats:
    """Say how every score should move, (R, C)."""
    if read.is_whole:
        return _wrong_answer(read.scores, target.classes)
    return {Goal.HIDE: _hide, Goal.CREATE: _create, Goal.CHANGE: _change}[target.goal](read, target)


def _on(read: Readout, target: Target) -> NDArray[np.bool_]:
    """Say which rows speak of which object, (R, G); rows that say nothing are left out before boxes are compared."""
    on = np.zeros((len(read.boxes), len(target.boxes)), np.bool_)
    speaking = np.flatnonzero(read.scores.max(axis=1, initial=0.0) >= _FLOOR)
    if target.goal is Goal.CREATE:
        speaking = np.arange(len(read.boxes))
    on[speaking] = iou_matrix(read.boxes[speaking], target.boxes) >= _ON_IOU
    return on


def _hide(read: Readout, target: Target) -> Floats:
    on, made = _on(read, target), np.zeros_like(read.scores)
    for column, number in enumerate(target.classes.tolist()):
        rows = np.flatnonzero(on[:, column])
        made[rows, number] -= read.scores[rows, number]
    return made


def _change(read: Readout, target: Target) -> Floats:
    on, made = _on(read, target), np.zeros_like(read.scores)
    for column, number in enumerate(target.classes.tolist()):
        rows = np.flatnonzero(on[:, column])
        if not len(rows):
            continue
        others = read.scores[rows].copy()
        others[:, number] = -1.0
        weight = read.scores[rows].max(axis=1)
        made[rows, number] -= weight
        made[rows, others.argmax(axis=1)] += weight
    return made


def _create(read: Readout, target: Target) -> Floats:
    on, made = _on(read, target), np.zeros_like(read.scores)
    for column, number in enumerate(target.classes.tolist()):
        rows = np.flatnonzero(on[:, column])
        best = rows[np.argsort(-read.scores[rows, number], kind="stable")[:_RAISED]]
        made[best, number] += 1.0 - read.scores[best, number]
    return made


def _wrong_answer(shares: Floats, labels: NDArray[np.int32]) -> Floats:
    """Raise the cross entropy of the right answer: its gradient by the logits is share minus one for it."""
    made = shares.copy()
    made[0, labels] -= 1.0
    return made
