"""Texture that changes while brightness, contrast and sharpness stay: the network's own features find it in a run."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from hilgui.cli import main
from hilgui.records import Kind, Role
from hilgui.settings import load_settings
from hilgui.store import RunReader, find_run
from tests.flow.tiny import write_model

FPS = 2  # every frame is a sample of features


def write_network(path: Path) -> Path:
    """Write the tiny detector with two convolutions that feel edges across and along the picture."""
    model = onnx.load(write_model(path))
    across = np.zeros((2, 3, 3, 3), np.float32)
    across[0, :, 1, :] = across[1, :, :, 1] = np.array([-1, 0, 1], np.float32) / 3
    mixed = np.array([[1, 0], [0, 1], [1, -1]], np.float32).reshape(3, 2, 1, 1)
    graph = model.graph
    graph.initializer.extend([numpy_helper.from_array(across, "edges"), numpy_helper.from_array(mixed, "mix")])
    graph.node.insert(0, helper.make_node("Conv", ["image", "edges"], ["felt"], strides=[2, 2]))
    graph.node.insert(1, helper.make_node("Relu", ["felt"], ["strong"]))
    graph.node.insert(2, helper.make_node("Conv", ["strong", "mix"], ["mixed"], strides=[2, 2]))
    next(node for node in graph.node if node.op_type == "ReduceMean").input[0] = "mixed"
    onnx.save(model, path)
    return path


def write_pictures(folder: Path, frames: int, seed: int, *, is_turned: bool) -> Path:
    """Write pictures of stripes of random width, lying or, turned, standing; their statistics are the same."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for seq in range(frames):
        side = cv2.GaussianBlur(rng.normal(0, 1, (64, 64)).astype(np.float32), (0, 0), sigmaX=4.0, sigmaY=0.8)
        side = 120 + rng.normal(0, 4) + 25 * side / side.std()
        grey = (side.T if is_turned else side).clip(0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{seq:04d}.png"), cv2.merge([grey, grey, grey]))
    return folder


def replay(drive: Path, model: Path, *more: str) -> Path:
    words = ["replay", str(drive), "-b", str(model), "--fps", str(FPS), "--truth", "none", "--json", *more]
    assert main(words) == 0
    return find_run("last", load_settings().runs)


def check(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict]:
    capsys.readouterr()
    code = main(["drift", "check", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def told_of(document: dict) -> list[float]:
    """Give the distance of the features, window by window."""
    every = [one for window in document["windows"] for one in window["statistics"]]
    return [one["value"] for one in every if one["figure"] == "baseline features"]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Give a model, and a reference made of a stored run that kept its features."""
    monkeypatch.setenv("HILGUI_HOME", str(tmp_path / "home"))
    model = write_network(tmp_path / "model.onnx")
    monkeypatch.setenv("HILGUI_DRIFT_FEATURES", "always")
    run = replay(write_pictures(tmp_path / "lying", 240, 1, is_turned=False), model)
    monkeypatch.delenv("HILGUI_DRIFT_FEATURES")
    out = tmp_path / "lying.json"
    assert main(["drift", "reference", str(run), "--features", "--out", str(out)]) == 0
    return model, out


def test_turned_texture_is_found_by_features_alone_in_the_run_and_afterwards(
    bench: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    model, reference = bench
    drive = write_pictures(reference.parent / "standing", 120, 2, is_turned=True)
    folder = replay(drive, model, "--drift-reference", str(reference))
    with closing(RunReader(folder)) as reader:
        found = [one for one in reader.findings(kind=Kind.DRIFT) if "not like the reference" in one.why]
        live = reader.series()["drift baseline features mmd"].numbers
        assert len(reader.features()) == 120
    assert [("baseline features" in one.why, one.role) for one in found] == [(True, Role.BASELINE)] * 6
    assert (live > 1).all()
    code, stored = check(capsys, "last", "--reference", str(reference))
    assert (code, stored["verdict"]) == (1, "DRIFT")
    alarms = {one["figure"] for each in stored["windows"] for one in each["statistics"] if one["alarm"]}
    assert alarms == {"baseline features"}
    limit = np.array(told_of(stored)) / live  # the live monitor's own: it shares its rate among more windows
    assert limit == pytest.approx(limit[0], rel=1e-9)
    _, recorded = check(
        capsys, str(drive), "--fps", str(FPS), "--model", str(model), "--features", "--reference", str(reference)
    )
    assert told_of(recorded) == pytest.approx(told_of(stored), rel=1e-6)


def test_the_same_texture_is_no_alarm_in_the_run_nor_afterwards(
    bench: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    model, reference = bench
    drive = write_pictures(reference.parent / "other", 120, 3, is_turned=False)
    folder = replay(drive, model, "--drift-reference", str(reference))
    with closing(RunReader(folder)) as reader:
        assert not [one for one in reader.findings(kind=Kind.DRIFT) if "not like the reference" in one.why]
        assert (reader.series()["drift baseline features mmd"].numbers < 1).all()
        assert reader.meta("drift")["features"] == {"windows": 6, "alarms": 0, "left_out": 0}
    code, stored = check(capsys, "last", "--reference", str(reference))
    assert (code, stored["verdict"]) == (0, "NO DRIFT")
    assert len(told_of(stored)) == 6


def test_a_run_keeps_no_features_where_nobody_asks_and_says_so_where_it_may_not(
    bench: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, reference = bench
    drive = write_pictures(reference.parent / "few", 6, 4, is_turned=False)
    with closing(RunReader(replay(drive, model))) as reader:
        assert (reader.features(), reader.meta("features")) == ([], None)
    capsys.readouterr()
    assert main(["drift", "check", "last", "--features", "--reference", str(reference)]) == 2
    assert "kept no features" in capsys.readouterr().err
    monkeypatch.setenv("HILGUI_DRIFT_FEATURES", "never")
    with closing(RunReader(replay(drive, model, "--drift-reference", str(reference)))) as reader:
        assert reader.features() == []
        assert any("features, which this run does not sample," in note for note in reader.meta("notes"))


def test_in_real_time_samples_are_taken_beside_the_run_and_judged_as_those_afterwards(
    bench: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """How many find time depends on the machine; those that do are kept and compared alike."""
    model, reference = bench
    drive = write_pictures(reference.parent / "standing", 120, 5, is_turned=True)
    folder = replay(drive, model, "--speed", "50", "--drift-reference", str(reference))
    with closing(RunReader(folder)) as reader:
        kept = len(reader.features())
        drift = reader.meta("drift")["features"]
        windows = reader.series().get("drift baseline features mmd")
        notes = " ".join(reader.meta("notes"))
    assert drift["windows"] == kept // 20 == (0 if windows is None else len(windows.numbers))
    assert kept == 120 or f"of 120 frames whose features were to be sampled {120 - kept} were left out" in notes
    _, stored = check(capsys, "last", "--reference", str(reference))
    assert len(told_of(stored)) == drift["windows"]
