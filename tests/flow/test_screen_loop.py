"""Screen in the loop from one end to the other: the labels of the drive judge what a camera saw of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.cli import main
from hilgui.resources import shipped
from hilgui.store import RunReader


def test_a_filmed_drive_is_judged_by_the_labels_of_the_recording(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    drive, model = shipped("assets/demo/day.mp4"), shipped("assets/demo/baseline.onnx")
    address = f"camera:screen:rehearsal:{drive}#fps=4"
    arguments = ["--baseline", str(model), "--provider", "cpu", "--duration", "3", "--out", str(tmp_path), "--json"]
    code = main(["replay", address, *arguments])
    told = json.loads(capfd.readouterr().out)
    frames = told["frames"]
    assert code in (0, 3), told  # a busy machine may lose frames; none may be lost in silence
    assert frames["closes"]
    assert frames["with_truth"] == frames["evaluated"] > 0
    assert told["models"]["baseline"]["detection"]["map_50"] > 0.3
    reader = RunReader(Path(told["run"]))
    try:
        moments = list(reader.moments())
        waited = reader.series()["screen to result"]
        notes = reader.meta("notes")
    finally:
        reader.close()
    assert reader.header.truth is not None
    assert all(moment.ref.key.startswith("day.mp4#") for moment in moments)
    assert len(moments) - len(waited.numbers) in (0, 1)  # what stands there when the camera opens its eye has no age
    assert waited.unit == "ms"
    assert (waited.numbers > 0).all()
    assert any("from the screen to the judged result" in note for note in notes)
    assert any("contrast" in note for note in notes)


def test_the_check_says_how_well_the_screen_is_seen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "seen.png"
    address = f"camera:screen:rehearsal:{shipped('assets/demo/day.mp4')}#fps=30,screen=1280x720"
    assert main(["screen", "check", address, "--pictures", "3", "--picture", str(picture), "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["pictures"], told["found"], told["read"]) == (3, 3, 3)
    assert told["levels"]["255"] > 200
    assert told["carried"] and len(told["carried"][0]["corners_px"]) == 4
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_check_of_something_else_is_a_wrong_call(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["screen", "check", "camera:uvc:0"]) == 2
    assert "films no screen" in capfd.readouterr().err
