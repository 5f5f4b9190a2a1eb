"""What a black-box attack sees: one number for how well the model still does what it should. Lower is worse for it."""

from __future__ import annotations

import numpy as np

from hilgui.attacks.aims import Goal, Target
from hilgui.evaluation.overlap import iou_matrix
from hilgui.records import Inference

_MATCH_IOU = 0.5
_CREATE_IOU = 0.3
_UNSEEN = 1e-4  # of a class that is not among those that are kept


def remaining(inference: Inference, target: Target) -> float:
    """Add up the scores that the attack wants to fall; to create an object, minus the score that is to rise.

    The classes of `target` and of the inference are the model's own.
    """
    said = inference.classification
    if said is not None:
        mine = said.scores[np.isin(said.classes, target.classes)]
        others = said.scores[~np.isin(said.classes, target.classes)]
        mine_best = float(mine.max(initial=_UNSEEN))
        return float(np.log(mine_best) - np.log(max(float(others.max(initial=0.0)), _UNSEEN)))
    boxes = inference.detections
    if not len(boxes) or not len(target.boxes):
        return 0.0
    limit = _CREATE_IOU if target.goal is Goal.CREATE else _MATCH_IOU
    same = boxes.classes[:, None] == target.classes[None]
    fits = (iou_matrix(boxes.boxes, target.boxes) >= limit) & same
    best = np.where(fits, boxes.scores[:, None], 0.0).max(axis=0)
    return float(-best.sum() if target.goal is Goal.CREATE else best.sum())
