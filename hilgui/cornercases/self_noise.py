"""What a model differs from itself by, between two replays of one drive: smaller differences are no findings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SelfNoise:
    """Measured by `hilgui noise`; all 0 where nobody measured, or the model repeats itself to the last bit."""

    score: float = 0.0  # largest difference of the scores of one object
    box_px: float = 0.0  # largest shift of a side of its box
    disagreement: float = 0.0  # largest 1 - F1 of a model against itself, mean of the frames that are smoothed

    @classmethod
    def of_header(cls, plain: Mapping[str, Any]) -> SelfNoise:
        """Read what a run's header says (`RunHeader.noise`)."""
        return cls(*(float(plain.get(name, 0.0)) for name in ("score", "box_px", "disagreement")))

    def blurs(self, score: float, other: float) -> bool:
        """Say whether two scores differ by no more than one score does from replay to replay."""
        return self.score > 0.0 and math.fabs(score - other) <= self.score


NO_NOISE = SelfNoise()
