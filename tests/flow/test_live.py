"""A session with a camera: nothing is lost in silence, every loss has its reason, and every thread ends."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, SourceBroken, StoreBroken
from hilgui.inference import Model
from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.pipeline.run import BY_OPERATOR
from hilgui.pipeline.staffing import staff_baseline, staff_candidate
from hilgui.records import Frame, Loss, Outcome, Role, SourceFacts
from hilgui.settings import load_settings
from hilgui.sources import open_source
from hilgui.sources.live import LiveLimits, LiveSource, live_source
from hilgui.store import RunReader
from hilgui.stream import StopToken
from tests.unit.sources.clips import write_clip

from .bench_camera import ScriptedCamera
from .rig import BoxModel, Watching, prepared
from .tiny import write_drive, write_model

CALM = 20.0  # frames a second: a busy machine may stop a thread for 200 ms before a frame is lost
PATIENT = LiveLimits(silence_s=5.0)
QUICK = LiveLimits(silence_s=0.06, remote_silence_s=0.06, open_s=5, patience_s=0.6, first_retry_s=0.01)


def _judged(runs: Path) -> int:
    """Count the frames that the run of a folder holds by now; none while it is being made."""
    try:
        with closing(RunReader(next(path.parent for path in runs.glob("*/run.sqlite")))) as reader:
            return reader.ledger.evaluated
    except (StopIteration, StoreBroken):
        return 0


class Session(LiveSource):
    """Lets the scripted camera begin when the run does: what comes before is stale."""

    def frames(self, stop: StopToken) -> Iterator[Frame | Loss]:
        items = super().frames(stop)
        assert isinstance(self._camera, ScriptedCamera)
        threading.Timer(0.01, self._camera.begins.set).start()
        return items


def live(camera: ScriptedCamera, duration_s: float | None = None, limits: LiveLimits = QUICK) -> LiveSource:
    return Session(camera, "bench:0", duration_s=duration_s, limits=limits)


def session(
    tmp_path: Path, source: LiveSource, *models: BoxModel, workers: int = 1, record: bool = False, told: object = None
) -> Run:
    told = told if isinstance(told, Watching) else Watching()
    made = prepared(tmp_path, source, *models, factor=1.0, workers=workers)  # type: ignore[arg-type]
    made.plan = replace(made.plan, record=record)
    return Run(made, Watchers(told.on_progress, told.on_frame))


def finished(run: Run, source: LiveSource) -> RunReader:
    try:
        run.execute()
    finally:
        source.close()
    return RunReader(run.folder)


def test_a_session_that_loses_nothing_passes_and_its_end_is_the_normal_one(tmp_path: Path) -> None:
    source = live(ScriptedCamera(["next"] * 16, fps=CALM), limits=PATIENT)
    told = Watching()
    with closing(finished(session(tmp_path, source, BoxModel("old"), BoxModel("new"), told=told), source)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.PASS, reader.verdict
        assert reader.ledger.closes and reader.ledger.evaluated == reader.ledger.captured >= 12
        assert reader.header.source.live and reader.header.source.frames is None
        assert told.frames == list(range(reader.ledger.evaluated))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_session_whose_models_are_too_slow_drops_counts_and_is_inconclusive(tmp_path: Path, workers: int) -> None:
    source = live(ScriptedCamera(["next"] * 60))
    run = session(tmp_path, source, BoxModel("old", slow_s=0.03), BoxModel("new", slow_s=0.03), workers=workers)
    with closing(finished(run, source)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.INCONCLUSIVE
        assert any("the models were too slow" in reason for reason in reader.verdict.reasons)
        ledger = reader.ledger
        assert ledger.closes and ledger.dropped > 10 and ledger.evaluated >= 8
        stored = sorted([*(each.ref.seq for each in reader.moments()), *(loss.ref.seq for loss in reader.losses())])
        assert stored == list(range(ledger.captured))


def test_stopping_a_session_is_its_normal_end_and_losing_the_front_end_is_not(tmp_path: Path) -> None:
    for reason, outcome in ((BY_OPERATOR, Outcome.PASS), ("the front end ended", Outcome.ABORTED)):
        source = live(ScriptedCamera(["next"] * 2000, fps=CALM), limits=PATIENT)
        run = session(tmp_path / outcome.value, source, BoxModel("old"))
        timer = threading.Timer(0.4, run.stop, (reason,))
        timer.start()
        with closing(finished(run, source)) as reader:
            assert reader.verdict is not None and reader.verdict.outcome is outcome, reader.verdict
            assert reader.ledger.closes and 2 < reader.ledger.evaluated < 40


def test_a_duration_ends_a_session(tmp_path: Path) -> None:
    source = live(ScriptedCamera(["next"] * 2000, fps=CALM), duration_s=0.3, limits=PATIENT)
    with closing(finished(session(tmp_path, source, BoxModel("old")), source)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.PASS, reader.verdict
        assert max(moment.ref.time_s for moment in reader.moments()) < 0.3


def test_a_duration_ends_a_session_whose_camera_is_silent(tmp_path: Path) -> None:
    camera = ScriptedCamera(["next"] * 10 + ["hang"])
    source = live(camera, duration_s=0.3)
    threading.Timer(0.5, camera.let_go.set).start()
    with closing(finished(session(tmp_path, source, BoxModel("old")), source)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.INCONCLUSIVE
        assert reader.ledger.closes and reader.ledger.dropped > 20


def test_an_unplugged_camera_is_noticed_comes_back_and_its_gap_is_counted(tmp_path: Path) -> None:
    camera = ScriptedCamera(["next"] * 30 + [SourceBroken("unplugged")], SourceBroken("not there"), ["next"] * 30)
    source = live(camera, limits=replace(QUICK, first_retry_s=0.1))
    with closing(finished(session(tmp_path, source, BoxModel("old")), source)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.INCONCLUSIVE
        assert any("went missing while the camera was away" in reason for reason in reader.verdict.reasons)
        ledger = reader.ledger
        assert ledger.closes and 40 <= ledger.dropped <= 120  # 0.3 s at 200 frames/s
        assert ledger.evaluated >= 30
        times = [moment.ref.time_s for moment in reader.moments()]
        assert times == sorted(times)
    (told,) = source.account()  # a starved machine may miss it more than once
    assert re.fullmatch(r"camera bench:0 was lost \d+ times? and connected again [1-9]\d* times?", told), told
    assert camera.threads == {"camera:bench:0"}  # one owner from the first open to the last


def test_a_silent_camera_is_noticed_in_time(tmp_path: Path) -> None:
    camera = ScriptedCamera(["next"] * 20 + ["hang"])
    source = live(camera)
    source.open()
    noticed: list[float] = []
    stop = StopToken()
    newest = 0.0
    for item in source.frames(stop):
        if isinstance(item, Frame):
            newest = time.monotonic()
        else:
            noticed.append(time.monotonic() - newest)
            stop.stop("seen")
    camera.let_go.set()
    source.close()
    assert 0.05 <= noticed[0] <= 0.06 + 0.15  # the second is what a busy machine may add


def test_a_camera_that_stays_away_ends_the_run_with_its_sentence(tmp_path: Path) -> None:
    source = live(ScriptedCamera(["next"] * 20 + [SourceBroken("unplugged")]))
    run = session(tmp_path, source, BoxModel("old"))
    with pytest.raises(SourceBroken, match=r"bench:0 stayed away for 0.6 s, \d+ attempts .* nothing is plugged in"):
        finished(run, source)
    with closing(RunReader(run.folder)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.ERROR
        assert "stayed away" in reader.verdict.reasons[0]
        assert reader.ledger.closes and reader.ledger.evaluated > 0


def test_a_camera_that_cannot_be_opened_is_one_sentence() -> None:
    source = live(ScriptedCamera(SourceBroken("there is no such camera")))
    with pytest.raises(SourceBroken, match="no such camera"):
        source.open()
    source.close()


def test_a_driver_that_breaks_its_promise_ends_the_run_and_is_named(tmp_path: Path) -> None:
    source = live(ScriptedCamera(["next"] * 10 + [KeyError("vendor")]))
    with pytest.raises(Exception, match="the driver of camera bench:0 failed: KeyError"):
        finished(session(tmp_path, source, BoxModel("old")), source)


def test_a_held_session_skips_frames_and_says_so(tmp_path: Path) -> None:
    source = live(ScriptedCamera(["next"] * 40))
    run = session(tmp_path, source, BoxModel("old"))
    run.pause()
    with closing(finished(run, source)) as reader:
        assert reader.ledger.evaluated == 0 and reader.ledger.skipped == reader.ledger.captured > 10


def test_a_recorded_session_replays_with_the_same_pixels_and_stamps(tmp_path: Path) -> None:
    source = live(ScriptedCamera(["next"] * 16, fps=CALM), limits=PATIENT)
    seen: dict[float, str] = {}
    made = prepared(tmp_path, source, BoxModel("old"), factor=1.0, workers=1)  # type: ignore[arg-type]
    made.plan = replace(made.plan, record=True)
    run = Run(
        made,
        Watchers(
            lambda _: None,
            lambda frame, _: seen.__setitem__(round(frame.ref.time_s, 4), hashlib.sha256(frame.image).hexdigest()),
        ),
    )
    with closing(finished(run, source)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.PASS
    drive = open_source(run.folder / "recording.mov")
    again = {
        round(frame.ref.time_s, 4): hashlib.sha256(frame.image).hexdigest()
        for frame in drive.frames(StopToken())
        if isinstance(frame, Frame)
    }
    drive.close()
    assert list(again.values()) == list(seen.values()) and len(again) >= 12
    assert list(again) == pytest.approx(list(seen), abs=0.001)


def plan_of(tmp_path: Path, source: str, **more: object) -> RunPlan:
    return RunPlan(
        source=Path(source),
        baseline=write_model(tmp_path / "old.onnx"),
        provider="cpu",
        out=tmp_path / "runs",
        settings=load_settings(file=tmp_path / "none.toml", environment={}, disk_reserve_mb=0),
        **more,  # type: ignore[arg-type]
    )


def test_a_drive_is_rehearsed_as_a_camera_with_a_real_model(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "drive.mp4")
    plan = plan_of(tmp_path, f"camera:rehearsal:{drive}", record=True, duration_s=0.6)
    made = prepare(plan)
    try:
        run = Run(made, Watchers(lambda _: None, lambda _frame, _moment: None))
        run.execute()
    finally:
        made.close()
    with closing(RunReader(run.folder)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.PASS, reader.verdict
        assert reader.header.speed == "realtime" and reader.ledger.evaluated >= 10
        assert reader.header.models[Role.BASELINE].name == "old"
    assert any(note.startswith("live: the baseline takes") for note in made.notes)


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"speed": "0.5"}, "own speed"),
        ({"truth": Path("labels.json")}, "labels"),
        ({"duration_s": 0.0}, "lasts longer"),
        ({"topic": "/cam"}, "no topics"),
    ],
)
def test_what_only_a_recording_has_is_refused_for_a_camera(
    tmp_path: Path, wish: dict[str, object], complaint: str
) -> None:
    with pytest.raises(CallWrong, match=complaint):
        prepare(plan_of(tmp_path, "camera:rehearsal:/nowhere.mp4", **wish))


def test_a_profile_that_is_named_holds_for_a_camera(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "drive.mp4")
    profile = tmp_path / "roof.camera.yaml"
    region = "ignore: [{name: bonnet, polygon: [[0, 32], [64, 32], [64, 48], [0, 48]]}]"
    profile.write_text(f"schema_version: 1\n{region}\nlens: {{focal_px: 60, height_m: 1.2, horizon_px: 20}}\n")

    made = prepare(plan_of(tmp_path, f"camera:rehearsal:{drive}", profile=profile))

    made.close()
    assert made.profile is not None
    assert made.header.source.regions == ((0, 32, 64, 48),)
    assert made.header.source.geometry is not None
    assert made.header.source.geometry.height_m == 1.2


@pytest.mark.parametrize("wish", [{"record": True}, {"duration_s": 3.0}])
def test_what_only_a_camera_has_is_refused_for_a_recording(tmp_path: Path, wish: dict[str, object]) -> None:
    with pytest.raises(CallWrong, match="is a recording"):
        prepare(plan_of(tmp_path, str(write_drive(tmp_path / "drive.mp4")), **wish))


def test_an_unknown_kind_of_camera_is_a_wrong_call() -> None:
    with pytest.raises(CallWrong, match=r"no kind of camera 'webcam'; there are .*rehearsal"):
        live_source(Path("camera:webcam:0"))


@pytest.mark.parametrize(("fps", "workers"), [(1.0, 1), (1e6, 2)])
def test_the_baseline_gets_two_workers_where_it_outlasts_the_period(tmp_path: Path, fps: float, workers: int) -> None:
    plan = plan_of(tmp_path, "camera:bench:0")
    facts = SourceFacts("bench", "bench", "camera:bench:0", "", 64, 48, fps, None, ordered=True, live=True)
    staffed = staff_baseline(plan, Model.load(plan.baseline, provider="cpu", threads=2), facts)
    assert staffed.workers == workers
    assert ("two workers" in staffed.note) == (workers == 2) == ("too slow for this rate" in staffed.note)
    candidate = Model.load(plan.baseline, provider="cpu", threads=1)
    chosen = staff_candidate(plan, staffed, candidate, facts)
    assert chosen.facts.threads == (2 if workers == 1 else 1)
    chosen.close()
    staffed.model.close()


def test_ctrl_c_ends_a_session_well(tmp_path: Path) -> None:
    drive = write_clip(tmp_path / "drive.mp4", [5 * number for number in range(45)])  # six a second, seven seconds
    command = [sys.executable, "-m", "hilgui", "replay", f"camera:rehearsal:{drive}", "--json", "--provider", "cpu"]
    command += ["--baseline", str(write_model(tmp_path / "old.onnx")), "--out", str(tmp_path / "runs")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 240
    while not _judged(tmp_path / "runs") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, complaints = process.communicate(timeout=240)
    told = json.loads(out)
    assert told["verdict"] in ("PASS", "INCONCLUSIVE"), complaints  # a busy machine may lose frames
    assert process.returncode in (0, 3)
    assert 0 < told["frames"]["captured"] < 45
