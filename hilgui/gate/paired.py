"""What the gate looks at: the same drives through both models, one part of a figure a drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hilgui.records import Role


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure pooled over drives: `pooled` turns the parts of any set of drives into the figure, NaN for none."""

    name: str
    unit: str
    pooled: Callable[[Sequence[Any]], float]


@dataclass(frozen=True, slots=True)
class Paired:
    """One measure on both models, one part a drive, in the order of the drives."""

    measure: Measure
    parts: dict[Role, tuple[Any, ...]]

    def pooled(self, role: Role) -> float:
        """Give the figure of a model over all drives."""
        return self.measure.pooled(self.parts[role])


@dataclass(frozen=True, slots=True)
class SlicePair:
    """One measure in one slice; `objects` are those of the truth."""

    name: str
    paired: Paired
    better: str
    objects: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a decision rests on. `drives`, `runs` and the parts of `measures` have the same order."""

    drives: tuple[str, ...]
    runs: tuple[str, ...]
    frames: int  # judged, seen by both models
    models: dict[str, str]  # role → sha256
    integrity: tuple[str, ...]  # sentences; empty when the bench is sound
    invariants: dict[str, float]  # measured values by metric; absent: nobody measured it
    measures: dict[str, Paired]
    slices: tuple[SlicePair, ...] = ()
    blocks: dict[str, Paired] = field(default_factory=dict)  # the same by blocks of a drive, to see the spread
    block_s: float = 0.0
