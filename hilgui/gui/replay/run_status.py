"""What the status strip is told about the run on the page."""

from __future__ import annotations

import math

import numpy as np

from hilgui.gui.replay.drive import Drive
from hilgui.gui.status import ReplayStatus
from hilgui.records import Role
from hilgui.report import bench_check_in_words, model_in_words


def latencies(drive: Drive) -> dict[Role, tuple[float, float]]:
    """Give p50 and p99 of each model in ms; about 10 ms for a million frames, so only when frames were added."""
    return {role: _quantiles(series.latency_ms.values) for role, series in drive.roles.items()}


def status_of(drive: Drive, row: int, latency_ms: dict[Role, tuple[float, float]]) -> ReplayStatus:
    """Tell where the replay stands and how the run went."""
    facts = drive.header.models[Role.BASELINE]
    models = sorted(drive.header.models.items())
    last = len(drive) - 1
    is_timed = last >= 0 and drive.has_time
    return ReplayStatus(
        provider=facts.provider,
        device=facts.device,
        attested=(
            *(f"{role}: {model_in_words(each)}" for role, each in models),
            drive.header.staffing,
            bench_check_in_words(drive.header),
        ),
        is_bench_unfit=drive.header.bench_check.get("verdict") == "unfit",
        latency_ms=latency_ms,
        deadline_ms=drive.period_s * 1000 if drive.header.speed != "max" and drive.has_time else None,
        dropped=drive.ledger.dropped,
        skipped=drive.ledger.skipped,
        time_s=drive.time_at(row) if is_timed else None,
        duration_s=drive.time_at(last) if is_timed else None,
    )


def _quantiles(values: np.ndarray) -> tuple[float, float]:
    values = values[~np.isnan(values)]
    if not len(values):
        return (math.nan, math.nan)
    p50, p99 = np.quantile(values, (0.5, 0.99))
    return (float(p50), float(p99))
