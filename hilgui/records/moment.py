"""Everything known about one frame once it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hilgui.records.comparison import Comparison, Disagreement
from hilgui.records.detections import Truth
from hilgui.records.frame import FrameHealth, FrameRef
from hilgui.records.inference import Inference, Role


class Fate(StrEnum):
    """How a captured frame ended in the ledger."""

    EVALUATED = "evaluated"
    DROPPED = "dropped"  # lost before inference
    SKIPPED = "skipped"  # left out on purpose, with a reason


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One evaluated frame: outputs, truth and comparisons, without pixels.

    `truth` is None where the labels do not know the frame (unlabelled is not empty). A role is absent from
    `inferences` when the run has no such model or the model skipped the frame.
    """

    ref: FrameRef
    health: FrameHealth
    truth: Truth | None
    inferences: dict[Role, Inference]
    comparisons: dict[Role, Comparison] = field(default_factory=dict)
    disagreement: Disagreement | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """A captured frame that was not evaluated."""

    ref: FrameRef
    fate: Fate
    reason: str
