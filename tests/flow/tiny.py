"""Makes a tiny detector and a short drive, so that the real engine can be run in a second."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.unit.sources.clips import write_clip

CLASSES = ["person", "car"]


def write_model(path: Path, score: float = 0.9) -> Path:
    """Write a detector that sees one person and one weak car wherever it looks."""
    boxes = np.array([[[8, 8, 24, 40], [30, 10, 60, 40]]], np.float32)
    scores = np.array([[[score, 0.01], [0.02, 0.2]]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["constant_boxes", "nothing"], ["boxes"]),
        helper.make_node("Add", ["constant_scores", "nothing"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 48, 64])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 2, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, 2]),
        ],
        [
            numpy_helper.from_array(boxes, "constant_boxes"),
            numpy_helper.from_array(scores, "constant_scores"),
            numpy_helper.from_array(np.float32(0), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"hilgui.adapter": "dense_boxes", "names": json.dumps(CLASSES)})
    onnx.save(model, path)
    return path


def write_classifier(path: Path) -> Path:
    """Write a classifier that answers with the mean of each colour."""
    graph = helper.make_graph(
        [helper.make_node("ReduceMean", ["image"], ["logits"], axes=[2, 3], keepdims=0)],
        "tiny classifier",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 48, 64])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"hilgui.adapter": "classification", "names": json.dumps(["red", "green", "blue"])})
    onnx.save(model, path)
    return path


def write_drive(path: Path, frames: int = 40) -> Path:
    """Write a drive whose person is always there, with its labels beside it."""
    write_clip(path, list(range(frames)))
    images = [
        {"id": seq, "file_name": f"{path.name}#{seq:06d}", "frame_index": seq, "width": 64, "height": 48}
        for seq in range(frames)
    ]
    person = {"category_id": 1, "bbox": [8, 8, 16, 32], "area": 512, "iscrowd": 0, "track_id": 3}
    truth = {
        "images": images,
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}],
        "annotations": [{"id": seq + 1, "image_id": seq, **person} for seq in range(frames)],
    }
    path.with_suffix(".coco.json").write_text(json.dumps(truth))
    return path
