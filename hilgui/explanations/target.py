"""What an explanation is about: one object that a model misses, or one that it shows and that is not there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.matching import MATCH_IOU
from hilgui.evaluation.overlap import iou_matrix
from hilgui.records import Detections

Box = tuple[float, float, float, float]  # x1 y1 x2 y2 px
Image = NDArray[np.uint8]  # (height, width, 3) BGR


@dataclass(frozen=True, slots=True)
class Target:
    """One object in one picture; the box is the label's, of a phantom the model's own."""

    box: Box
    label: str
    classed: int  # its number in the vocabulary of the run
    is_missed: bool  # False: a phantom
    threshold: float  # score from which the model shows something

    def on(self, box: Box) -> Target:
        """Give the same object somewhere else, in a picture that was moved."""
        return replace(self, box=box)


def overlaps(boxes: NDArray[np.floating], box: Box) -> NDArray[np.float64]:
    """Give the IoU of each of some boxes (N, 4) with one."""
    return iou_matrix(boxes, np.array([box]))[:, 0]


def similarity(said: Detections, target: Target) -> float:
    """Give the largest IoU × score among the detections of the target's class, 0 without any.

    D-RISE (Petsiuk et al., CVPR 2021) multiplies IoU, the cosine of the class probabilities, and objectness. Adapters
    give one score a box and class, with objectness inside; against the one-hot vector of a label, the product of the
    latter two is that score.
    """
    mine = said.classes == target.classed
    if not mine.any():
        return 0.0
    return float((overlaps(said.boxes[mine], target.box) * said.scores[mine]).max())


def best_score(said: Detections, target: Target) -> float:
    """Give the best score of the target's class that fits by IoU .5, 0 where none does."""
    mine = said.where((said.classes == target.classed) & (overlaps(said.boxes, target.box) >= MATCH_IOU))
    return float(mine.scores.max(initial=0.0))


def is_shown(said: Detections, target: Target) -> bool:
    """Say whether the model shows the target: its class, at its threshold, by IoU .5."""
    return bool(np.float32(best_score(said, target)) >= np.float32(target.threshold))
