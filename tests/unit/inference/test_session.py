from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from hilgui.errors import ModelBroken
from hilgui.inference import Model
from hilgui.inference.session import Session

from .tiny import dense

ONE = dense([[0, 0, 9, 9]], [[0.9, 0.1]])


def refused(path: Path) -> str:
    with pytest.raises(ModelBroken) as caught:
        Model.load(path, provider="cpu")
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "no.onnx")


def test_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in refused(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.onnx"
    path.touch()

    assert "is empty" in refused(path)


@pytest.mark.parametrize("garbage", [b"\x00" * 1000, b"not a model at all\n" * 40, bytes(range(256)) * 8])
def test_garbage(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "garbage.onnx"
    path.write_bytes(garbage)

    assert "is not a model that onnxruntime can load" in refused(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_model(tmp_path: Path, share: float) -> None:
    path = ONE.write(tmp_path / "cut.onnx")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])

    assert "is not a model that onnxruntime can load" in refused(path)


def test_a_file_larger_than_any_model(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    path.touch()
    os.truncate(path, 3 << 30)

    assert "larger than 2 GiB" in refused(path)


def test_a_model_with_an_operator_that_nobody_knows(tmp_path: Path) -> None:
    path = ONE.write(tmp_path / "custom.onnx")
    model = onnx.load(path)
    model.graph.node[0].domain = "evil.example"
    model.graph.node[0].op_type = "RunProgram"
    onnx.save(model, path)

    assert "is not a model that onnxruntime can load" in refused(path)


def outside(path: Path, location: str) -> Path:
    """Write a model whose weights lie in another file."""
    weights = numpy_helper.from_array(np.ones((1, 1, 4), np.float32), "weights")
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        entry = weights.external_data.add()
        entry.key, entry.value = key, value
    graph = helper.make_graph(
        [helper.make_node("Identity", ["weights"], ["boxes"])],
        "outside",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, 48, 64))],
        [helper.make_tensor_value_info("boxes", TensorProto.FLOAT, (1, 1, 4))],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("way", ["parent", "absolute", "link", "hard link"])
def test_weights_outside_the_folder_of_the_model_are_not_read(tmp_path: Path, way: str) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.ones(4, np.float32).tobytes())
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "link.bin").symlink_to(secret)
    if way == "hard link":
        (folder / "hard.bin").hardlink_to(secret)
    location, why = {
        "parent": ("../secret.bin", "outside its folder"),
        "absolute": (str(secret), "an absolute path"),
        "link": ("link.bin", "reached by a link"),
        "hard link": ("hard.bin", "a file with several names"),
    }[way]

    assert why in refused(outside(folder / "model.onnx", location))


def test_settings_inside_the_metadata_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_LOAD_CONFIG_FROM_MODEL", "1")
    tiny = dense([[0, 0, 9, 9]], [[0.9, 0.1]])
    tiny.metadata["ort_config"] = '{"session_options": {"enable_profiling": "1"}}'
    monkeypatch.chdir(tmp_path)

    Session(tiny.write(tmp_path / "settings.onnx"), provider="cpu", threads=1, spinning=False)

    assert [each.name for each in tmp_path.iterdir()] == ["settings.onnx"]


def test_a_network_that_fails_while_it_runs_names_its_file(tmp_path: Path) -> None:
    path = ONE.write(tmp_path / "one.onnx")
    session = Session(path, provider="cpu", threads=1, spinning=False)

    with pytest.raises(ModelBroken, match=r"one\.onnx fails while it runs"):
        session.run({"image": np.zeros((1, 3, 7, 7), np.float32)})
