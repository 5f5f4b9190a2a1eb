"""Arithmetic of detection quality: overlap, matching per frame, average precision over a run."""

from hilgui.evaluation.accumulator import Accumulator, FrameBook, Subject
from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.evaluation.clusters import Clusters, PerCluster, clusters_of, paired, t_interval
from hilgui.evaluation.detection_quality import DetectionQuality
from hilgui.evaluation.explanation import Behind, frames_behind
from hilgui.evaluation.figure import Figure, Interval
from hilgui.evaluation.figures import ClassFigures, DetectionFigures
from hilgui.evaluation.judged import is_judged
from hilgui.evaluation.matching import compare
from hilgui.evaluation.overlap import iou, iou_matrix, share_inside, share_matrix
from hilgui.evaluation.protocols import PROTOCOLS
from hilgui.evaluation.scorecard import MEASUREMENTS, Scorecard

__all__ = [
    "MEASUREMENTS",
    "PROTOCOLS",
    "Accumulator",
    "AveragePrecision",
    "Behind",
    "ClassFigures",
    "Clusters",
    "DetectionFigures",
    "DetectionQuality",
    "Figure",
    "FrameBook",
    "Interval",
    "PerCluster",
    "Scorecard",
    "Subject",
    "clusters_of",
    "compare",
    "frames_behind",
    "iou",
    "iou_matrix",
    "is_judged",
    "paired",
    "share_inside",
    "share_matrix",
    "t_interval",
]
