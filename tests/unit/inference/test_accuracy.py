"""Real models on real pictures reach the figures that were published for them."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hilgui.inference import Model
from hilgui.sources import open_source
from hilgui.stream import StopToken

ROAD_USERS = {"person", "bicycle", "car", "motorcycle", "bus", "truck"}


def measure(model: Model, folder: Path, most: int) -> tuple[float, float]:
    """Give AP and AP50 by pycocotools over the first pictures of COCO-100."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "instances_val2017_100.json"))
        numbers = {category["name"]: category["id"] for category in truth.dataset["categories"]}
        pictures = sorted(truth.getImgIds())[:most]
        workspace = model.workspace()
        rows: list[dict[str, Any]] = []
        for picture in pictures:
            image = cv2.imread(str(folder / "images" / truth.imgs[picture]["file_name"]))
            found = model.infer(image, workspace).detections
            corners = found.boxes.astype(float)
            corners[:, 2:] -= corners[:, :2]
            for box, score, kind in zip(corners.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True):
                category = numbers.get(model.classes[kind], -1)
                rows.append({"image_id": picture, "category_id": category, "bbox": box, "score": score})
        judge = COCOeval(truth, truth.loadRes(rows), "bbox")
        judge.params.imgIds = pictures
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return float(judge.stats[0]), float(judge.stats[1])


E2E = "{adapter: end_to_end, input: {color: bgr, scale: 1.0, anchor: top_left}}"
BROKEN = "{input: {resize: letterbox, anchor: center, pad: 0}}"

# file, what its card says, published AP and AP50 on a hundred pictures, AP of ours on the first ten
FIGURES = [
    ("models/yolox_nano_416", "", 0.367, 0.530, 0.405),
    ("models/derived/yolox_nano_416_int8_qdq", "", 0.354, 0.524, 0.394),
    ("models/derived/yolox_nano_416_int8_naive_BAD", "", 0.093, 0.172, 0.248),
    ("models/derived/yolox_nano_416_e2e_nms", E2E, 0.366, 0.528, 0.404),
    ("models/nanodet_m_416", "", 0.304, 0.480, 0.332),
    ("models/deimv2_atto_coco_320", "", 0.314, 0.448, 0.331),
    ("models/deimv2_femto_coco_416", "", 0.416, 0.564, 0.400),
    ("models/deimv2_atto_coco_320_int8_BROKEN", BROKEN, 0.055, 0.145, 0.108),
    # published .208 / .383 with pictures shrunk by area averaging and boxes that are not clipped: docs/models.md
    ("models/fastestdet_352", "", 0.229, 0.395, 0.228),
    ("models_agpl/yolov5n_640_int8", "", 0.344, 0.547, 0.357),
    ("models_agpl/yolov8n_640_int8", "", 0.443, 0.609, 0.483),
    ("models_agpl/yolo26n_640_int8", "", 0.445, 0.638, 0.477),
]
NAMES = [Path(name).name for name, *_ in FIGURES]


def load(shared_data: Path, tmp_path: Path, name: str, said: str) -> Model:
    card = None
    if said:
        card = tmp_path / "card.yaml"
        card.write_text(f"{{schema: hilgui/model.v1, {said[1:]}\n")
    return Model.load(shared_data / f"{name}.onnx", provider="cpu", threads=2, card=card)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "said", "ap", "ap50", "few"), FIGURES, ids=NAMES)
def test_a_hundred_pictures_of_coco(
    shared_data: Path, tmp_path: Path, name: str, said: str, ap: float, ap50: float, few: float
) -> None:
    reached = measure(load(shared_data, tmp_path, name, said), shared_data / "images_gt" / "coco_val2017_100", 100)

    assert reached == (pytest.approx(ap, abs=0.005), pytest.approx(ap50, abs=0.012))


@pytest.mark.parametrize(("name", "said", "ap", "ap50", "few"), FIGURES, ids=NAMES)
def test_ten_pictures_of_coco(
    shared_data: Path, tmp_path: Path, name: str, said: str, ap: float, ap50: float, few: float
) -> None:
    """The figures are those of the code that reached the published ones on a hundred."""
    reached = measure(load(shared_data, tmp_path, name, said), shared_data / "images_gt" / "coco_val2017_100", 10)

    assert reached[0] == pytest.approx(few, abs=0.02)  # int8 differs a little between processors


def test_the_wrong_preparation_ruins_a_model(shared_data: Path, tmp_path: Path) -> None:
    card = tmp_path / "wrong.yaml"
    card.write_text(
        "schema: hilgui/model.v1\n"
        f"input: {{color: rgb, scale: {1 / 255}, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}}\n"
    )
    model = Model.load(shared_data / "models" / "yolox_nano_416.onnx", provider="cpu", threads=2, card=card)

    assert measure(model, shared_data / "images_gt" / "coco_val2017_100", 10)[0] < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("nms_iou", "slack"), [(0.55, 0.02), (0.65, 0.12)])
def test_a_highway_drive_shows_three_road_users_a_frame(
    shared_data: Path, tmp_path: Path, nms_iou: float, slack: float
) -> None:
    """The published 3.07 was counted with a stricter suppression than the .65 of AP, which leaves a few pairs."""
    card = tmp_path / "nms.yaml"
    card.write_text(f"schema: hilgui/model.v1\nthresholds: {{nms_iou: {nms_iou}}}\n")
    model = Model.load(shared_data / "models" / "yolox_nano_416.onnx", provider="cpu", threads=2, card=card)
    workspace = model.workspace()
    users = np.array([name in ROAD_USERS for name in model.classes])
    source = open_source(shared_data / "drives" / "clips" / "solidWhiteRight.mp4")
    try:
        source.open()
        found = [model.infer(frame.image, workspace).detections for frame in source.frames(StopToken())]
    finally:
        source.close()

    counts = [int(users[each.classes[: each.count_above(0.35)]].sum()) for each in found]
    assert len(counts) == 221
    assert np.mean(counts) == pytest.approx(3.07, abs=slack)
