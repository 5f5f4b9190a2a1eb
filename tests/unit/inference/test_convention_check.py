"""The check of input conventions finds the wrong preparation of a real model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hilgui.cli.models import models_app
from hilgui.errors import CallWrong
from hilgui.inference.card import read_card
from hilgui.pipeline.convention_check import check_conventions

WRONG = (
    "schema: hilgui/model.v1\n"
    f"input: {{color: rgb, scale: {1 / 255}, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}\n"
)


def test_imagenet_normalisation_of_yolox_is_found_out(shared_data: Path, tmp_path: Path) -> None:
    card = tmp_path / "wrong.yaml"
    card.write_text(WRONG)
    coco = shared_data / "images_gt" / "coco_val2017_100"
    call = ["check", str(shared_data / "models" / "yolox_nano_416.onnx"), str(coco / "images"), "--json"]
    call += ["--truth", str(coco / "instances_val2017_100.json"), "--card", str(card), "--provider", "cpu"]

    said = CliRunner().invoke(models_app, call)

    told = json.loads(said.stdout)
    assert said.exit_code == 1
    assert told["frames"] == 12
    assert told["now"]["ap"] < 0.01
    assert told["better"]["ap"] == pytest.approx(0.394, abs=0.02)
    assert "RGB 0..255, placed as now" in told["alike"] and "BGR ImageNet, placed as now" not in told["alike"]
    assert (told["better"]["preprocess"]["color"], told["better"]["preprocess"]["scale"]) == ("bgr", 1.0)
    proposed = tmp_path / "proposed.yaml"
    proposed.write_text(told["card"] + "\n")
    assert read_card(proposed).input.color == "bgr"


def test_the_right_preparation_is_left_alone(shared_data: Path) -> None:
    coco = shared_data / "images_gt" / "coco_val2017_100"

    found = check_conventions(
        shared_data / "models" / "yolox_nano_416.onnx",
        coco / "instances_val2017_100.json",
        coco / "images",
        provider="cpu",
        most_frames=6,
    )

    assert found.better is None
    assert found.card_lines() == ""


def test_a_network_without_boxes_has_nothing_to_check(shared_data: Path) -> None:
    coco = shared_data / "images_gt" / "coco_val2017_100"

    with pytest.raises(CallWrong, match="is for lanes"):
        check_conventions(shared_data / "models" / "lstr_360x640.onnx", coco / "instances_val2017_100.json", coco)


def test_what_may_be_chance_on_a_few_frames_is_not_recommended(shared_data: Path) -> None:
    drive = shared_data / "drives" / "kitti_2011_09_26_drive_0052"
    call = ["check", str(shared_data / "models" / "yolox_nano_416.onnx"), str(drive), "--provider", "cpu"]

    said = CliRunner().invoke(models_app, [*call, "--truth", str(drive / "label_2_keyframes")])

    assert said.exit_code == 3, said.output
    assert "may be chance on 4 frames with 31 objects" in " ".join(said.stdout.split())
    assert "schema:" not in said.stdout
