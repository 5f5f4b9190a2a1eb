"""Decides how many threads share the baseline's work in a live run: measured, not guessed."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hilgui.inference import Model
from hilgui.pipeline.plan import RunPlan
from hilgui.records import SourceFacts

_ROUNDS = 7
_SHARE = 0.95  # of the period that both models may take together


@dataclass(frozen=True, slots=True)
class Staffed:
    """The baseline as it will run, and why."""

    model: Model
    workers: int
    note: str


def staff_candidate(plan: RunPlan, baseline: Staffed, candidate: Model, facts: SourceFacts) -> Model:
    """Give the candidate all threads where both models fit into the period one after the other, else one thread.

    It starts when the baseline is done with a frame, so that the two meet only where the period is too short.
    `candidate` is loaded with one thread; where it gets more it is closed and loaded anew.
    """
    assert facts.fps
    threads = baseline.model.facts.threads
    if baseline.workers > 1 or threads == 1:
        return candidate
    quick = Model.load(Path(candidate.facts.path), provider=plan.provider, threads=threads)
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
    if together_ms <= period_ms or threads == 1:
        return Staffed(model, 1, f"{fits}; one worker{_warning(together_ms, period_ms, 1)}")
    model.close()
    shared = max(1, (os.cpu_count() or 1) // 2)
    halved = Model.load(Path(model.facts.path), provider=plan.provider, threads=shared)
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


def _named(threads: int) -> str:
    return "one thread" if threads == 1 else f"{threads} threads"
