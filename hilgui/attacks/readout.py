"""What a network's outputs say, with the way back: which change of the outputs raises which score.

Arrays only. A table of scores (rows, classes) stands for what the adapter would read; `pull` turns wishes about its
entries into the gradient of Σ wish · logit(score) by every output, from where PyTorch goes on to the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import AttackBroken
from hilgui.inference.grid import cells
from hilgui.records import ModelFacts

Floats = NDArray[np.float32]
Outputs = Sequence[NDArray[Any]]

_LEAST = 1e-6  # closer to 0 or 1 a logit is not told apart


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """One picture's answer: `boxes` (R, 4) in pixels of the input, `scores` (R, C); a classifier has one row."""

    boxes: Floats
    scores: Floats
    pull: Callable[[Floats], list[NDArray[Any] | None]]  # wishes (R, C) → gradient for each output, None: no part
    is_whole: bool = False  # of a classifier: the row speaks of the whole picture


Reader = Callable[[Outputs], Readout]


def reader_for(facts: ModelFacts, outputs: Sequence[str]) -> Reader:
    """Give the reader of a model; `outputs` are the names of its outputs. Raises AttackBroken for other layouts."""
    make = _READERS.get(facts.adapter)
    if make is None:
        raise AttackBroken(
            f"white-box attacks read {', '.join(_READERS)}, not {facts.adapter}; square and patch work on any adapter"
        )
    return make(facts, outputs)


def slope(probabilities: Floats) -> Floats:
    """Give the derivative of the logit."""
    inside = np.clip(probabilities, _LEAST, 1 - _LEAST)
    steep: Floats = (1.0 / (inside * (1.0 - inside))).astype(np.float32)
    return steep


def _yolox(facts: ModelFacts, outputs: Sequence[str]) -> Reader:
    grid, stride = cells(facts.input_width, facts.input_height)

    def read(given: Outputs) -> Readout:
        table = given[0][0]
        centre = (table[:, :2] + grid) * stride
        half = np.exp(np.clip(table[:, 2:4], -20, 20)) * stride * 0.5
        objectness, classes = table[:, 4:5], table[:, 5:]

        def pull(wishes: Floats) -> list[NDArray[Any] | None]:
            gradient = np.zeros_like(given[0])
            gradient[0, :, 4] = (wishes.sum(axis=1, keepdims=True) * slope(objectness))[:, 0]
            gradient[0, :, 5:] = wishes * slope(classes)
            return [gradient]

        return Readout(np.concatenate((centre - half, centre + half), axis=1), objectness * classes, pull)

    return read


def _dense_boxes(facts: ModelFacts, outputs: Sequence[str]) -> Reader:
    boxes_at, scores_at = outputs.index("boxes"), outputs.index("scores")

    def read(given: Outputs) -> Readout:
        scores = given[scores_at][0]

        def pull(wishes: Floats) -> list[NDArray[Any] | None]:
            made: list[NDArray[Any] | None] = [None] * len(given)
            made[scores_at] = (wishes * slope(scores))[None]
            return made

        return Readout(given[boxes_at][0], scores, pull)

    return read


def _deimv2(facts: ModelFacts, outputs: Sequence[str]) -> Reader:
    labels_at, boxes_at, scores_at = (outputs.index(name) for name in ("labels", "boxes", "scores"))

    def read(given: Outputs) -> Readout:
        labels, flat = given[labels_at].reshape(-1), given[scores_at].reshape(-1)
        known = (labels >= 0) & (labels < len(facts.classes))
        rows = np.flatnonzero(known)
        scores = np.zeros((len(flat), len(facts.classes)), np.float32)
        scores[rows, labels[rows]] = flat[rows]

        def pull(wishes: Floats) -> list[NDArray[Any] | None]:
            gradient = np.zeros_like(flat)
            gradient[rows] = wishes[rows, labels[rows]] * slope(flat[rows])
            made: list[NDArray[Any] | None] = [None] * len(given)
            made[scores_at] = gradient.reshape(given[scores_at].shape)
            return made

        return Readout(given[boxes_at].reshape(-1, 4), scores, pull)

    return read


def _yolov8(facts: ModelFacts, outputs: Sequence[str]) -> Reader:
    count = len(facts.classes)

    def read(given: Outputs) -> Readout:
        table = given[0][0, : 4 + count].T
        half = table[:, 2:4] * 0.5
        scores = table[:, 4:]

        def pull(wishes: Floats) -> list[NDArray[Any] | None]:
            gradient = np.zeros_like(given[0])
            gradient[0, 4 : 4 + count] = (wishes * slope(scores)).T
            return [gradient, *([None] * (len(given) - 1))]

        return Readout(np.concatenate((table[:, :2] - half, table[:, :2] + half), axis=1), scores, pull)

    return read


def _classifier(facts: ModelFacts, outputs: Sequence[str]) -> Reader:
    def read(given: Outputs) -> Readout:
        values = given[0].reshape(-1).astype(np.float32)
        are_shares = values.min() >= 0 and abs(float(values.sum()) - 1) < 1e-2
        shares = values if are_shares else np.exp(values - values.max())
        shares = shares / shares.sum()

        def pull(wishes: Floats) -> list[NDArray[Any] | None]:
            wanted = wishes.reshape(-1)
            if are_shares:
                wanted = wanted / np.maximum(shares, _LEAST)  # log of a share stands for its logit
            return [wanted.reshape(given[0].shape).astype(given[0].dtype)]

        whole = np.array([[0, 0, facts.input_width, facts.input_height]], np.float32)
        return Readout(whole, shares[None].astype(np.float32), pull, is_whole=True)

    return read


_READERS: dict[str, Callable[[ModelFacts, Sequence[str]], Reader]] = {
    "yolox": _yolox,
    "dense_boxes": _dense_boxes,
    "deimv2": _deimv2,
    "yolov8": _yolov8,
    "classification": _classifier,
}
