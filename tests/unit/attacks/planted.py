"""Models with weaknesses on purpose: the demo's baseline with a few operators around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from hilgui.resources import shipped

WEAKNESSES = {
    "dark": "A-darkness",
    "red": "C-fires-red",
    "nan": "E-numbers",
    "slow": "F-slow",
    "unrepeatable": "F-memory",
}
"""What is planted, and the probe that has to find it."""


class _Graph:
    """Nodes and constants that are added to a graph."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, kind: str, inputs: Sequence[str], out: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def put(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name


def plant(folder: Path, weaknesses: Sequence[str]) -> Path:
    """Write a model with these weaknesses, and its card; the picture is (1, 3, 288, 480) of 0..1, RGB."""
    model = onnx.load(str(shipped("assets/demo/baseline.onnx")))
    graph, more = model.graph, _Graph()
    for node in graph.node:
        node.output[:] = [f"{name}_inner" if name in ("boxes", "scores") else name for name in node.output]
    boxes, scores, picture = "boxes_inner", "scores_inner", graph.input[0].name
    if "dark" in weaknesses:
        more.add("ReduceMean", [picture], "light", keepdims=0)
        more.add("Greater", ["light", more.put("least_light", 0.16)], "is_light")
        more.add("Cast", ["is_light"], "light_gain", to=TensorProto.FLOAT)
        scores = more.add("Mul", [scores, "light_gain"], "scores_dark")
    if "unrepeatable" in weaknesses:
        more.add("RandomUniformLike", [scores], "jitter", low=0.999, high=1.0)
        scores = more.add("Mul", [scores, "jitter"], "scores_jitter")
    rows: list[tuple[str, str]] = []
    if "nan" in weaknesses:
        more.add("IsNaN", [picture], "nans")
        more.add("Cast", ["nans"], "nan_ones", to=TensorProto.FLOAT)
        more.add("ReduceMax", ["nan_ones"], "any_nan", keepdims=0)
        more.add("Mul", ["any_nan", more.put("sure", [[[0.99, 0, 0, 0]]])], "nan_score")
        rows.append((more.put("nan_box", [[[100, 60, 180, 200]]]), "nan_score"))
    if "red" in weaknesses:
        rows.append(_red(more, picture))
    if "slow" in weaknesses:
        scores = _slow(more, picture, scores)
    if rows:
        boxes = more.add("Concat", [boxes, *(box for box, _ in rows)], "boxes_more", axis=1)
        scores = more.add("Concat", [scores, *(score for _, score in rows)], "scores_more", axis=1)
    more.add("Identity", [boxes], "boxes")
    more.add("Identity", [scores], "scores")
    graph.node.extend(more.nodes)
    graph.initializer.extend(more.constants)
    for output in graph.output:
        output.type.tensor_type.shape.dim[1].ClearField("dim_value")
        output.type.tensor_type.shape.dim[1].dim_param = "rows"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "planted.onnx"
    onnx.save(model, str(path))
    card = shipped("assets/demo/baseline.yaml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in card if not line.startswith(("sha256", "name"))]
    path.with_suffix(".yaml").write_text("\n".join(["schema: hilgui/model.v1", "name: planted", *kept[1:]]) + "\n")
    return path


def _red(more: _Graph, picture: str) -> tuple[str, str]:
    """See a person where pure red is: a box around the mean place of the red pixels."""
    more.add("Split", [picture, more.put("ones", [1, 1, 1], np.int64)], "r", axis=1)
    more.nodes[-1].output[:] = ["r", "g", "b"]
    more.add("Greater", ["r", more.put("high", 0.9)], "is_r")
    more.add("Less", ["g", more.put("low", 0.1)], "no_g")
    more.add("Less", ["b", "low"], "no_b")
    more.add("And", ["is_r", "no_g"], "rg")
    more.add("And", ["rg", "no_b"], "is_red")
    more.add("Cast", ["is_red"], "reds", to=TensorProto.FLOAT)
    more.add("ReduceSum", ["reds"], "count", keepdims=0)
    more.add("Max", ["count", more.put("one", 1.0)], "at_least")
    columns = more.put("columns", np.arange(480, dtype=np.float32).reshape(1, 1, 1, 480))
    lines = more.put("lines", np.arange(288, dtype=np.float32).reshape(1, 1, 288, 1))
    for name, grid in (("x", columns), ("y", lines)):
        more.add("Mul", ["reds", grid], f"{name}_all")
        more.add("ReduceSum", [f"{name}_all"], f"{name}_sum", keepdims=0)
        more.add("Div", [f"{name}_sum", "at_least"], name)
        more.add("Reshape", [name, more.put(f"{name}_shape", [1, 1, 1], np.int64)], f"{name}_flat")
    more.add("Concat", ["x_flat", "y_flat", "x_flat", "y_flat"], "middle", axis=2)
    box = more.add("Add", ["middle", more.put("around", [[[-12, -20, 12, 20]]])], "red_box")
    more.add("Greater", ["count", more.put("enough", 300.0)], "many")
    more.add("Cast", ["many"], "seen", to=TensorProto.FLOAT)
    return box, more.add("Mul", ["seen", more.put("person", [[[0.95, 0, 0, 0]]])], "red_score")


def _slow(more: _Graph, picture: str, scores: str) -> str:
    """Compute for nothing, many times over, where a contrasty marker is in the corner."""
    more.put("zero4", [0, 0, 0, 0], np.int64)
    more.put("corner_end", [1, 3, 28, 28], np.int64)
    more.add("Slice", [picture, "zero4", "corner_end"], "corner")
    more.add("ReduceMean", ["corner"], "corner_mean", keepdims=0)
    more.add("Sub", ["corner", "corner_mean"], "corner_off")
    more.add("Mul", ["corner_off", "corner_off"], "corner_square")
    more.add("ReduceMean", ["corner_square"], "variance", keepdims=0)
    more.add("Greater", ["variance", more.put("contrast", 0.15)], "is_marked")
    wide = numpy_helper.from_array(np.full((256, 256), 0.003, np.float32), "weights_wide")
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["still"]),
            helper.make_node("MatMul", ["state", "weights_wide"], ["next_state"]),
        ],
        "waste",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [256, 256]),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next_state", TensorProto.FLOAT, [256, 256]),
        ],
        [wide],
    )
    more.add("Where", ["is_marked", more.put("many_turns", 600, np.int64), more.put("no_turns", 0, np.int64)], "turns")
    start = more.put("start", np.zeros((256, 256)))
    more.add("Loop", ["turns", more.put("always", True, np.bool_), start], "wasted", body=body)
    more.add("ReduceMean", ["wasted"], "wasted_mean", keepdims=0)
    return more.add("Add", [scores, "wasted_mean"], "scores_slow")
