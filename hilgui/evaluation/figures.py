"""Average precision as a value: over all compared classes and for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hilgui.records import Vocabulary


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Average precision of one class, 0..1; None where no truth of the class was seen."""

    map_50_95: float | None
    map_50: float | None
    map_75: float | None
    truths: int  # counted ones: crowds and ignored truths left out

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"map_50_95": self.map_50_95, "map_50": self.map_50, "map_75": self.map_75, "truths": self.truths}


@dataclass(frozen=True, slots=True)
class DetectionFigures:
    """Means over the classes that have truths; None when there was no truth at all, never -1."""

    map_50_95: float | None
    map_50: float | None
    map_75: float | None
    per_class: dict[int, ClassFigures]  # every judged class, by its number in the vocabulary
    frames: int  # labelled frames
    truths: int

    def as_json(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """Give plain values for JSON, classes by name."""
        return {
            "map_50_95": self.map_50_95,
            "map_50": self.map_50,
            "map_75": self.map_75,
            "frames": self.frames,
            "truths": self.truths,
            "per_class": {vocabulary.name(number): figures.as_json() for number, figures in self.per_class.items()},
        }
