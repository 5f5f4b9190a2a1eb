"""Decides how many frames are under way at once, and how many threads share the work on one.

A recording as fast as possible: one thread a model, as many frames at once as there are cores; results then do not
depend on the number of workers. Live: measured, not guessed. What the operator sets (workers, threads) is taken.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hilgui.inference import Model
from hilgui.numerals import number_of
from hilgui.pipeline.plan import RunPlan
from hilgui.records import Role, SourceFacts
from hilgui.settings import Settings

_ROUNDS = 7
_SHARE = 0.95  # of the period that both models may take together


@dataclass(frozen=True, slots=True)
class Staffed:
    """The baseline as it will run, and why."""

    model: Model
    workers: int
    note: str


@dataclass(frozen=True, slots=True)
class ReplayStaff:
    """Workers and threads of a replay, and why."""

    workers: int
    threads: dict[Role, int]
    note: str


def load_model(plan: RunPlan, path: Path, threads: int) -> Model:
    """Load a model as the plan and its settings ask for."""
    return Model.load(
        path,
        provider=plan.provider,
        precision=plan.settings.precision,
        threads=threads,
        spinning=plan.settings.spinning,
        cuda_graph=plan.settings.cuda_graph,
    )


def staff_replay(settings: Settings, factor: float | None) -> ReplayStaff:
    """Share out the cores for a recording; `factor` is its speed, None for as fast as possible."""
    cores = os.cpu_count() or 1
    if factor is None:
        workers = settings.workers or cores
        threads = settings.threads or 1
        note = f"replay: {workers} frames at once, {_named(threads)} in each model"
        if threads > 1:
            note += "; more than one may change the last digit of results from run to run"
        return ReplayStaff(workers, dict.fromkeys(Role, threads), note + _chosen(settings))
    baseline, candidate = live_threads(settings, Role.BASELINE), live_threads(settings, Role.CANDIDATE)
    named = f"{_named(baseline)} in the baseline, {_named(candidate)} in a candidate"
    note = f"replay in time: one frame after the other, {named}"
    return ReplayStaff(1, {Role.BASELINE: baseline, Role.CANDIDATE: candidate}, note + _chosen(settings))


def live_threads(settings: Settings, role: Role) -> int:
    """Give the threads that a model starts with in real time: all for the baseline, one for the candidate."""
    return settings.threads or (1 if role is Role.CANDIDATE else os.cpu_count() or 1)


def staff_candidate(plan: RunPlan, baseline: Staffed, candidate: Model, facts: SourceFacts) -> Model:
    """Give the candidate all threads where both models fit into the period one after the other, else one thread.

    It starts when the baseline is done with a frame, so that the two meet only where the period is too short.
    `candidate` is loaded with one thread; where it gets more it is closed and loaded anew.
    """
    assert facts.fps
    threads = baseline.model.facts.threads
    if baseline.workers > 1 or threads == 1 or plan.settings.threads:
        return candidate
    quick = load_model(plan, Path(candidate.facts.path), threads)
    if _time_ms(baseline.model, facts) + _time_ms(quick, facts) <= _SHARE * 1e3 / facts.fps:
        candidate.close()
        return quick
    quick.close()
    return candidate


def staff_baseline(plan: RunPlan, model: Model, facts: SourceFacts) -> Staffed:
    """Take one worker with all threads where a frame is done within the period, else two workers that share them.

    `model` is loaded with all threads, without spinning; where two workers are needed it is closed and loaded anew.
    The camera is running already, so what it costs is part of the measurement. Raises as `Model.load` does.
    """
    assert facts.fps
    period_ms = 1e3 / facts.fps
    together_ms = _time_ms(model, facts)
    threads = model.facts.threads
    fits = f"live: the baseline takes {together_ms:.1f} ms with {_named(threads)}, frames come every {period_ms:.1f} ms"
    if plan.settings.workers or plan.settings.threads:
        workers = plan.settings.workers or 1
        note = f"{fits}; {number_of(workers, 'worker')}{_chosen(plan.settings)}"
        return Staffed(model, workers, note + _warning(together_ms, period_ms, workers))
    if together_ms <= period_ms or threads == 1:
        return Staffed(model, 1, f"{fits}; one worker{_warning(together_ms, period_ms, 1)}")
    model.close()
    shared = max(1, (os.cpu_count() or 1) // 2)
    halved = load_model(plan, Path(model.facts.path), shared)
    alone_ms = _time_ms(halved, facts)
    note = f"{fits}; two workers with {_named(shared)} each take {alone_ms:.1f} ms a frame"
    return Staffed(halved, 2, note + _warning(alone_ms, period_ms, 2))


def _time_ms(model: Model, facts: SourceFacts) -> float:
    """Give the median time of a picture of the camera's size."""
    image = np.full((facts.height, facts.width, 3), 114, np.uint8)
    workspace = model.workspace()
    spent = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        model.infer(image, workspace)
        spent.append((time.perf_counter() - started) * 1e3)
    return statistics.median(spent)


def _warning(each_ms: float, period_ms: float, workers: int) -> str:
    return ", which is too slow for this rate: frames will be dropped" if each_ms > workers * period_ms else ""


def _chosen(settings: Settings) -> str:
    """Say what of it was the operator's choice."""
    asked = [name for name in ("workers", "threads", "spinning") if getattr(settings, name)]
    return f" ({' and '.join(asked)} as set)" if asked else ""


def _named(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"
