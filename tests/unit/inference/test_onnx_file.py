"""The walker over ONNX files agrees with the onnx package, and ends in typed errors on anything else."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from onnx import TensorProto, helper, numpy_helper

from hilgui.errors import ModelBroken
from hilgui.inference.onnx_file import OnnxFacts, read_onnx, walk
from hilgui.inference.trust import check_outside, suspicious

from .tiny import dense


def model() -> onnx.ModelProto:
    """Make a model with a branch, a constant in a node, a weight and metadata."""
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    inner = [helper.make_node("Constant", [], ["y"], value=numpy_helper.from_array(np.ones(2, np.float32), "c"))]
    branch = helper.make_graph(inner, "branch", [], [value])
    graph = helper.make_graph(
        [
            helper.make_node("If", ["cond"], ["y"], then_branch=branch, else_branch=branch),
            helper.make_node("Odd", ["w"], ["z"], domain="strange.example"),
        ],
        "main",
        [helper.make_tensor_value_info("cond", TensorProto.BOOL, [])],
        [value],
        [numpy_helper.from_array(np.ones((3, 5), np.float32), "w")],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("strange.example", 7)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9, producer_name="maker")
    helper.set_model_props(made, {"ort_config": "{}"})
    return made


def test_everything_is_counted_also_in_branches() -> None:
    facts = walk(model().SerializeToString())

    assert facts.operators == Counter({"If": 1, "Constant": 2, "strange.example.Odd": 1})
    assert facts.opsets == {"": 18, "strange.example": 7}
    assert (facts.parameters, facts.constants, facts.subgraphs) == (15, 4, 2)
    assert (facts.ir_version, facts.producer) == (9, "maker")
    assert facts.largest[0] == (15, "w")


def test_what_deserves_a_second_look_is_told() -> None:
    told = " | ".join(suspicious(walk(model().SerializeToString())))

    for part in ("strange.example", "control flow", "If", "ort_config"):
        assert part in told


def test_real_models_are_read_as_the_onnx_package_reads_them(shared_data: Path) -> None:
    for path in sorted((shared_data / "models").glob("*.onnx")):
        facts, truth = read_onnx(path), onnx.load(path)
        assert facts.parameters == sum(math.prod(each.dims) for each in truth.graph.initializer)
        assert facts.operators.total() >= len(truth.graph.node)
        assert facts.opsets == {each.domain: each.version for each in truth.opset_import}
        assert suspicious(facts) == ()


WHOLE = model().SerializeToString()


@given(some.data())
@settings(max_examples=300, deadline=None)
def test_damaged_files_are_read_or_refused(data: some.DataObject) -> None:
    damaged = bytearray(WHOLE)
    for place in data.draw(some.lists(some.integers(0, len(WHOLE) - 1), max_size=8)):
        damaged[place] = data.draw(some.integers(0, 255))
    cut = bytes(damaged[: data.draw(some.integers(0, len(WHOLE)))])
    try:
        walk(cut)
    except ValueError as refused:
        assert str(refused)


@given(some.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        walk(noise)


def nested(levels: int) -> bytes:
    """Put graphs into attributes into nodes into graphs."""
    inner = b""
    for _ in range(levels):
        for key in (0x32, 0x2A, 0x0A):  # attribute.g, node.attribute, graph.node
            inner = bytes([key]) + varint(len(inner)) + inner
    return b"\x08\x09\x42\x02\x10\x12\x3a" + varint(len(inner)) + inner


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def test_a_nest_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="nested more than"):
        walk(nested(200))


def test_a_length_beyond_the_file_allocates_nothing() -> None:
    with pytest.raises(ValueError, match="cut off"):
        walk(b"\x08\x09\x3a" + varint(2**40))


def test_a_tensor_of_a_million_axes_is_refused() -> None:
    dims = b"\x0a" + varint(1000) + b"\x7f" * 1000
    graph = b"\x2a" + varint(len(dims)) + dims

    with pytest.raises(ValueError, match="1000 axes"):
        walk(b"\x08\x09\x3a" + varint(len(graph)) + graph)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("../weights.bin", "outside its folder"),
        ("sub/../../weights.bin", "outside its folder"),
        ("..\\weights.bin", "outside its folder"),
        ("/etc/passwd", "an absolute path"),
        ("C:\\weights.bin", "an absolute path"),
        ("link.bin", "reached by a link"),
        ("linked/weights.bin", "reached by a link"),
        ("hard.bin", "hard links"),
        ("sub", "not a file"),
        ("gone.bin", "cannot be read"),
        ("", "no file name"),
        ("a\x00b", "no file name"),
    ],
)
def test_weights_elsewhere_are_refused(tmp_path: Path, location: str, why: str) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "weights.bin").write_bytes(b"1234")
    (folder / "link.bin").symlink_to(tmp_path / "weights.bin")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "hard.bin").hardlink_to(tmp_path / "weights.bin")

    with pytest.raises(ModelBroken, match=why) as refused:
        check_outside(folder / "m.onnx", OnnxFacts(external={location}))
    assert "\n" not in str(refused.value)


def test_weights_beside_the_model_are_taken(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "weights.bin").write_bytes(b"1234")

    check_outside(tmp_path / "m.onnx", OnnxFacts(external={"sub/weights.bin"}))


def test_places_of_weights_are_found_wherever_a_tensor_may_be(tmp_path: Path) -> None:
    made = model()
    for number, tensor in enumerate(
        (made.graph.initializer[0], made.graph.node[0].attribute[0].g.node[0].attribute[0].t)
    ):
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=f"place{number}")
    path = tmp_path / "m.onnx"
    path.write_bytes(made.SerializeToString())

    assert read_onnx(path).external == {"place0", "place1"}


def test_an_engine_in_a_context_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="EPContext"):
        check_outside(tmp_path / "m.onnx", OnnxFacts(operators=Counter({"com.microsoft.EPContext": 1})))


def test_a_plain_model_has_nothing_to_look_at(tmp_path: Path) -> None:
    assert suspicious(read_onnx(dense([[0, 0, 9, 9]], [[0.9, 0.1]]).write(tmp_path / "m.onnx"))) == ()
