"""How a model's detections fit the truth of a frame, and how the two models fit each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Judgement(IntEnum):
    """What became of one box at the card's threshold."""

    MATCHED = 1
    UNMATCHED = 2  # a truth that was missed, or a detection without truth
    IGNORED = 3  # not judged: ignore region, crowd, unmapped class


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One model against the truth of one frame, at the card's threshold and IoU ≥ .5.

    `detections` covers the prefix of the model's detections at or above the threshold.
    """

    truths: NDArray[np.uint8]  # (G,) Judgement of each truth row
    detections: NDArray[np.uint8]  # (n,) Judgement of each detection above the threshold
    partner: NDArray[np.int32]  # (n,) truth row that a detection matched, or -1
    iou: NDArray[np.float32]  # (n,) IoU with that truth; where unmatched, the best with any truth of any class

    @property
    def matched(self) -> int:
        """Count the true positives."""
        return self.truths.tobytes().count(Judgement.MATCHED)  # a third of the time of comparing and counting

    @property
    def missed(self) -> int:
        """Count the false negatives."""
        return self.truths.tobytes().count(Judgement.UNMATCHED)

    @property
    def phantoms(self) -> int:
        """Count the false positives."""
        return self.detections.tobytes().count(Judgement.UNMATCHED)


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """Baseline against candidate on one frame, each above its own threshold."""

    value: float  # 1 - F1 of the two sets; 0 when both are empty
    only_baseline: NDArray[np.int32]  # rows that the candidate does not have
    only_candidate: NDArray[np.int32]  # rows that the baseline does not have
