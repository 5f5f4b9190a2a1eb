"""Arithmetic of detection quality: overlap, matching per frame, average precision over a run."""

from hilgui.evaluation.accumulator import Accumulator, FrameBook, Subject
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.detection_quality import DetectionQuality
from hilgui.evaluation.figure import Figure, Interval
from hilgui.evaluation.figures import ClassFigures, DetectionFigures
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.matching import compare
from hilgui.evaluation.overlap import iou, iou_matrix, share_inside, share_matrix
from hilgui.evaluation.scorecard import MEASUREMENTS, Scorecard

__all__ = [
    "MEASUREMENTS",
    "Accumulator",
    "AveragePrecision",
    "ClassFigures",
    "DetectionFigures",
    "DetectionQuality",
    "Figure",
    "FrameBook",
    "Interval",
    "Scorecard",
    "Subject",
    "compare",
    "iou",
    "iou_matrix",
    "is_judged",
    "share_inside",
    "share_matrix",
]
