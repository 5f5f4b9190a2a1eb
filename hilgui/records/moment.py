"""Everything known about one frame once it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hilgui.records.comparison import Comparison, Disagreement
from hilgui.records.detections import Truth
from hilgui.records.frame import FrameHealth, FrameRef
from hilgui.records.inference import Inference, Role
from hilgui.records.masks import ClassTruth, DepthTruth, LaneTruth, MaskTruth


class Fate(StrEnum):
    """How a captured frame ended in the ledger."""

    EVALUATED = "evaluated"
    DROPPED = "dropped"  # lost before inference
    SKIPPED = "skipped"  # left out on purpose, with a reason


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One evaluated frame: outputs, truths and comparisons, without pixels.

    `truth` is None where the labels do not know the boxes of the frame (unlabelled is not empty), and likewise the
    truths of the other tasks. A role is absent from `inferences` when the run has no such model or the model skipped
    the frame.
    """

    ref: FrameRef
    health: FrameHealth
    truth: Truth | None
    inferences: dict[Role, Inference]
    comparisons: dict[Role, Comparison] = field(default_factory=dict)
    disagreement: Disagreement | None = None
    mask_truth: MaskTruth | None = None
    lane_truth: LaneTruth | None = None
    depth_truth: DepthTruth | None = None
    class_truth: ClassTruth | None = None
    speed_mps: float | None = None  # of the vehicle, from its bus; None where no log tells it

    @property
    def is_labelled(self) -> bool:
        """Say whether labels of any kind know the frame."""
        truths = (self.truth, self.mask_truth, self.lane_truth, self.depth_truth, self.class_truth)
        return any(each is not None for each in truths)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureSample:
    """What the networks' own features say of one frame, model by model: at most 64 numbers (float32) each."""

    ref: FrameRef
    features: dict[Role, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Loss:
    """A captured frame that was not evaluated."""

    ref: FrameRef
    fate: Fate
    reason: str  # said of one frame and of many: "could not be decoded"
    detail: str = ""  # a sentence about this one, where there is more to say
