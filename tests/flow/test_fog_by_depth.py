"""Fog by the distances of depth maps, as typed: in a replay, in a test case, in a suite of corruptions."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.cli import main
from hilgui.records import Frame, Role
from hilgui.robustness import read_result
from hilgui.settings import load_settings
from hilgui.sources.opening import source_again
from hilgui.store import RunReader, find_run
from hilgui.stream import StopToken
from tests.dark_street import write_light_model, write_street

from .tiny import write_drive, write_model

NEAR_M, FAR_M = 5.0, 200.0


def depth(path: Path, metres: float) -> Path:
    cv2.imwrite(str(path), np.full((48, 64), metres * 256, np.uint16))
    return path


def pictures(run: Path) -> list[NDArray[np.uint8]]:
    """Give what the models of a run saw."""
    with closing(RunReader(run)) as reader:
        source = source_again(reader.header.source)
    with closing(source):
        source.open()
        return [item.image for item in source.frames(StopToken()) if isinstance(item, Frame)]


def test_a_replay_takes_the_distances_and_measures_clean_afterwards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive, model = write_drive(tmp_path / "drive.mp4", 6), write_model(tmp_path / "tiny.onnx")
    seen = {}
    for metres in (NEAR_M, FAR_M):
        maps = depth(tmp_path / f"{metres:g}.png", metres)
        runs = tmp_path / f"{metres:g}"
        words = ["replay", str(drive), "-b", str(model), "--out", str(runs), "--json"]
        assert main([*words, "--corrupt", "depth_fog:3", "--depth", str(maps)]) == 0
        capsys.readouterr()
        (run,) = [folder for folder in runs.iterdir() if folder.is_dir()]
        seen[metres] = pictures(run)
    assert len(seen[NEAR_M]) == 6
    assert seen[NEAR_M][0].mean() < 60 < 180 < seen[FAR_M][0].mean()  # what lies far is white
    again = ["robustness", str(run), "--corruption", "brightness", "--severity", "1", "--no-search", "--json"]
    assert main(again) == 0  # clean is the recording: neither fog nor its depth maps are left
    assert json.loads(capsys.readouterr().out)["headlines"]


def test_a_case_takes_the_distances_that_lie_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_drive(tmp_path / "drive.mp4", 6)
    write_model(tmp_path / "tiny.onnx")
    depth(tmp_path / "depth.png", FAR_M)
    (tmp_path / "fog.case.yaml").write_text(
        """\
schema: hilgui/case.v1
name: fog
source: {path: drive.mp4}
models: {baseline: tiny.onnx}
steps:
  - replay: {corrupt: ["depth_fog:3"], corrupt_depth: depth.png}
criteria:
  - {metric: frames, limit: "== 6"}
""",
        encoding="utf-8",
    )
    assert main(["run", str(tmp_path / "fog.case.yaml"), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["cases"]
    with closing(RunReader(find_run(result["runs"][0], load_settings().runs))) as reader:
        assert reader.header.source.corrupt_depth == str(tmp_path / "depth.png")


def test_a_suite_takes_the_distances_and_another_map_is_another_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    street, labels = write_street(tmp_path)
    for path in street.iterdir():  # black: what the fog adds is the only light by which the model sees
        cv2.imwrite(str(path), np.zeros((48, 64, 3), np.uint8))
    model = write_light_model(tmp_path / "light.onnx")
    words = ["robustness", str(street), "--model", str(model), "--fps", "10", "--truth", str(labels), "--no-search"]
    words += ["--corruption", "depth_fog", "--severity", "3", "--json"]
    found = {}
    for metres in (NEAR_M, FAR_M):
        assert main([*words, "--depth", str(depth(tmp_path / f"{metres:g}.png", metres))]) == 0
        found[metres] = read_result(Path(json.loads(capsys.readouterr().out)["folder"]))
    cells = {metres: result.cell("depth_fog", "3", Role.BASELINE) for metres, result in found.items()}
    near, far = cells[NEAR_M], cells[FAR_M]
    assert near is not None and far is not None
    assert near.value is not None and far.value == 1.0 > near.value
    assert found[NEAR_M].id != found[FAR_M].id
