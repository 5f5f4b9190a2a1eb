"""The output of one model on one frame, with the time it took."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hilgui.records.detections import Detections
from hilgui.records.outputs import Classification, Depth, Lanes, Segmentation


class Role(StrEnum):
    """Which of the two models of a shadow run speaks."""

    BASELINE = "baseline"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """What one model says about one frame; times are wall clock in nanoseconds.

    A model answers one task: those that are no detectors leave `detections` empty and fill one of the others.
    """

    detections: Detections
    preprocess_ns: int
    run_ns: int
    postprocess_ns: int
    invalid: int = 0  # rows dropped because a number was not finite or a box had no area
    classification: Classification | None = None
    segmentation: Segmentation | None = None
    lanes: Lanes | None = None
    depth: Depth | None = None

    @property
    def latency_ms(self) -> float:
        """Add the three stages."""
        return (self.preprocess_ns + self.run_ns + self.postprocess_ns) / 1e6
