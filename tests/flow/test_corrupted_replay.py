"""A corrupted drive through the real engine, as typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hilgui.cli import main

from .tiny import write_drive, write_model


def replay(tmp_path: Path, *more: str) -> list[str]:
    model = write_model(tmp_path / "tiny.onnx")
    drive = tmp_path / "drive.mp4"
    write_drive(drive, 12)
    return ["replay", str(drive), "-b", str(model), "--out", str(tmp_path / "runs"), "--json", *more]


def test_a_corrupted_replay_is_judged_and_its_header_says_what_was_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(replay(tmp_path, "--corrupt", "fog:3+dirt:1", "--corrupt-seed", "7")) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["frames"]["evaluated"] == 12
    header = next((tmp_path / "runs").rglob("*.json"), None)
    said = json.dumps(figures) + ("" if header is None else header.read_text(encoding="utf-8"))
    assert "fog at severity 3 then dirt at severity 1; seed 7" in said


def test_frames_dropped_on_purpose_are_losses_and_no_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(replay(tmp_path, "--corrupt", "frame_drop:5")) == 3
    figures = json.loads(capsys.readouterr().out)
    assert figures["frames"]["dropped"] > 0
    assert figures["verdict"] == "INCONCLUSIVE"


def test_an_unknown_corruption_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(replay(tmp_path, "--corrupt", "fogg:3")) == 2
    assert "did you mean fog" in capsys.readouterr().out
