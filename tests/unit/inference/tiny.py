"""Builds small ONNX files whose outputs are constants, whatever the picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}
Shape = Sequence[int | str]


@dataclass
class Tiny:
    """Outputs by name; those in `open` have three rows at most, which the file does not declare."""

    outputs: dict[str, NDArray[np.generic]]
    picture: str = "image"
    picture_shape: Shape = (1, 3, 48, 64)
    picture_type: int = TensorProto.FLOAT
    sizes: bool = False  # a second input orig_target_sizes
    open: tuple[str, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Save the file."""
        inputs = [helper.make_tensor_value_info(self.picture, self.picture_type, self.picture_shape)]
        if self.sizes:
            inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, ["n", 2]))
        nodes, declared, constants = [], [], []
        if self.open:
            constants.append(numpy_helper.from_array(np.array([0, 2, 3], np.int64), "all_but_channels"))
            constants.append(numpy_helper.from_array(np.float32(-1e9), "least"))
            nodes.append(helper.make_node("ReduceMean", [self.picture, "all_but_channels"], ["mean"], keepdims=0))
            nodes.append(helper.make_node("Greater", ["mean", "least"], ["three_times_true"]))
        for name, value in self.outputs.items():
            constants.append(numpy_helper.from_array(value, f"constant_{name}"))
            shape: Shape = value.shape
            if name in self.open:
                shape = (value.shape[0], "rows", *value.shape[2:])
                nodes.append(helper.make_node("Compress", [f"constant_{name}", "three_times_true"], [name], axis=1))
            else:
                nodes.append(helper.make_node("Identity", [f"constant_{name}"], [name]))
            declared.append(helper.make_tensor_value_info(name, _TYPES[value.dtype], shape))
        graph = helper.make_graph(nodes, "tiny", inputs, declared, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        if self.metadata:
            helper.set_model_props(model, self.metadata)
        onnx.save(model, path)
        return path


def dense(boxes: object, scores: object, names: Sequence[str] = ("person", "car"), **more: object) -> Tiny:
    """Give a detector in the demo models' layout; rows of `boxes` are x1 y1 x2 y2."""
    return Tiny(
        {"boxes": np.array([boxes], np.float32), "scores": np.array([scores], np.float32)},
        metadata={"names": json.dumps(list(names))},
        **more,  # type: ignore[arg-type]
    )
