"""A detector with a known reason: it looks at one part of the picture and sees its person when that is bright."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.settings import Settings

WIDTH, HEIGHT = 64, 48
SEEN = (24, 14, 36, 38)  # x1 y1 x2 y2: what the network looks at; smaller persons are nobody's fault
DIM = 85  # grey level of a person that is missed: score .333, threshold .35
PHANTOM = (44, 8, 60, 24)  # where it shows a car, whatever it sees


def write_model(path: Path, *, gain: float = 1.0) -> Path:
    """Write a detector whose score for a person at SEEN is the mean grey level (0..1) there times `gain`."""
    looked = np.zeros((1, 1, HEIGHT, WIDTH), np.float32)
    x1, y1, x2, y2 = SEEN
    looked[:, :, y1:y2, x1:x2] = gain / ((x2 - x1) * (y2 - y1) * 3)
    constants = {
        "looked": looked,
        "constant_boxes": np.array([[SEEN, PHANTOM]], np.float32),
        "weights": np.array([[[1.0, 0.0], [0.0, 0.0]]], np.float32),
        "phantom": np.array([[[0.0, 0.0], [0.0, 0.5]]], np.float32),
        "zero": np.float32(0),
        "one": np.float32(1),
    }
    nodes = [
        helper.make_node("Mul", ["image", "looked"], ["part"]),
        helper.make_node("ReduceSum", ["part"], ["sum"], keepdims=0),
        helper.make_node("Clip", ["sum", "zero", "one"], ["score"]),
        helper.make_node("Mul", ["weights", "score"], ["weighted"]),
        helper.make_node("Add", ["weighted", "phantom"], ["scores"]),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
        helper.make_node("Add", ["constant_boxes", "nothing"], ["boxes"]),
    ]
    graph = helper.make_graph(
        nodes,
        "lamp",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
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


def street(level: int, seed: int = 0) -> NDArray[np.uint8]:
    """Draw a picture of grain whose person at SEEN has a grey level."""
    image = np.random.default_rng(seed).integers(60, 80, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    x1, y1, x2, y2 = SEEN
    image[y1:y2, x1:x2] = level
    return image


def write_run(
    root: Path,
    *,
    level: Callable[[int], int] = lambda seq: DIM if seq == 3 else 200,
    settings: Settings | None = None,
) -> Path:
    """Replay six pictures whose labelled person is dark in the fourth; give the run folder."""
    folder = root / "street"
    folder.mkdir(parents=True)
    images, persons = [], []
    x1, y1, x2, y2 = SEEN
    for seq in range(6):
        cv2.imwrite(str(folder / f"{seq:03d}.png"), street(level(seq), seq))
        images.append({"id": seq, "file_name": f"{seq:03d}.png", "width": WIDTH, "height": HEIGHT})
        box = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0}
        persons.append({"id": seq + 1, "image_id": seq, "category_id": 1, **box})
    labels = {
        "images": images,
        "annotations": persons,
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}],
    }
    truth = root / "street.coco.json"
    truth.write_text(json.dumps(labels), encoding="utf-8")
    settings = settings or Settings(home=root / "home")
    out = root / "runs"
    out.mkdir(exist_ok=True)
    plan = RunPlan(folder, write_model(root / "lamp.onnx"), out, settings, truth=truth, provider="cpu")
    run = Run(prepare(plan), Watchers(lambda _: None, lambda *_: None))
    run.execute()
    return run.folder
