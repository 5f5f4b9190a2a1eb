"""Builds a detector of the size and layout of YOLOv8n with seeded random weights, so that no foreign model is needed.

The layer sizes are those of the published yolov8n.yaml (3.2 million parameters, 8.7 GFLOP at 640); sigmoid-weighted
units, C2f blocks, a spatial pyramid and three heads with a distribution over 16 distances. The metadata are what
Ultralytics' own export writes, so that `ultralytics` opens the same file. The last bias is set so that some hundred
scores a frame reach 0.001.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hilgui.inference.preprocess import Preprocess, Workspace

CLASSES = 80
_DISTANCES = 16
_SCORING = 200  # scores of a picture that reach the floor
_FLOOR = 0.001
_SPREAD = 2.0  # standard deviation of the logits


class _Graph:
    """Collects nodes and weights; every method adds one block and gives the name of its output."""

    def __init__(self, seed: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._random = np.random.default_rng(seed)

    def constant(self, values: NDArray[np.generic]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def node(self, kind: str, *inputs: str, outputs: int = 1, **attributes: object) -> list[str]:
        names = [f"n{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def plain(
        self, value: str, width: int, to: int, side: int, stride: int = 1, *, gain: float = 1.0, bias: float = 0.0
    ) -> str:
        scale = gain * math.sqrt(2.0 / (width * side * side))
        kernel = self.constant(self._random.normal(0, scale, (to, width, side, side)).astype(np.float32))
        offset = self.constant(np.full(to, bias, np.float32))
        pads = [side // 2] * 4
        return self.node("Conv", value, kernel, offset, kernel_shape=[side, side], strides=[stride] * 2, pads=pads)[0]

    def conv(self, value: str, width: int, to: int, side: int = 3, stride: int = 1) -> str:
        value = self.plain(value, width, to, side, stride)
        (gate,) = self.node("Sigmoid", value)
        return self.node("Mul", value, gate)[0]

    def c2f(self, value: str, width: int, to: int, depth: int, *, shortcut: bool) -> str:
        half = to // 2
        whole = self.conv(value, width, to, 1)
        parts = self.node("Split", whole, self.constant(np.array([half, half])), outputs=2, axis=1)
        for _ in range(depth):
            inner = self.conv(self.conv(parts[-1], half, half), half, half)
            parts.append(self.node("Add", parts[-1], inner)[0] if shortcut else inner)
        return self.conv(self.join(*parts), half * len(parts), to, 1)

    def pyramid(self, value: str, width: int) -> str:
        parts = [self.conv(value, width, width // 2, 1)]
        for _ in range(3):
            parts += self.node("MaxPool", parts[-1], kernel_shape=[5, 5], strides=[1, 1], pads=[2] * 4)
        return self.conv(self.join(*parts), width * 2, width, 1)

    def join(self, *values: str, axis: int = 1) -> str:
        return self.node("Concat", *values, axis=axis)[0]

    def twice(self, value: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node("Resize", value, "", scales, mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")[0]  # fmt: skip

    def flat(self, value: str, channels: int) -> str:
        return self.node("Reshape", value, self.constant(np.array([1, channels, -1])))[0]


def write_detector(path: Path, side: int, image: NDArray[np.uint8], seed: int = 0) -> Path:
    """Write a model with an input of side × side whose scores are spread on pictures like `image` (H, W, 3)."""
    logits = _logits(_model(side, seed, 1.0, 0.0), side, image)
    gain = _SPREAD / float(logits.std())
    onnx.save(_model(side, seed, gain, math.log(_FLOOR / (1 - _FLOOR)) - gain * float(logits[-_SCORING])), path)
    return path


def _logits(model: onnx.ModelProto, side: int, image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Give the logits of all scores for a picture, rising."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    workspace = Workspace(side, side, Preprocess(anchor="center"))
    workspace.fill(image)
    scores = np.sort(session.run(None, {"images": workspace.tensor})[0][0, 4:].reshape(-1).astype(np.float64))
    return np.log(scores / (1 - scores))


def _model(side: int, seed: int, gain: float, bias: float) -> onnx.ModelProto:
    graph = _Graph(seed)
    outputs = _body(graph, side, gain, bias)
    made = helper.make_graph(
        graph.nodes,
        "yolov8n-sized",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(outputs, TensorProto.FLOAT, [1, 4 + CLASSES, _cells(side)])],
        graph.weights,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    names = {number: f"class {number}" for number in range(CLASSES)}
    said = {"task": "detect", "stride": "32", "batch": "1", "imgsz": f"[{side}, {side}]", "names": str(names)}
    helper.set_model_props(model, said)
    return model


def _cells(side: int) -> int:
    return sum((side // stride) ** 2 for stride in (8, 16, 32))


def _body(g: _Graph, side: int, gain: float, bias: float) -> str:
    x = g.conv("images", 3, 16, 3, 2)
    x = g.c2f(g.conv(x, 16, 32, 3, 2), 32, 32, 1, shortcut=True)
    p3 = g.c2f(g.conv(x, 32, 64, 3, 2), 64, 64, 2, shortcut=True)
    p4 = g.c2f(g.conv(p3, 64, 128, 3, 2), 128, 128, 2, shortcut=True)
    p5 = g.pyramid(g.c2f(g.conv(p4, 128, 256, 3, 2), 256, 256, 1, shortcut=True), 256)
    n4 = g.c2f(g.join(g.twice(p5), p4), 384, 128, 1, shortcut=False)
    n3 = g.c2f(g.join(g.twice(n4), p3), 192, 64, 1, shortcut=False)
    o4 = g.c2f(g.join(g.conv(n3, 64, 64, 3, 2), n4), 192, 128, 1, shortcut=False)
    o5 = g.c2f(g.join(g.conv(o4, 128, 128, 3, 2), p5), 384, 256, 1, shortcut=False)
    boxes, scores = [], []
    for value, width in ((n3, 64), (o4, 128), (o5, 256)):
        box = g.plain(g.conv(g.conv(value, width, 64), 64, 64), 64, 4 * _DISTANCES, 1)
        score = g.plain(
            g.conv(g.conv(value, width, CLASSES), CLASSES, CLASSES), CLASSES, CLASSES, 1, gain=gain, bias=bias
        )
        boxes.append(g.flat(box, 4 * _DISTANCES))
        scores.append(g.flat(score, CLASSES))
    (probable,) = g.node("Sigmoid", g.join(*scores, axis=2))
    return g.join(_decoded(g, g.join(*boxes, axis=2), side), probable)


def _decoded(g: _Graph, boxes: str, side: int) -> str:
    """Turn distributions of distances into cx cy w h in pixels."""
    (split,) = g.node("Reshape", boxes, g.constant(np.array([1, 4, _DISTANCES, -1])))
    (moved,) = g.node("Transpose", split, perm=[0, 2, 1, 3])
    (shares,) = g.node("Softmax", moved, axis=1)
    weights = g.constant(np.arange(_DISTANCES, dtype=np.float32).reshape(1, _DISTANCES, 1, 1))
    (distances,) = g.node("Conv", shares, weights, kernel_shape=[1, 1])
    (flat,) = g.node("Reshape", distances, g.constant(np.array([1, 4, -1])))
    before, after = g.node("Split", flat, g.constant(np.array([2, 2])), outputs=2, axis=1)
    centres, strides = _grid(side)
    middle = g.constant(centres)
    (low,) = g.node("Sub", middle, before)
    (high,) = g.node("Add", middle, after)
    (total,) = g.node("Add", low, high)
    (centre,) = g.node("Mul", total, g.constant(np.float32(0.5)))
    (size,) = g.node("Sub", high, low)
    return g.node("Mul", g.join(centre, size), g.constant(strides))[0]


def _grid(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    centres, strides = [], []
    for stride in (8, 16, 32):
        y, x = np.mgrid[: side // stride, : side // stride] + 0.5
        centres.append(np.stack((x.ravel(), y.ravel())))
        strides.append(np.full((1, x.size), stride))
    return np.concatenate(centres, 1)[None].astype(np.float32), np.concatenate(strides, 1)[None].astype(np.float32)
