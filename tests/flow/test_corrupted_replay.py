"""A corrupted drive through the real engine, as typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hilgui.cli import main
from hilgui.pipeline.plan import RunPlan
from hilgui.pipeline.preparation import prepare
from hilgui.records import Frame
from hilgui.settings import Settings
from hilgui.sources.opening import source_again
from hilgui.stream import StopToken

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


def test_a_part_of_a_recording_is_corrupted_as_the_whole_and_shown_again_as_it_was(tmp_path: Path) -> None:
    drive, model = write_drive(tmp_path / "drive.mp4", 40), write_model(tmp_path / "tiny.onnx")
    plan = RunPlan(
        source=drive, baseline=model, out=tmp_path, settings=Settings(home=tmp_path / "home"), frames=(15, 35)
    )
    prepared = prepare(replace(plan, corrupt=("latency:3", "freeze:1", "fog:2"), corrupt_seed=3))
    try:
        seen = {one.ref.seq: one.image for one in prepared.source.frames(StopToken()) if isinstance(one, Frame)}
        again = source_again(prepared.header.source)
        again.open()
        assert sorted(seen) == list(range(15, 36))
        assert all(np.array_equal(again.frame_at(seq).image, image) for seq, image in seen.items())
        again.close()
    finally:
        prepared.close()
