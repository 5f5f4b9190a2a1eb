"""Real drives and models through the command line: the figures that the manifest of the data promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hilgui.cli import main

ROAD_USERS = {"person", "bicycle", "car", "motorcycle", "bus", "truck"}


def replay(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    code = main(["replay", *(str(argument) for argument in arguments), "--provider", "cpu", "--json"])
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0 and told["verdict"] == "PASS"
    return told


def models(shared_data: Path) -> list[object]:
    folder = shared_data / "models"
    return ["--baseline", folder / "yolox_nano_416.onnx", "--candidate", folder / "deimv2_femto_coco_416.onnx"]


@pytest.mark.slow
def test_a_highway_drive_has_the_road_users_of_the_manifest(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = shared_data / "drives/clips/solidWhiteRight.mp4"
    told = replay(capsys, drive, *models(shared_data), "--out", tmp_path)
    assert told["frames"]["captured"] == told["frames"]["evaluated"] == 221
    assert told["frames"]["dropped"] == told["frames"]["skipped"] == 0
    assert main(["export", told["run"], "--format", "jsonl", "--out", str(tmp_path / "frames.jsonl")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "frames.jsonl").read_text().splitlines()]
    frames = [line for line in lines if line["type"] == "frame"]
    shown = [
        detection
        for frame in frames
        for detection in frame["baseline"]["detections"]
        if detection["class"] in ROAD_USERS and detection["score"] > 0.35
    ]
    # NMS at IoU .65, which AP wants, leaves 3.17; suppressing the same rows again at .5 leaves 3.05
    assert len(shown) / 221 == pytest.approx(3.07, abs=0.15)


@pytest.mark.slow
def test_coco_100_reaches_the_average_precision_of_the_manifest(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "images_gt/coco_val2017_100"
    truth = folder / "instances_val2017_100.json"
    told = replay(capsys, folder / "images", "--truth", truth, *models(shared_data), "--out", tmp_path)
    expected = {"baseline": (0.367, 0.530), "candidate": (0.416, 0.564)}
    for role, (precision, precision_50) in expected.items():
        figures = told["models"][role]["detection"]
        assert figures["map_50_95"] == pytest.approx(precision, abs=0.004)
        assert figures["map_50"] == pytest.approx(precision_50, abs=0.012)
    assert not {"flicker", "class_flip", "frozen_frame"} & set(told["findings"])  # an unordered set has no time


def test_a_kitti_drive_is_judged_on_its_four_labelled_frames_alone(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = shared_data / "drives/kitti_2011_09_26_drive_0052"
    told = replay(
        capsys,
        drive / "image_02",
        "--fps",
        10,
        "--truth",
        drive / "label_2_keyframes",
        *models(shared_data),
        "--out",
        tmp_path,
    )
    assert (told["frames"]["evaluated"], told["frames"]["with_truth"]) == (34, 4)
    assert sorted(told["classes"]) == ["car", "person", "truck"]
    assert told["models"]["baseline"]["detection"]["frames"] == 4
    assert told["truth"]["unmapped"] == ["Cyclist", "Tram", "Misc"]


def test_a_detector_is_not_compared_with_a_model_for_lanes(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive, (_, detector, *_) = shared_data / "drives/clips/carnd_test_video.mp4", models(shared_data)
    lanes = shared_data / "models" / "lstr_360x640.onnx"
    call = ["replay", drive, "--baseline", lanes, "--candidate", detector, "--out", tmp_path]
    assert main([*map(str, call), "--provider", "cpu"]) == 2
    assert "lstr_360x640 is for lanes and the candidate" in " ".join(capsys.readouterr().err.split())


def test_the_summary_of_a_model_for_lanes_shows_figures_of_lanes(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lanes, drive = shared_data / "models/lstr_360x640.onnx", shared_data / "images_gt/tusimple_lanenet"
    call = ["replay", drive, "--truth", drive, "--baseline", lanes, "--out", tmp_path, "--provider", "cpu"]
    assert main([*map(str, call)]) == 0
    told = capsys.readouterr().out
    assert "tusimple_accuracy" in told and "AP50" not in told and "detections" not in told
