"""A model that harms ends a child process, and the caller gets a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from hilgui.cli.models import models_app
from hilgui.errors import ModelBroken
from hilgui.inference.inspection import inspect_model
from hilgui.inference.preflight import Limits, try_model

from .tiny import Tiny, dense

PICTURE = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 8, 8])


def save(path: Path, graph: onnx.GraphProto) -> Path:
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def bomb(path: Path) -> Path:
    """Ask for 2.5 GB in about a hundred bytes."""
    size = numpy_helper.from_array(np.array([625_000_000], np.int64), "s")
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
    return save(
        path, helper.make_graph([helper.make_node("ConstantOfShape", ["s"], ["y"])], "b", [PICTURE], [out], [size])
    )


def endless(path: Path) -> Path:
    """Loop without an end."""
    info = helper.make_tensor_value_info
    inputs = [
        info("i", TensorProto.INT64, []),
        info("c", TensorProto.BOOL, []),
        info("x", TensorProto.FLOAT, [1, 3, 8, 8]),
    ]
    outputs = [info("co", TensorProto.BOOL, []), info("xo", TensorProto.FLOAT, [1, 3, 8, 8])]
    nodes = [helper.make_node("Identity", ["c"], ["co"]), helper.make_node("Identity", ["x"], ["xo"])]
    body = helper.make_graph(nodes, "body", inputs, outputs)
    loop = helper.make_node("Loop", ["", "t", "image"], ["y"], body=body)
    true = numpy_helper.from_array(np.array(True), "t")
    return save(path, helper.make_graph([loop], "l", [PICTURE], [info("y", TensorProto.FLOAT, [1, 3, 8, 8])], [true]))


def test_a_bomb_of_a_hundred_bytes_ends_in_a_sentence(tmp_path: Path) -> None:
    path = bomb(tmp_path / "bomb.onnx")
    assert path.stat().st_size < 120

    with pytest.raises(ModelBroken, match=r"bomb\.onnx wants more than 1000 MB"):
        try_model(path, limits=Limits(memory_mb=1000))


def test_a_loop_without_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="was not done with one picture within 1 s"):
        try_model(endless(tmp_path / "loop.onnx"), limits=Limits(seconds=1.0))


def test_a_broken_file_is_refused_by_the_child_in_the_usual_words(tmp_path: Path) -> None:
    path = tmp_path / "garbage.onnx"
    path.write_bytes(b"not a model" * 50)

    with pytest.raises(ModelBroken, match="is not a model that onnxruntime can load"):
        try_model(path)


def test_a_trial_says_what_ran_where(tmp_path: Path) -> None:
    trial = try_model(dense([[0, 0, 9, 9]], [[0.9, 0.1]], picture_shape=(1, 3, "h", "w")).write(tmp_path / "m.onnx"))

    assert trial.providers == ("CPUExecutionProvider",)
    assert trial.shapes == {"boxes": (1, 1, 4), "scores": (1, 1, 2)}
    assert trial.run_ms > 0
    assert trial.signature.inputs[0].shape == (1, 3, "h", "w")


def test_an_inspection_tells_all(tmp_path: Path) -> None:
    path = Tiny({"detections": np.zeros((5, 7), np.float32)}, picture="images").write(tmp_path / "odd.onnx")

    said = CliRunner().invoke(models_app, ["inspect", str(path), "--json"])

    told = json.loads(said.stdout)
    assert said.exit_code == 0
    assert told["adapter"] == ""
    assert next(iter(told["not_adapters"])) == "end_to_end"
    assert told["operators"] == {"Identity": 1}
    assert told["parameters"] == 35
    assert told["providers"]["cpu"]["output_shapes"] == {"detections": [5, 7]}
    assert told["inputs"] == [{"name": "images", "shape": [1, 3, 48, 64], "dtype": "tensor(float)"}]


def test_a_known_model_is_inspected_in_words(tmp_path: Path) -> None:
    path = dense([[0, 0, 9, 9]], [[0.9, 0.1]]).write(tmp_path / "m.onnx")

    said = CliRunner().invoke(models_app, ["inspect", str(path)])

    assert said.exit_code == 0
    assert inspect_model(path).adapter == "dense_boxes"


def test_a_card_that_names_other_classes_is_told_before_a_replay_refuses_it(tmp_path: Path) -> None:
    path = dense([[0, 0, 9, 9]], [[0.9, 0.1]]).write(tmp_path / "m.onnx")
    path.with_suffix(".yaml").write_text("schema: hilgui/model.v1\nclasses: [a, b, c]\n")

    said = CliRunner().invoke(models_app, ["inspect", str(path)])

    assert said.exit_code == 4
    assert "its card names 3" in inspect_model(path).broken
    assert "(recognised)" in said.output, "the card does not name an adapter"


def test_what_is_broken_is_still_described(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        models_app, ["inspect", str(bomb(tmp_path / "bomb.onnx")), "--memory-mb", "500", "--json"]
    )

    told = json.loads(said.stdout)
    assert said.exit_code == 4
    assert "wants more than 500 MB" in told["broken"]
    assert told["suspicious"] == ["next to no weights, but operators that make tensors of any size: ConstantOfShape"]
