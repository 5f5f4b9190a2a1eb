"""Evidence made by hand: figures that are plain means of the drives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hilgui.gate import Evidence, GateSpec, Paired, SlicePair
from hilgui.records import Role

SPEC: dict[str, Any] = {
    "schema": "hilgui/gate.v1",
    "name": "front",
    "data": {"min_clusters": 12, "min_frames": 1000},
    "invariants": [
        {"id": "finite-outputs", "metric": "candidate.nonfinite_outputs", "limit": "== 0"},
        {"id": "latency", "metric": "candidate.latency_p99_ms", "limit": "<= 33.3"},
    ],
    "gates": [
        {"id": "recall", "metric": "critical_recall", "role": "non_inferiority", "margin": 0.01, "better": "higher"},
        {
            "id": "phantoms",
            "metric": "phantoms_per_minute",
            "role": "non_inferiority",
            "margin": 0.1,
            "better": "lower",
        },
        {"id": "gain", "metric": "map_50_95", "role": "superiority", "better": "higher"},
    ],
}


def spec(**changes: Any) -> GateSpec:
    return GateSpec.model_validate({**SPEC, **changes})


def mean(parts: Sequence[Any]) -> float:
    return float(np.mean(parts))


def paired(metric: str, differences: Sequence[float], level: float = 0.8) -> Paired:
    """Give one value a drive; the baseline of every drive is `level`."""
    base = [level for _ in differences]
    return Paired.of(
        metric, "", {Role.BASELINE: base, Role.CANDIDATE: [level + one for one in differences]}, pooled=mean
    )


def spread(shift: float, drives: int = 12, width: float = 0.004) -> list[float]:
    """Give differences around `shift`, the same every time."""
    return [shift + width * (-1) ** number * (1 + number % 3) / 2 for number in range(drives)]


def evidence(
    recall: Sequence[float] | None = None,
    phantoms: Sequence[float] | None = None,
    gain: Sequence[float] | None = None,
    *,
    frames: int = 5000,
    integrity: tuple[str, ...] = (),
    invariants: dict[str, float] | None = None,
    slices: tuple[SlicePair, ...] = (),
    drives: int = 12,
) -> Evidence:
    """Give evidence for SPEC; what is not given is equal for both models."""
    equal = spread(0.0, drives)
    figures = {
        "critical_recall": equal if recall is None else recall,
        "phantoms_per_minute": equal if phantoms is None else phantoms,
        "map_50_95": equal if gain is None else gain,
    }
    names = tuple(f"drive-{number}" for number in range(drives))
    measured = {"candidate.nonfinite_outputs": 0.0, "candidate.latency_p99_ms": 20.0}
    return Evidence(
        drives=names,
        runs=names,
        frames=frames,
        models={"baseline": "b" * 64, "candidate": "c" * 64},
        integrity=integrity,
        invariants=measured if invariants is None else invariants,
        measures={name: paired(name, values) for name, values in figures.items()},
        slices=slices,
    )
