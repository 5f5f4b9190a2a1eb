"""A run from capture to verdict: nothing is lost, whatever breaks, and every thread ends."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from hilgui.pipeline import Progress, Run, Watchers
from hilgui.pipeline.plan import RunPlan
from hilgui.pipeline.preparation import prepare
from hilgui.records import Kind, Outcome, Role, Verdict
from hilgui.settings import Settings
from hilgui.store import RunReader
from hilgui.wall_clock import WallClock

from .rig import BoxModel, ListSource, Watching, prepared
from .tiny import write_classifier, write_drive, write_model


def execute(run: Run) -> RunReader:
    run.execute()
    return RunReader(run.folder)


def make(tmp_path: Path, source: ListSource, *models: BoxModel, told: Watching | None = None, **more: object) -> Run:
    told = told or Watching()
    return Run(prepared(tmp_path, source, *models, **more), Watchers(told.on_progress, told.on_frame))  # type: ignore[arg-type]


def test_a_lossless_replay_stores_every_frame_of_both_models_in_order(tmp_path: Path) -> None:
    told = Watching()
    run = make(tmp_path, ListSource(90), BoxModel("old"), BoxModel("new"), labelled=range(90), told=told, workers=3)
    with closing(execute(run)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.PASS
        assert [moment.ref.seq for moment in reader.moments()] == list(range(90)) == told.frames
        assert all(set(moment.inferences) == set(Role) for moment in reader.moments())
        assert reader.ledger.closes and reader.ledger.evaluated == reader.ledger.with_truth == 90
        assert reader.figures()[Role.BASELINE]["map_50"] == pytest.approx(1.0)  # type: ignore[index]


def test_a_person_the_candidate_loses_is_found_with_its_clip(tmp_path: Path) -> None:
    blind = BoxModel("new", blind=frozenset(range(40, 60)))
    run = make(tmp_path, ListSource(100), BoxModel("old"), blind, labelled=range(100))
    with closing(execute(run)) as reader:
        (finding,) = reader.findings(kind=Kind.MISSED_CRITICAL)
        assert (finding.role, finding.first_seq, finding.last_seq) == (Role.CANDIDATE, 40, 59)
        assert (finding.clip_first, finding.clip_last) == (10, 89)
        assert all(reader.picture(seq) for seq in range(10, 90))
        assert reader.picture(9) is None


def test_a_frame_that_cannot_be_decoded_makes_the_run_inconclusive(tmp_path: Path) -> None:
    run = make(tmp_path, ListSource(20, lost=frozenset({3, 19})), BoxModel("old"))
    with closing(execute(run)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.INCONCLUSIVE
        assert "2 frames could not be decoded" in reader.verdict.reasons
        assert "the first frame that could not be decoded: picture 3 is empty" in reader.meta("notes")
        assert (reader.ledger.dropped, reader.ledger.evaluated, reader.ledger.captured) == (2, 18, 20)
        assert [loss.ref.seq for loss in reader.losses()] == [3, 19]


def test_a_run_without_a_single_frame_passes_nothing(tmp_path: Path) -> None:
    with closing(execute(make(tmp_path, ListSource(0), BoxModel("old")))) as reader:
        assert reader.verdict == Verdict(Outcome.INCONCLUSIVE, ("no frame was evaluated",))


def test_a_wall_clock_that_is_set_during_a_run_is_noted_and_turns_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walls = iter((10**18, 10**18 - 3600 * 10**9))
    monkeypatch.setattr("hilgui.pipeline.run.WallClock", lambda: WallClock(lambda: next(walls)))
    with closing(execute(make(tmp_path, ListSource(20), BoxModel("old")))) as reader:
        assert any("the wall clock was set back by 3,60" in note for note in reader.meta("notes"))
        moments = list(reader.moments())
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.PASS
        assert [moment.ref.seq for moment in moments] == list(range(20))


def test_unlabelled_frames_are_not_judged(tmp_path: Path) -> None:
    run = make(tmp_path, ListSource(30), BoxModel("old", blind=frozenset(range(30))), labelled=range(10, 12))
    with closing(execute(run)) as reader:
        assert reader.ledger.with_truth == 2
        assert int(reader.timeline().roles[Role.BASELINE].missed.sum()) == 2


@pytest.mark.parametrize(
    ("source", "models", "cause"),
    [
        (ListSource(50, breaks_at=20), (BoxModel("old"),), "unplugged"),
        (ListSource(50), (BoxModel("old", fails_at=20),), "model broke"),
        (ListSource(50), (BoxModel("old"), BoxModel("new", fails_at=20)), "model broke"),
    ],
    ids=["capture", "baseline", "candidate"],
)
@pytest.mark.parametrize("factor", [None, 50.0])
def test_a_stage_that_breaks_ends_the_run_as_error_with_its_cause(
    tmp_path: Path, source: ListSource, models: tuple[BoxModel, ...], cause: str, factor: float | None
) -> None:
    run = make(tmp_path, source, *models, factor=factor)
    with pytest.raises((OSError, ValueError), match=cause):
        run.execute()
    with closing(RunReader(run.folder)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.ERROR
        assert cause in reader.verdict.reasons[0]
        assert reader.ledger.closes
        assert reader.ledger.evaluated == len(list(reader.moments()))


def test_a_watcher_that_breaks_ends_the_run_as_error(tmp_path: Path) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the screen broke")

    run = Run(prepared(tmp_path, ListSource(50), BoxModel("old")), Watchers(lambda _: None, fail))
    with pytest.raises(RuntimeError, match="screen broke"):
        run.execute()


def test_stopping_keeps_what_was_acknowledged_and_aborts(tmp_path: Path) -> None:
    told: list[int] = []

    def on_progress(progress: Progress) -> None:
        told.append(progress.evaluated)
        if progress.evaluated:
            run.stop("stopped by the operator")

    model = BoxModel("old", slow_s=0.01)
    run = Run(prepared(tmp_path, ListSource(100), model), Watchers(on_progress, lambda _frame, _moment: None))
    with closing(execute(run)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.ABORTED
        ledger = reader.ledger
        assert ledger.closes and 0 < max(told) <= ledger.evaluated < 100
        assert ledger.evaluated == len(list(reader.moments()))


def test_a_paused_run_waits_and_goes_on(tmp_path: Path) -> None:
    told = Watching()
    run = make(tmp_path, ListSource(60), BoxModel("old"), told=told)
    run.pause()
    thread = threading.Thread(target=run.execute)
    thread.start()
    thread.join(0.15)
    assert thread.is_alive() and told.frames == []
    run.resume()
    thread.join(240)
    assert len(told.frames) == 60


def test_in_real_time_a_slow_candidate_skips_and_the_baseline_sees_every_frame(tmp_path: Path) -> None:
    baseline, candidate = BoxModel("old"), BoxModel("new", slow_s=0.03)
    run = make(tmp_path, ListSource(60), baseline, candidate, factor=4.0)
    with closing(execute(run)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.PASS
        ledger = reader.ledger
        assert sorted(baseline.seen) == list(range(60)) and ledger.evaluated == 60
        assert ledger.candidate_skipped == 60 - len(candidate.seen) > 0
        ran = reader.timeline().roles[Role.CANDIDATE].ran
        assert int(ran.sum()) == len(candidate.seen)


def test_in_real_time_a_candidate_that_hangs_does_not_hold_the_baseline_up(tmp_path: Path) -> None:
    baseline, candidate = BoxModel("old"), BoxModel("new")
    candidate.may_go_on.clear()
    run = make(tmp_path, ListSource(90), baseline, candidate, factor=20.0)
    threading.Timer(0.5, candidate.may_go_on.set).start()
    with closing(execute(run)) as reader:
        assert reader.ledger.evaluated == 90
        assert len(baseline.seen) == 90


@pytest.mark.parametrize("workers", [2, 5])
def test_the_result_is_the_same_whatever_the_number_of_workers(tmp_path: Path, workers: int) -> None:
    results = []
    for count in (1, workers):
        models = BoxModel("old", slow_s=0.001), BoxModel("new", blind=frozenset(range(20, 30)))
        run = make(tmp_path / str(count), ListSource(70), *models, labelled=range(70), workers=count)
        with closing(execute(run)) as reader:
            boxes = [
                inference.detections.boxes.tolist()
                for each in reader.moments()
                for inference in each.inferences.values()
            ]
            results.append((reader.findings(), reader.figures(), boxes))
    assert results[0] == results[1]
    assert {finding.kind for finding in results[0][0]} >= {Kind.MISSED_CRITICAL, Kind.DISAGREEMENT}


def test_a_full_disk_stops_the_run_and_keeps_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    from hilgui.errors import StoreBroken

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10_000_000))
    run = make(tmp_path, ListSource(50), BoxModel("old"))
    with pytest.raises(StoreBroken, match="10 MB are free"):
        run.execute()
    with closing(RunReader(run.folder)) as reader:
        assert reader.verdict is not None and reader.verdict.outcome is Outcome.ERROR


@pytest.mark.parametrize(("kept", "frames", "outcome"), [(4, None, Outcome.INCONCLUSIVE), (40, (0, 3), Outcome.PASS)])
def test_a_video_that_lacks_most_of_its_labelled_frames_proves_nothing(
    tmp_path: Path, kept: int, frames: tuple[int, int] | None, outcome: Outcome
) -> None:
    """A recording that was cut is named; a part that somebody asked for is what they asked for."""
    model = write_model(tmp_path / "m.onnx")
    whole = write_drive(tmp_path / "drive.mp4")
    labels = whole.with_suffix(".coco.json").read_bytes()
    drive = write_drive(tmp_path / "drive.mp4", kept)
    drive.with_suffix(".coco.json").write_bytes(labels)
    settings = Settings(home=tmp_path / "home", disk_reserve_mb=0)
    plan = RunPlan(
        source=drive,
        baseline=model,
        candidate=None,
        out=tmp_path,
        settings=settings,
        truth=drive.with_suffix(".coco.json"),
        provider="cpu",
        frames=frames,
    )
    ready = prepare(plan)
    try:
        verdict = Run(ready, Watchers(progress=lambda _: None, frame=lambda _f, _m: None)).execute()
    finally:
        ready.close()
    assert verdict.outcome is outcome
    assert ("36 of 40 labelled frames lie beyond drive.mp4" in " ".join(verdict.reasons)) is (frames is None)


def test_a_video_without_its_first_key_frame_lies_beside_the_labels_of_other_frames(tmp_path: Path) -> None:
    """Its first frames are left out and the numbers begin anew, so that few lacking labels are a sign of a shift."""
    whole = write_drive(tmp_path / "whole.mp4")
    drive = tmp_path / "drive.mp4"
    with av.open(str(whole)) as read, av.open(str(drive), "w") as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        for packet in [each for each in read.demux(video=0) if each.size][3:]:
            packet.stream = stream
            written.mux(packet)
    labels = whole.with_suffix(".coco.json").read_text(encoding="utf-8").replace("whole.mp4", "drive.mp4")
    drive.with_suffix(".coco.json").write_text(labels, encoding="utf-8")
    plan = RunPlan(
        source=drive,
        baseline=write_model(tmp_path / "m.onnx"),
        candidate=None,
        out=tmp_path,
        settings=Settings(home=tmp_path / "home", disk_reserve_mb=0),
        truth=drive.with_suffix(".coco.json"),
        provider="cpu",
    )
    ready = prepare(plan)
    try:
        verdict = Run(ready, Watchers(progress=lambda _: None, frame=lambda _f, _m: None)).execute()
    finally:
        ready.close()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the first frames of drive.mp4 cannot be decoded and 8 labelled frames lie" in verdict.reasons[0]


def test_labels_that_speak_of_something_else_prove_nothing(tmp_path: Path) -> None:
    """Masks for a detector, a class that only the model knows, boxes for a classifier: nothing of them was judged."""
    for folder, value in (("images", 90), ("labels", 1)):
        (tmp_path / "d" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "d" / folder / "1.png"), np.full((48, 64), value, np.uint8))
    drive = write_drive(tmp_path / "drive.mp4", 4)
    labels = drive.with_suffix(".coco.json")
    plain = json.loads(labels.read_text(encoding="utf-8"))
    labels.write_text(json.dumps(plain | {"categories": plain["categories"][:1]}), encoding="utf-8")
    cars = [{**one, "category_id": 2} for one in plain["annotations"]]
    (tmp_path / "cars.json").write_text(json.dumps(plain | {"annotations": cars}), encoding="utf-8")
    detector, classifier = write_model(tmp_path / "m.onnx"), write_classifier(tmp_path / "c.onnx")
    mute = "the labels do not speak of what these models answer"
    for source, model, truth, classes, why in (
        (tmp_path / "d", detector, tmp_path / "d" / "labels", (), mute),
        (drive, detector, labels, ("car",), "no class is judged"),
        (drive, classifier, tmp_path / "cars.json", (), mute),
    ):
        settings = Settings(home=tmp_path / "home", disk_reserve_mb=0)
        ready = prepare(RunPlan(source, model, tmp_path, settings, truth=truth, classes=classes, provider="cpu"))
        try:
            verdict = Run(ready, Watchers(progress=lambda _: None, frame=lambda _f, _m: None)).execute()
        finally:
            ready.close()
        assert (verdict.outcome, len(verdict.reasons)) == (Outcome.INCONCLUSIVE, 1)
        assert why in verdict.reasons[0]
