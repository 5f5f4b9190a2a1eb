"""The engine process: runs, stops, and dies without taking anything acknowledged with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from hilgui.engine import Engine, Event, RunFailed, RunFinished, RunStarted, Shown
from hilgui.engine.screen import SharedScreen
from hilgui.pipeline import Progress, RunPlan
from hilgui.records import Outcome, Role
from hilgui.settings import load_settings
from hilgui.store import RunReader
from hilgui.truth import find_truth

from .tiny import write_drive, write_model


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(with_screen=True)
    made.start()
    yield made
    made.close()


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    drive = write_drive(tmp_path / "drive.mp4")
    return RunPlan(
        source=drive,
        baseline=write_model(tmp_path / "old.onnx"),
        candidate=write_model(tmp_path / "new.onnx", score=0.3),
        truth=find_truth(drive),
        provider="cpu",
        out=tmp_path / "runs",
        settings=load_settings(file=tmp_path / "none.toml", environment={}, disk_reserve_mb=0),
    )


def slowly(plan: RunPlan) -> RunPlan:
    return RunPlan(**{name: getattr(plan, name) for name in plan.__slots__} | {"speed": "0.5"})


def events_until(engine: Engine, *kinds: type, timeout_s: float = 240.0) -> list[Event]:
    """Collect events up to the first of the given kinds."""
    events: list[Event] = []
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        event = engine.wait(1.0)
        if event is not None:
            events.append(event)
            if isinstance(event, kinds):
                return events
    raise AssertionError(f"no {kinds} within {timeout_s} s, only {events}")


def test_a_run_tells_its_start_its_progress_and_its_end(engine: Engine, plan: RunPlan) -> None:
    engine.run(plan)
    events = events_until(engine, RunFinished, RunFailed)
    assert isinstance(events[0], RunStarted) and events[0].total == 40
    finished = events[-1]
    assert isinstance(finished, RunFinished) and finished.outcome is Outcome.PASS, finished
    assert any(isinstance(event, Progress) and event.evaluated == 40 for event in events)
    with closing(RunReader(finished.folder)) as reader:
        assert reader.ledger.with_truth == 40
        assert reader.figures()[Role.BASELINE]["map_50"] == pytest.approx(1.0)  # type: ignore[index]
        assert [finding.role for finding in reader.findings() if finding.kind == "missed_critical"] == [Role.CANDIDATE]


def test_one_engine_runs_one_drive_after_the_other(engine: Engine, plan: RunPlan) -> None:
    folders = set()
    for _ in range(2):
        engine.run(plan)
        finished = events_until(engine, RunFinished, RunFailed)[-1]
        assert isinstance(finished, RunFinished)
        folders.add(finished.folder)
    assert len(folders) == 2


def test_the_newest_frame_arrives_through_shared_memory(engine: Engine, plan: RunPlan) -> None:
    engine.run(plan)
    shown: list[Shown] = []
    while len(shown) < 3:
        newest = engine.newest()
        if newest is not None:
            shown.append(newest)
        if any(isinstance(event, RunFinished | RunFailed) for event in engine.poll()):
            break
    assert shown
    assert shown[-1].image.shape == (48, 64, 3)
    assert shown[-1].moment.ref == shown[-1].ref
    assert set(shown[-1].moment.inferences) == set(Role)


def test_a_stopped_run_is_aborted_and_readable(engine: Engine, plan: RunPlan) -> None:
    engine.run(slowly(plan))
    events_until(engine, RunStarted)
    engine.stop("stopped by the operator")
    finished = events_until(engine, RunFinished, RunFailed)[-1]
    assert isinstance(finished, RunFinished) and finished.outcome is Outcome.ABORTED
    assert finished.reasons == ("stopped by the operator",)


def test_a_paused_run_goes_on(engine: Engine, plan: RunPlan) -> None:
    engine.run(slowly(plan))
    events_until(engine, RunStarted)
    engine.pause()
    engine.resume()
    finished = events_until(engine, RunFinished, RunFailed)[-1]
    assert isinstance(finished, RunFinished) and finished.outcome is Outcome.PASS


def test_a_file_that_cannot_be_used_is_one_sentence_and_the_engine_lives(engine: Engine, plan: RunPlan) -> None:
    plan.baseline.write_bytes(b"not a model")
    engine.run(plan)
    failed = events_until(engine, RunFailed)[-1]
    assert isinstance(failed, RunFailed)
    assert "old.onnx" in failed.sentence and "\n" not in failed.sentence
    assert engine.is_alive


def kill_at_a_random_moment(engine: Engine, plan: RunPlan, delay_s: float) -> tuple[Path, int, Event]:
    """Kill the engine some time after it began; give the run, the acknowledged frames and the last event."""
    engine.run(slowly(plan))
    started = events_until(engine, RunStarted)[-1]
    assert isinstance(started, RunStarted)
    acknowledged = 0
    deadline = time.monotonic() + delay_s
    while time.monotonic() < deadline:
        event = engine.wait(0.01)
        if isinstance(event, Progress):
            acknowledged = event.evaluated
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    rest = events_until(engine, RunFinished, RunFailed)
    acknowledged = max([acknowledged, *(event.evaluated for event in rest if isinstance(event, Progress))])
    return started.folder, acknowledged, rest[-1]


@pytest.mark.parametrize(
    "delays_s",
    [
        pytest.param([0.02, 0.4, 0.9], id="three kills"),
        pytest.param(
            [0.01 + 1.1 * (0.382 * index % 1) for index in range(100)],
            id="a hundred kills",
            marks=[pytest.mark.slow, pytest.mark.timeout(900)],
        ),
    ],
)
def test_a_killed_engine_loses_no_acknowledged_frame(engine: Engine, plan: RunPlan, delays_s: list[float]) -> None:
    for delay_s in delays_s:
        folder, acknowledged, last = kill_at_a_random_moment(engine, plan, delay_s)
        assert isinstance(last, RunFinished) and last.outcome is Outcome.ABORTED
        with closing(RunReader(folder)) as reader:
            assert reader.verdict is not None and reader.verdict.outcome is Outcome.ABORTED
            moments = list(reader.moments())
            assert len(moments) == reader.ledger.evaluated >= acknowledged
            assert [moment.ref.seq for moment in moments] == list(range(len(moments)))


def test_a_native_crash_ends_the_run_with_an_error_and_the_next_run_works(engine: Engine, plan: RunPlan) -> None:
    engine.run(slowly(plan))
    started = events_until(engine, RunStarted)[-1]
    assert isinstance(started, RunStarted) and engine.pid is not None
    os.kill(engine.pid, signal.SIGSEGV)
    failed = events_until(engine, RunFailed)[-1]
    assert isinstance(failed, RunFailed)
    assert "SIGSEGV" in failed.sentence and "Segmentation fault" in failed.details
    with closing(RunReader(started.folder)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.ERROR
    engine.run(plan)
    finished = events_until(engine, RunFinished, RunFailed)[-1]
    assert isinstance(finished, RunFinished) and finished.outcome is Outcome.PASS


def test_a_closed_front_end_leaves_no_process_and_no_file(plan: RunPlan) -> None:
    engine = Engine(with_screen=True)
    engine.start()
    engine.run(slowly(plan))
    started = events_until(engine, RunStarted)[-1]
    assert isinstance(started, RunStarted)
    pid = engine.pid
    engine.close()
    assert not engine.is_alive
    with pytest.raises(ProcessLookupError):
        os.kill(pid or 0, 0)
    with closing(RunReader(started.folder)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.ABORTED


def test_a_picture_larger_than_the_shared_memory_is_shown_smaller() -> None:
    from .rig import ListSource

    writer = SharedScreen()
    reader = SharedScreen(writer.memory)
    frame = ListSource(1).frame_at(0)
    large = type(frame)(frame.ref, np.zeros((5000, 4000, 3), np.uint8))
    from hilgui.records import FrameHealth, Moment

    writer.show(large, Moment(frame.ref, FrameHealth(0, 0, 0, 0), None, {}))
    shown = reader.newest()
    assert shown is not None and shown.image.shape == (2500, 2000, 3)
    assert reader.newest() is None
    for screen in (reader, writer):
        screen.close()


def test_a_part_that_is_asked_for_arrives_scaled_and_the_whole_stays_until_the_next() -> None:
    from hilgui.records import FrameHealth, Moment
    from hilgui.scaling import Cut, scaled

    from .rig import ListSource

    writer = SharedScreen()
    reader = SharedScreen(writer.memory)
    frames = [ListSource(2).frame_at(seq) for seq in range(2)]
    height, width = frames[0].image.shape[:2]
    cut = Cut(1, 2, width - 3, height - 1, 40, 30)
    reader.ask(cut, 0.25)
    assert writer.period_s == 0.25
    shown = []
    for frame in frames:
        writer.show(frame, Moment(frame.ref, FrameHealth(0, 0, 0, 0), None, {}))
        shown.append(reader.newest())
    first, second = shown
    assert first is not None and second is not None and second.image is None
    assert second.ready is not None and second.ready[0] == cut
    assert np.array_equal(second.ready[1], scaled(frames[1].image, cut))
    assert second.whole is not None and np.array_equal(second.whole(), frames[1].image)
    assert first.whole is not None and first.whole() is None
    for no_part in (None, Cut(0, 0, width + 1, height, 40, 30), Cut(0, 0, width, height, 4000, 3000)):
        reader.ask(no_part, 1 / 30)
        writer.show(frames[0], Moment(frames[0].ref, FrameHealth(0, 0, 0, 0), None, {}))
        plain = reader.newest()
        assert plain is not None and plain.ready is None and np.array_equal(plain.image, frames[0].image)
    for screen in (reader, writer):
        screen.close()
    assert second.whole() is None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("delay_s", [0.0, 0.4])
def test_an_engine_never_outlives_its_front_end(plan: RunPlan, tmp_path: Path, number: int, delay_s: float) -> None:
    arguments = ["replay", plan.source, "--baseline", plan.baseline, "--provider", "cpu", "--speed", "0.2"]
    command = [sys.executable, "-m", "hilgui", *map(str, arguments), "--out", str(plan.out)]
    front = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 240
    while not list(plan.out.glob("*/run.sqlite")) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(delay_s)
    engines = psutil.Process(front.pid).children(recursive=True)
    assert engines
    front.send_signal(number)
    front.communicate(timeout=240)
    gone, alive = psutil.wait_procs(engines, timeout=240)
    for each in alive:
        each.kill()
    assert not alive and gone
    (folder,) = plan.out.glob("*")
    with closing(RunReader(folder)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.ABORTED
