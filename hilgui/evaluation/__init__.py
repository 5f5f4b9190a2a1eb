"""Arithmetic of detection quality: overlap, matching per frame, average precision over a run."""

from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.figures import ClassFigures, DetectionFigures
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.matching import compare
from hilgui.evaluation.overlap import iou, iou_matrix, share_inside, share_matrix

__all__ = [
    "AveragePrecision",
    "ClassFigures",
    "DetectionFigures",
    "compare",
    "iou",
    "iou_matrix",
    "is_judged",
    "share_inside",
    "share_matrix",
]
