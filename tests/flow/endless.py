"""Networks that are well behaved on grey and never get done with a white picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper


def write_white(folder: Path, count: int = 3) -> Path:
    """Write a folder of white pictures."""
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:06d}.png"), np.full((48, 64, 3), 255, np.uint8))
    return folder


def write_endless(path: Path) -> Path:
    """Write a network that counts as often as the picture is bright: grey is done at once, white never."""
    one, flag = (
        helper.make_tensor("one", TensorProto.FLOAT, (), [1.0]),
        helper.make_tensor("go", TensorProto.BOOL, (), [1]),
    )
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["condition"], ["goes_on"]),
            helper.make_node("Add", ["before", "one"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, ()),
            helper.make_tensor_value_info("condition", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, ()),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, ()),
        ],
    )
    zero = helper.make_tensor("zero", TensorProto.FLOAT, (), [0.0])
    much = helper.make_tensor("much", TensorProto.FLOAT, (), [4e18])
    bright = helper.make_tensor("bright", TensorProto.FLOAT, (), [0.9])
    boxes = helper.make_tensor("corner", TensorProto.FLOAT, (1, 1, 4), [0, 0, 9, 9])
    nodes = [
        helper.make_node("ReduceMax", ["image"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "bright"], ["is_bright"]),
        helper.make_node("Cast", ["is_bright"], ["share"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["share", "much"], ["times"]),
        helper.make_node("Cast", ["times"], ["turns"], to=TensorProto.INT64),
        helper.make_node("Loop", ["turns", "go", "zero"], ["counted"], body=body),
        helper.make_node("Add", ["corner", "counted"], ["boxes"]),
        helper.make_node("Slice", ["boxes", "starts", "ends", "axes"], ["scores"]),
    ]
    corner = (("starts", 0), ("ends", 2), ("axes", 2))
    lists = [helper.make_tensor(name, TensorProto.INT64, (1,), [value]) for name, value in corner]
    graph = helper.make_graph(
        nodes,
        "endless",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, 48, 64))],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, (1, 1, 4)),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 1, 2)),
        ],
        [one, flag, zero, much, bright, boxes, *lists],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"names": '["car", "person"]'})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def write_deaf(path: Path) -> Path:
    """Write a network with one operator that works for hours on a white picture and looks at nobody meanwhile."""
    side, window = 3000, 2000
    shape = helper.make_tensor("shape", TensorProto.INT64, (4,), [1, 1, side, side])
    zero = helper.make_tensor("nothing", TensorProto.FLOAT, (), [0.0])
    number = helper.make_tensor_value_info
    slow = helper.make_graph(
        [
            helper.make_node("Expand", ["most", "shape"], ["large"]),
            helper.make_node("MaxPool", ["large"], ["pooled"], kernel_shape=[window, window]),
            helper.make_node("ReduceMax", ["pooled"], ["a"], keepdims=0),
        ],
        "slow",
        [],
        [number("a", TensorProto.FLOAT, ())],
    )
    quick = helper.make_graph(
        [helper.make_node("Identity", ["nothing"], ["b"])], "quick", [], [number("b", TensorProto.FLOAT, ())]
    )
    corner = (("starts", 0), ("ends", 2), ("axes", 2))
    nodes = [
        helper.make_node("ReduceMax", ["image"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "bright"], ["is_bright"]),
        helper.make_node("If", ["is_bright"], ["found"], then_branch=slow, else_branch=quick),
        helper.make_node("Add", ["corner", "found"], ["boxes"]),
        helper.make_node("Slice", ["boxes", "starts", "ends", "axes"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "deaf",
        [number("image", TensorProto.FLOAT, (1, 3, 48, 64))],
        [number("boxes", TensorProto.FLOAT, (1, 1, 4)), number("scores", TensorProto.FLOAT, (1, 1, 2))],
        [
            shape,
            zero,
            helper.make_tensor("bright", TensorProto.FLOAT, (), [0.9]),
            helper.make_tensor("corner", TensorProto.FLOAT, (1, 1, 4), [0, 0, 9, 9]),
            *(helper.make_tensor(name, TensorProto.INT64, (1,), [value]) for name, value in corner),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"names": '["car", "person"]'})
    path.write_bytes(model.SerializeToString())
    return path
