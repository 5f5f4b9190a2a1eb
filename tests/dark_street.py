"""A street that gets dark: grey pictures with a person each, and a detector that loses him in the dark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_light_model(path: Path, gain: float = 1.6) -> Path:
    """Write a detector that sees its person in a bright picture and loses it in the dark; its phantom stays."""
    boxes = np.array([[[8, 8, 24, 40], [30, 10, 60, 40]]], np.float32)
    constants = {
        "constant_boxes": boxes,
        "weights": np.array([[[1.0, 0.01], [0.0, 0.01]]], np.float32),
        "phantom": np.array([[[0.0, 0.0], [0.22, 0.0]]], np.float32),
        "gain": np.float32(gain),
        "zero": np.float32(0),
        "one": np.float32(1),
    }
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "gain"], ["bright"]),
        helper.make_node("Clip", ["bright", "zero", "one"], ["score"]),
        helper.make_node("Mul", ["weights", "score"], ["weighted"]),
        helper.make_node("Add", ["weighted", "phantom"], ["scores"]),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["constant_boxes", "nothing"], ["boxes"]),
    ]
    graph = helper.make_graph(
        nodes,
        "light",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 48, 64])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 2, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, 2]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"hilgui.adapter": "dense_boxes", "names": json.dumps(["person", "car"])})
    onnx.save(model, path)
    return path


def write_street(root: Path) -> tuple[Path, Path]:
    """Write six pictures, in each of which a labelled person stands where the models say; give folder and labels."""
    folder = root / "street"
    folder.mkdir(exist_ok=True)
    images: list[dict[str, Any]] = []
    persons: list[dict[str, Any]] = []
    for number in range(6):
        cv2.imwrite(str(folder / f"{number:03d}.png"), np.full((48, 64, 3), 120 + number, np.uint8))
        images.append({"id": number, "file_name": f"{number:03d}.png", "width": 64, "height": 48})
        box = {"bbox": [8, 8, 16, 32], "area": 512, "iscrowd": 0}
        persons.append({"id": number + 1, "image_id": number, "category_id": 1, **box})
    labels = {"images": images, "annotations": persons, "categories": [{"id": 1, "name": "person"}]}
    path = root / "street.coco.json"
    path.write_text(json.dumps(labels), encoding="utf-8")
    return folder, path
