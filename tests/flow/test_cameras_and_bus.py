"""A drive of several cameras with a bus log and a camera profile, through the whole pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgui.cli.showing import relink_run
from hilgui.errors import CallWrong, SourceBroken
from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.pipeline.again import plan_again
from hilgui.records import Outcome
from hilgui.settings import Settings
from hilgui.sources import source_again
from hilgui.store import RunReader
from tests.unit.sources.bags import FRAMES, write_rosbag2
from tests.unit.sources.clips import write_clip
from tests.unit.sources.test_signals import DBC, write_log

from .tiny import write_drive, write_model

SILENT = Watchers(lambda progress: None, lambda frame, moment: None)


def played(plan: RunPlan) -> RunReader:
    prepared = prepare(plan)
    try:
        run = Run(prepared, SILENT)
        assert run.execute().outcome is Outcome.PASS
    finally:
        prepared.close()
    return RunReader(run.folder)


def plan(tmp_path: Path, source: Path, **more: object) -> RunPlan:
    model = write_model(tmp_path / "model.onnx")
    return RunPlan(source=source, baseline=model, out=tmp_path / "runs", settings=Settings(workers=2), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("sqlite", [False, True])
def test_the_cameras_of_a_bag_are_one_run_in_time_order(tmp_path: Path, sqlite: bool) -> None:
    bag = write_rosbag2(tmp_path / "bag", sqlite=sqlite, cameras=("/front/image", "/rear/image"))
    reader = played(plan(tmp_path, bag, topic="all"))
    moments = list(reader.moments())
    assert [moment.ref.channel for moment in moments] == ["/front/image", "/rear/image"] * FRAMES
    assert (np.diff([moment.ref.time_s for moment in moments]) >= 0).all()
    assert reader.ledger.captured == reader.ledger.evaluated == 2 * FRAMES
    assert reader.header.source.channels == ("/front/image", "/rear/image")
    # The picture before is that of the same camera: both have a first one.
    assert np.isnan([moments[0].health.change, moments[1].health.change]).all()
    reader.close()


def test_findings_of_several_cameras_have_their_name_and_one_numbering(tmp_path: Path) -> None:
    black = write_clip(tmp_path / "front.mp4", list(range(40)))
    other = write_clip(tmp_path / "rear.mp4", list(range(40)))
    reader = played(plan(tmp_path, black, beside=(other,)))
    findings = reader.findings()
    assert [finding.number for finding in findings] == list(range(1, len(findings) + 1))
    assert {finding.channel for finding in findings} <= {"front", "rear"}
    reader.close()


def test_the_speed_of_the_vehicle_is_with_every_frame(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "drive.mp4", frames=20)
    dbc = tmp_path / "car.dbc"
    dbc.write_text(DBC)
    log = write_log(tmp_path / "drive.blf")
    reader = played(plan(tmp_path, drive, can=(log,), dbc=(dbc,), signals=("GEAR",), can_offset_s=0.0))
    moments = list(reader.moments())
    for moment in moments:
        assert moment.speed_mps == pytest.approx((10 + 5 * moment.ref.time_s) / 3.6, abs=0.03)
    series = reader.series()
    assert {name: each.unit for name, each in series.items()} == {"SPEED.GEAR": "", "SPEED.SPEED": "m/s"}
    assert any("begins at +0.000 s" in note for note in reader.meta("notes"))
    reader.close()


def test_a_region_of_the_profile_is_ignored_in_the_truth_and_said(tmp_path: Path) -> None:
    drive = write_drive(tmp_path / "drive.mp4", frames=5)
    lens = "lens: {focal_px: 60, height_m: 1.2, horizon_px: 20}"
    region = "ignore: [{name: bonnet, polygon: [[0, 0], [64, 0], [64, 48], [0, 48]]}]"
    (tmp_path / "drive.camera.yaml").write_text(f"schema_version: 1\n{region}\n{lens}\n")
    reader = played(plan(tmp_path, drive, truth=tmp_path / "drive.coco.json"))
    moment = next(iter(reader.moments()))
    assert moment.truth is not None
    assert moment.truth.boxes[-1].tolist() == [0, 0, 64, 48]
    assert moment.truth.ignore[-1]
    assert reader.header.source.geometry is not None
    assert reader.header.source.geometry.height_m == 1.2
    assert "camera profile drive.camera.yaml: 1 region is not judged" in reader.meta("notes")
    assert reader.header.source.regions == ((0, 0, 64, 48),)
    reader.close()


def test_cameras_that_moved_are_found_one_by_one_and_played_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    front, rear = write_clip(tmp_path / "front.mp4", [1, 2, 3]), write_clip(tmp_path / "rear.mp4", [4, 5, 6])
    reader = played(plan(tmp_path, front, beside=(rear,), offsets_s=(0.01,)))
    reader.close()
    (tmp_path / "away").mkdir()
    front = front.rename(tmp_path / "away/one.mp4")
    rear = rear.rename(tmp_path / "away/two.mp4")

    assert relink_run(reader.folder.name, tmp_path / "runs", [tmp_path / "away"]) == 0

    assert capsys.readouterr().out.split() == [str(front), str(rear)]
    again = RunReader(reader.folder)
    source = source_again(again.header.source)
    assert source.open().sha256 == again.header.source.sha256
    source.close()
    (tmp_path / "again").mkdir()
    replayed = plan_again(again.header, tmp_path / "again", Settings(workers=2))
    assert (replayed.source, replayed.beside, replayed.offsets_s) == (front, (rear,), (0.01,))
    again.close()
    rear.unlink()
    with pytest.raises(SourceBroken, match=r"rear\.mp4 is nowhere"):
        relink_run(reader.folder.name, tmp_path / "runs", [tmp_path / "away"])


def test_masks_of_another_size_than_their_images_are_refused(tmp_path: Path) -> None:
    import cv2

    from hilgui.errors import TruthBroken

    for folder, size in (("images", (48, 64)), ("labels", (24, 32))):
        (tmp_path / "d" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "d" / folder / "1.png"), np.zeros(size, np.uint8))
    with pytest.raises(TruthBroken, match=r"labels pictures of 32 × 24, 1\.png has 64 × 48"):
        prepare(plan(tmp_path, tmp_path / "d", truth=tmp_path / "d" / "labels"))


def test_a_bus_log_needs_frames_with_times_and_a_dbc(tmp_path: Path) -> None:
    import cv2

    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((48, 64, 3), np.uint8))
    dbc = tmp_path / "car.dbc"
    dbc.write_text(DBC)
    log = write_log(tmp_path / "drive.blf")
    with pytest.raises(CallWrong, match="has no time stamps, so no bus log fits it"):
        prepare(plan(tmp_path, tmp_path / "images", can=(log,), dbc=(dbc,)))
    drive = write_drive(tmp_path / "drive.mp4", 4)
    for half in ({"can": (log,)}, {"dbc": (dbc,)}):
        with pytest.raises(CallWrong, match="give both: --can LOG --dbc FILE"):
            prepare(plan(tmp_path, drive, **half))
