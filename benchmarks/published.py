"""What `hilgui replay` reaches on KITTI-30, and how FastestDet's and LSTR's published figures were counted.

    python benchmarks/published.py kitti [--data ../shared/data] [--only NAME]
    python benchmarks/published.py fastestdet [--data ../shared/data]
    python benchmarks/published.py lstr [--data ../shared/data]

`kitti`: 18 object images, 8 tracking frames and 4 key frames of drive 0052 as one folder, labels by `kitti_to_coco`;
prints AP50 over person, car, truck and that of the car beside the published ones. `fastestdet` changes one step of the
reading after the other, from ours to the published one. `lstr` counts the points of the lanes in several ways.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from hilgui.evaluation.average_precision import AveragePrecision
from hilgui.inference import Model
from hilgui.inference.preprocess import Geometry
from hilgui.records import Detections, Frame
from hilgui.sources import open_source
from hilgui.stream import StopToken
from hilgui.truth import join, read_labels

TRACK_COLUMNS = 2
KITTI = [  # file, published AP50 over the classes and of the car (MANIFEST.md)
    ("models/yolox_nano_416", 0.494, 0.614),
    ("models/derived/yolox_nano_416_int8_qdq", 0.487, 0.542),
    ("models/derived/yolox_nano_416_int8_naive_BAD", 0.087, 0.131),
    ("models/nanodet_m_416", 0.529, 0.597),
    ("models/deimv2_atto_coco_320", 0.381, 0.590),
    ("models/deimv2_femto_coco_416", 0.552, 0.730),
    ("models/fastestdet_352", 0.342, 0.507),
    ("models_agpl/yolov5n_640_int8", 0.657, 0.731),
    ("models_agpl/yolov8n_640_int8", 0.645, 0.705),
    ("models_agpl/yolo26n_640_int8", 0.717, 0.681),
]


def kitti_30(data: Path, folder: Path) -> tuple[Path, Path]:
    """Put thirty pictures and their labels side by side."""
    images, labels = folder / "image_2", folder / "label_2"
    images.mkdir()
    labels.mkdir()
    mini, drive = data / "images_gt" / "kitti_mini", data / "drives" / "kitti_2011_09_26_drive_0052"
    for picture in sorted((mini / "image_2").glob("*.png")):
        shutil.copy(picture, images / picture.name)
        shutil.copy(mini / "label_2" / f"{picture.stem}.txt", labels)
    for picture in sorted((mini / "tracking" / "image_02").glob("*/*.png")):
        sequence, number = picture.parent.name, int(picture.stem)
        name = f"1{sequence}{number:06d}"
        shutil.copy(picture, images / f"{name}.png")
        (labels / f"{name}.txt").write_text("".join(tracked(mini / "tracking/label_02" / f"{sequence}.txt", number)))
    for text in sorted((drive / "label_2_keyframes").glob("*.txt")):
        name = f"2{text.stem}"
        shutil.copy(next((drive / "image_02").rglob(f"{text.stem}.png")), images / f"{name}.png")
        shutil.copy(text, labels / f"{name}.txt")
    return images, labels


def tracked(path: Path, number: int) -> Iterator[str]:
    """Give the lines of one frame as object labels: without frame and track."""
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if int(words[0]) == number:
            yield " ".join(words[TRACK_COLUMNS:17]) + "\n"


def show_kitti(data: Path, only: str) -> None:
    """Replay every model over the thirty pictures."""
    print("| model | published AP50 / car | reached |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images, labels = kitti_30(data, folder)
        for file, whole, car in KITTI:
            if only not in file:
                continue
            command = [sys.executable, "-m", "hilgui", "replay", str(images), "--truth", str(labels), "--json"]
            command += ["--baseline", str(data / f"{file}.onnx"), "--classes", "person,car,truck", "--provider", "cpu"]
            command += ["--class-map", "kitti_to_coco", "--out", str(folder / "runs")]
            told = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
            found = told["models"]["baseline"]["detection"]
            reached = f"{found['map_50']:.3f} / {found['per_class']['car']['map_50']:.3f}"
            print(f"| {Path(file).name} | {whole:.3f} / {car:.3f} | {reached} |", flush=True)


def show_fastestdet(data: Path) -> None:
    """Read FastestDet step by step as it was published."""
    pictures = data / "images_gt" / "coco_val2017_100"
    source = open_source(pictures / "images")
    labels = read_labels(pictures / "instances_val2017_100.json")
    joined = join(labels, source.refs())
    model = Model.load(data / "models" / "fastestdet_352.onnx", provider="cpu")
    names = [labels.names.index(name) if name in labels.names else -1 for name in model.classes]
    steps = {
        "ours: bilinear, scores from .001, clipped": (False, 0.001, True),
        "scores from .05": (False, 0.05, True),
        "scores from .05, not clipped": (False, 0.05, False),
        "pictures shrunk by area averaging as well: as published (.208 / .383)": (True, 0.05, False),
    }
    read = {name: AveragePrecision(range(len(labels.names))) for name in steps}
    workspace = model.workspace()
    for frame in source.frames(StopToken()):
        if not isinstance(frame, Frame) or frame.ref.seq not in joined.truths:
            continue
        for name, (by_area, floor, clipped) in steps.items():
            image = frame.image
            if by_area:
                image = np.asarray(cv2.resize(image, (352, 352), interpolation=cv2.INTER_AREA), np.uint8)
            found = model.infer(image, workspace).detections if clipped else unclipped(model, image, workspace)
            if by_area:
                scale = np.array([frame.ref.width / 352, frame.ref.height / 352] * 2, np.float32)
                found = replace(found, boxes=found.boxes * scale)
            found = found.where(found.scores >= floor)
            table = np.array(names, np.int32)
            known = table[found.classes] >= 0
            found = found.where(known)
            read[name].add(replace(found, classes=table[found.classes]), joined.truths[frame.ref.seq])
    for name, precision in read.items():
        figures = precision.figures()
        print(f"{figures.map_50_95:.3f} / {figures.map_50:.3f}  {name}")
    source.close()


def unclipped(model: Model, image: np.ndarray, workspace: object) -> Detections:
    """Infer with boxes that may leave the picture."""
    clip, Geometry.to_image = Geometry.to_image, _as_it_is  # type: ignore[method-assign]
    try:
        return model.infer(image, workspace).detections  # type: ignore[arg-type]
    finally:
        Geometry.to_image = clip  # type: ignore[method-assign]


def _as_it_is(self: Geometry, boxes: np.ndarray) -> np.ndarray:
    origin = np.array([self.offset_x, self.offset_y] * 2, np.float32)
    moved: np.ndarray = (boxes - origin) / np.array([self.scale_x, self.scale_y] * 2, np.float32)
    return moved


def show_lstr(data: Path) -> None:
    """Count how many points of the lanes lie near a labelled one."""
    folder = data / "images_gt" / "tusimple_lanenet"
    model = Model.load(data / "models" / "lstr_360x640.onnx", provider="cpu")
    workspace = model.workspace()
    counts = dict.fromkeys(("along the row", "by distance", "along the row, no lower than the label reaches"), (0, 0))
    for picture in sorted((folder / "image").iterdir()):
        image = cv2.imread(str(picture))
        labels = cv2.imread(str(folder / "gt_instance_image" / picture.name), cv2.IMREAD_GRAYSCALE)
        lanes = model.infer(np.asarray(image, np.uint8), workspace).lanes
        assert lanes is not None and labels is not None
        rows, columns = np.nonzero(labels)
        scale = np.array([image.shape[1] / labels.shape[1], image.shape[0] / labels.shape[0]])
        points = np.stack([columns, rows], axis=1) * scale
        for line in lanes.lines:
            for x, y in line:
                near = np.hypot(points[:, 0] - x, points[:, 1] - y).min() <= 20
                here = points[np.abs(points[:, 1] - y) <= 0.5 * scale[1] + 0.5]
                along = bool(len(here)) and np.abs(here[:, 0] - x).min() <= 20
                is_labelled = points[:, 1].min() <= y <= points[:, 1].max()
                for name, hit, counted in zip(counts, (along, near, along), (True, True, is_labelled), strict=True):
                    hits, of = counts[name]
                    counts[name] = (hits + (hit and counted), of + counted)
    for name, (hits, of) in counts.items():
        print(f"{hits / max(of, 1):.3f}  of {of} points, {name}")


def main() -> None:
    """Show one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("kitti", "fastestdet", "lstr"))
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    if given.what == "kitti":
        show_kitti(given.data, given.only)
    elif given.what == "fastestdet":
        show_fastestdet(given.data)
    else:
        show_lstr(given.data)


if __name__ == "__main__":
    main()
