"""What the gate looks at: the same drives through both models, one value of each figure a drive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hilgui.gate.statistics import pseudo_values
from hilgui.records import Role

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """One figure of both models over the same drives."""

    metric: str
    unit: str
    values: dict[Role, NDArray[np.float64]]  # (drives,) jackknife pseudo-values; for a plain mean those of the drives
    pooled: dict[Role, float]  # over all drives, NaN where there is no figure

    @classmethod
    def of(
        cls,
        metric: str,
        unit: str,
        parts: Mapping[Role, Sequence[_Part]],
        pooled: Callable[[Sequence[_Part]], float],
    ) -> Paired:
        """Pair a figure that `pooled` reads from the parts of any set of drives."""
        return cls(
            metric,
            unit,
            {role: pseudo_values(pooled, mine) for role, mine in parts.items()},
            {role: pooled(mine) for role, mine in parts.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class SlicePair:
    """One figure in one slice; `objects` are those of the truth."""

    name: str
    paired: Paired
    better: str
    objects: int


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Everything a decision rests on. `drives`, `runs` and the values of `measures` have the same order."""

    drives: tuple[str, ...]
    runs: tuple[str, ...]
    frames: int  # judged, seen by both models
    models: dict[str, str]  # role → sha256
    integrity: tuple[str, ...]  # sentences; empty when the bench is sound
    invariants: dict[str, float]  # measured values by metric; absent: nobody measured it
    measures: dict[str, Paired]
    slices: tuple[SlicePair, ...] = ()
    notes: tuple[str, ...] = ()  # what was left out, and why
