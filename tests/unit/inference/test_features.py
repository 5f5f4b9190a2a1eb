"""A network cut behind its deepest features: the same numbers as the whole one, nothing of the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from hilgui.errors import CallWrong
from hilgui.inference.features import MOST, Features, convolutions, cut, pooled

CHANNELS = 80


def write_network(path: Path, *, is_flat: bool = False) -> Path:
    """Two convolutions, the second coarser and with more channels, then a mean; `is_flat` has none."""
    rng = np.random.default_rng(1)
    weights = [
        numpy_helper.from_array(rng.normal(size=(8, 3, 3, 3)).astype(np.float32), "w1"),
        numpy_helper.from_array(rng.normal(size=(CHANNELS, 8, 3, 3)).astype(np.float32), "w2"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], strides=[4, 4]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["c2"], ["y"]),
    ]
    if is_flat:
        nodes, weights = [helper.make_node("GlobalAveragePool", ["x"], ["y"])], []
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 48, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3 if is_flat else CHANNELS, 1, 1])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def test_the_deepest_features_are_those_of_the_whole_network(tmp_path: Path) -> None:
    path = write_network(tmp_path / "network.onnx")
    assert convolutions(path.read_bytes()) == ["c1", "c2"]
    features = Features(path)
    assert features.tensor == "c2"
    picture = np.random.default_rng(2).normal(size=(1, 3, 48, 64)).astype(np.float32)
    found = features.of({"x": picture, "unused": picture})
    whole = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (means,) = whole.run(None, {"x": picture})
    assert len(found) == MOST
    assert found == pytest.approx(pooled(np.asarray(means)), rel=1e-4, abs=1e-4)


def test_a_cut_file_has_the_chosen_output_alone_and_the_same_weights(tmp_path: Path) -> None:
    data = write_network(tmp_path / "network.onnx").read_bytes()
    model = onnx.load_from_string(cut(data, ["c1"], keep=False))
    assert [each.name for each in model.graph.output] == ["c1"]
    assert list(model.graph.initializer) == list(onnx.load_from_string(data).graph.initializer)
    both = onnx.load_from_string(cut(data, ["c1"], keep=True))
    assert [each.name for each in both.graph.output] == ["y", "c1"]


def test_few_channels_stay_as_they_are_and_many_are_averaged_with_their_neighbours() -> None:
    assert pooled(np.arange(12.0).reshape(1, 3, 2, 2)).tolist() == [1.5, 5.5, 9.5]
    assert pooled(np.repeat(np.arange(64.0), 2).reshape(1, 128, 1, 1)).tolist() == list(map(float, range(64)))


def test_a_network_without_convolutions_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(CallWrong, match="no convolutions with known sizes"):
        Features(write_network(tmp_path / "flat.onnx", is_flat=True))
