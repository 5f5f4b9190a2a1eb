"""`hilgui drift` as typed, and the monitor inside a run."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.cli import main
from hilgui.records import Kind, Suspect
from hilgui.robustness import picture_path, read_result
from hilgui.store import RunReader, find_run
from tests.flow.tiny import write_model


def write_pictures(folder: Path, frames: int, level: float, seed: int) -> Path:
    """Write pictures of 64 × 48 whose brightness varies from one to the next without memory."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for seq in range(frames):
        image = rng.normal(level + rng.normal(0, 6), 20, (48, 64, 3)).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{seq:04d}.png"), image)
    return folder


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a reference of a bright drive."""
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "home"))
    write_pictures(tmp_path / "day", 240, 140.0, seed=1)
    out = tmp_path / "day.json"
    assert main(["drift", "reference", str(tmp_path / "day"), "--fps", "10", "--out", str(out), "--json"]) == 0
    return out


def check(reference: Path, drive: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict]:
    capsys.readouterr()
    code = main(["drift", "check", str(drive), "--fps", "10", "--reference", str(reference), "--json", *more])
    return code, json.loads(capsys.readouterr().out)


def test_a_drive_like_its_reference_has_not_drifted(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = check(day, write_pictures(day.parent / "other", 120, 140.0, seed=2), capsys)
    assert (code, told["verdict"]) == (0, "NO DRIFT")
    assert len(told["windows"]) == 1


def test_a_dark_drive_has_drifted_in_its_first_window_with_a_picture_of_it(
    day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = check(day, write_pictures(day.parent / "night", 120, 50.0, seed=3), capsys)
    assert (code, told["verdict"]) == (1, "DRIFT")
    alarms = {(one["figure"], one["statistic"]) for one in told["windows"][0]["statistics"] if one["alarm"]}
    assert ("brightness", "shift") in alarms
    folder = Path(told["folder"])
    result = read_result(folder)
    cell = next(cell for cell in result.cells if cell.row == "brightness shift")
    assert cell.value is not None and cell.value > 1
    assert picture_path(folder, cell.examples[0].changed) is not None


def test_what_is_too_short_is_inconclusive(day: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = write_pictures(day.parent / "short", 30, 50.0, seed=4)
    code, told = check(day, short, capsys)
    assert (code, told["verdict"]) == (3, "INCONCLUSIVE")
    assert "30 frames are too few" in told["why"]
    code, told = check(day, short, capsys, "--window", "1")
    assert code == 3
    assert "too small" in told["why"]


def test_a_reference_of_too_few_frames_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = write_pictures(tmp_path / "few", 4, 100.0, seed=5)
    assert main(["drift", "reference", str(few), "--fps", "10", "--out", str(tmp_path / "few.json")]) == 2
    assert "too few for a reference" in capsys.readouterr().err
    assert not (tmp_path / "few.json").exists()


def test_a_run_against_a_reference_has_findings_series_and_the_same_verdict_afterwards(
    day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = write_pictures(day.parent / "night", 240, 50.0, seed=6)
    model = write_model(day.parent / "model.onnx")
    words = ["replay", str(night), "-b", str(model), "--fps", "10", "--json", "--truth", "none"]
    assert main([*words, "--drift-reference", str(day)]) == 0
    folder = find_run("last", day.parent / "home" / "runs")
    with closing(RunReader(folder)) as reader:
        found = [one for one in reader.findings(kind=Kind.DRIFT) if "not like the reference" in one.why]
        series = reader.series()
        stored = reader.meta("drift")
        moment = reader.moment(0)
    assert any("brightness" in one.why and one.suspect is Suspect.RIG for one in found)
    assert (series["drift brightness shift"].numbers > 1).all()
    assert stored["windows"] == stored["alarms"] == 2
    assert moment is not None and moment.health.noise > 0
    capsys.readouterr()
    assert main(["drift", "check", "last", "--reference", str(day), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "DRIFT"


def test_a_missing_reference_breaks_the_run_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "home"))
    drive = write_pictures(tmp_path / "drive", 3, 100.0, seed=7)
    model = write_model(tmp_path / "model.onnx")
    nowhere = str(tmp_path / "nowhere.json")
    words = ["replay", str(drive), "-b", str(model), "--fps", "10", "--drift-reference", nowhere]
    assert main(words) == 4
    assert "is no drift reference: it is not there; make one" in capsys.readouterr().err
    assert not list((tmp_path / "home").glob("runs/*"))


def test_cameras_of_one_drive_are_watched_each_by_its_own_reference(day: Path) -> None:
    """The rear camera is dark all the time, as in its reference: mixed with the bright one, both would drift."""
    folder = day.parent
    write_pictures(folder / "rear", 240, 50.0, seed=8)
    (folder / "references").mkdir()
    for name, pictures in (("front", "day"), ("rear", "rear")):
        out = str(folder / "references" / f"{name}.json")
        words = ["drift", "reference", str(folder / pictures), "--fps", "10", "--out", out]
        assert main(words) == 0
        plain = json.loads(Path(out).read_text())
        Path(out).write_text(json.dumps({**plain, "camera": name}))
    front, rear = folder / "now" / "front", folder / "now" / "rear"
    front.parent.mkdir()
    write_pictures(front, 130, 140.0, seed=9)
    write_pictures(rear, 130, 50.0, seed=10)
    model = write_model(folder / "model.onnx")
    words = ["replay", str(front), "--beside", str(rear), "-b", str(model), "--fps", "10", "--truth", "none", "--json"]
    assert main([*words, "--drift-reference", str(folder / "references")]) == 0
    with closing(RunReader(find_run("last", folder / "home" / "runs"))) as reader:
        stored, names, notes = reader.meta("drift"), set(reader.series()), reader.meta("notes")
        assert reader.findings(kind=Kind.DRIFT) == []
    assert stored["cameras"]["front"] == {"windows": 1, "alarms": 0, "left_out": 30}
    assert stored["windows"] == 2
    assert {"drift brightness shift of front", "drift brightness shift of rear"} <= names
    assert any("30 frames of camera front at the end, less than a window" in note for note in notes)


def test_of_a_run_of_several_cameras_a_reference_needs_the_name_of_one(
    day: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = day.parent
    rear = write_pictures(folder / "rear", 240, 50.0, seed=11)
    model = write_model(folder / "model.onnx")
    words = ["replay", str(folder / "day"), "--beside", str(rear), "-b", str(model), "--fps", "10", "--truth", "none"]
    assert main([*words, "--json"]) == 0
    out = folder / "rear.json"
    assert main(["drift", "reference", "last", "--out", str(out)]) == 2
    assert "several cameras (day, rear); make a reference of each with --camera NAME" in capsys.readouterr().err
    assert main(["drift", "reference", "last", "--camera", "front", "--out", str(out)]) == 2
    assert "no camera 'front'" in capsys.readouterr().err
    assert main(["drift", "reference", "last", "--camera", "rear", "--out", str(out)]) == 0
    assert json.loads(out.read_text())["camera"] == "rear"
    capsys.readouterr()
    code = main(["drift", "check", "last", "--reference", str(out), "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (code, told["verdict"], told["frames"]) == (0, "NO DRIFT", 240)


def test_frames_that_lack_a_figure_are_told(day: Path) -> None:
    """A picture too small to have noise among the others: it is left out and said."""
    night = write_pictures(day.parent / "night", 120, 50.0, seed=12)
    cv2.imwrite(str(night / "0007.png"), np.zeros((4, 4, 3), np.uint8))
    model = write_model(day.parent / "model.onnx")
    words = ["replay", str(night), "-b", str(model), "--fps", "10", "--json", "--truth", "none"]
    assert main([*words, "--drift-reference", str(day)]) == 0
    with closing(RunReader(find_run("last", day.parent / "home" / "runs"))) as reader:
        notes = reader.meta("notes")
    assert "drift: 1 frame without a figure of the reference not compared" in notes
