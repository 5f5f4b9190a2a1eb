"""A model that never gets done with a picture, and one that eats the memory of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.engine import Engine, RunFailed, RunStarted
from hilgui.errors import InferenceHung, MemoryExhausted
from hilgui.pipeline import RunPlan
from hilgui.pipeline.watchdog import Watchdog
from hilgui.records import Outcome
from hilgui.settings import load_settings
from hilgui.store import RunReader

from .endless import write_deaf, write_endless, write_white
from .test_engine import events_until


class Sleeper:
    """A model with a picture under way for as long as one says."""

    def __init__(self, age_s: float = 0.0) -> None:
        self.age_s = age_s
        self.asked = 0

    def longest_s(self) -> float:
        return self.age_s

    def terminate(self) -> None:
        self.asked += 1


class Bench:
    """A watchdog, what it did, and the memory that it sees."""

    def __init__(self, model: Sleeper, limit_mb: int = 100) -> None:
        self.held = 10.0
        self.stopped: list[str] = []
        self.given_up: list[str] = []
        self.dog = Watchdog(
            [model],
            limit_s=2.0,
            limit_mb=limit_mb,
            stop=self.stopped.append,
            give_up=self.given_up.append,
            held_mb=lambda: self.held,
        )


def test_a_picture_in_time_is_let_be() -> None:
    bench = Bench(Sleeper(1.9))

    bench.dog.look()

    assert (bench.stopped, bench.given_up, bench.dog.failure) == ([], [], None)


def test_a_picture_that_takes_too_long_is_ended_and_the_run_with_it() -> None:
    model = Sleeper(2.1)
    bench = Bench(model)

    bench.dog.look()

    assert model.asked == 1
    assert isinstance(bench.dog.failure, InferenceHung)
    assert "within 2 s" in bench.stopped[0]
    assert bench.given_up == []


def test_a_model_that_does_not_listen_takes_the_process_along() -> None:
    model = Sleeper(2.1)
    bench = Bench(model)
    bench.dog.look()
    model.age_s = 7.1

    bench.dog.look()

    assert len(bench.stopped) == 1
    assert "did not listen" in bench.given_up[0]


def test_memory_beyond_the_limit_ends_the_run_and_far_beyond_it_the_process() -> None:
    bench = Bench(Sleeper())
    bench.held = 101.0
    bench.dog.look()
    assert isinstance(bench.dog.failure, MemoryExhausted)
    assert "memory_limit_mb" in bench.stopped[0]
    assert bench.given_up == []
    bench.held = 120.0

    bench.dog.look()

    assert len(bench.given_up) == 1


def failed(engine: Engine, plan: RunPlan) -> RunFailed:
    engine.start()
    try:
        engine.run(plan)
        events = events_until(engine, RunFailed)
    finally:
        engine.close()
    assert any(isinstance(event, RunStarted) for event in events)
    (failure,) = [event for event in events if isinstance(event, RunFailed)]
    return failure


def plan_of(tmp_path: Path, model: Path) -> RunPlan:
    settings = load_settings(
        file=tmp_path / "none.toml", environment={}, disk_reserve_mb=0, inference_timeout_s=1.0, workers=1
    )
    return RunPlan(
        write_white(tmp_path / "white"), model, tmp_path / "runs", settings, provider="cpu", classes=("person", "car")
    )


def outcome_of(folder: Path | None) -> Outcome:
    assert folder is not None
    reader = RunReader(folder)
    try:
        assert reader.verdict is not None
        return reader.verdict.outcome
    finally:
        reader.close()


def test_a_loop_without_end_ends_the_run_as_error_and_not_the_engine(tmp_path: Path) -> None:
    failure = failed(Engine(), plan_of(tmp_path, write_endless(tmp_path / "endless.onnx")))

    assert "not done with one picture within 1 s" in failure.sentence
    assert outcome_of(failure.folder) is Outcome.ERROR


@pytest.mark.slow
def test_an_operator_that_looks_at_nobody_ends_the_engine(tmp_path: Path) -> None:
    failure = failed(Engine(), plan_of(tmp_path, write_deaf(tmp_path / "deaf.onnx")))

    assert "did not come back from one picture, so the engine process was ended" in failure.sentence
    assert outcome_of(failure.folder) is Outcome.ERROR
