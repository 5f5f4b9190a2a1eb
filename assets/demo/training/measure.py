"""Measure AP50 per condition and class: python measure.py [--write] puts the table into the README."""

import argparse
import contextlib
import copy
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnxruntime
from dataset import PAD, Drive, shrink
from network import CLASSES, INPUT_HEIGHT, INPUT_WIDTH
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hilgui.scenes.weather import CONDITIONS
from hilgui.scenes.write import Files, files_of, write_drive

DEMO = Path(__file__).resolve().parents[1]
NMS_IOU = 0.65
SCORE_FLOOR = 0.001
MOST = 100
CRF = 25
SECONDS = 10.0
EVERY = 3  # frames of a drive are alike: every third is measured
UNSEEN = (Drive("day", 9001), Drive("day", 9101), Drive("dusk_rain", 9002), Drive("night", 9003), Drive("night", 9103))
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
OUTSIDE_AREA = 1e11  # pycocotools ignores truth whose area is out of range, and knows no other way


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Detections of one frame in picture pixels, best first."""

    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


class Model:
    """One ONNX file, run on the CPU with two threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.run_ms: list[float] = []

    @property
    def note(self) -> dict[str, Any]:
        """What training wrote down."""
        found: dict[str, Any] = json.loads(self._session.get_modelmeta().custom_metadata_map["hilgui.training"])
        return found

    def detect(self, image: np.ndarray) -> Scored:
        """Run one frame."""
        padded = np.full((INPUT_HEIGHT, INPUT_WIDTH, 3), PAD, np.uint8)
        small = shrink(image)
        padded[: len(small)] = small
        tensor = np.ascontiguousarray(padded[:, :, ::-1].transpose(2, 0, 1)[None], np.float32) * np.float32(1 / 255)
        started = time.perf_counter()
        boxes, scores = self._session.run(["boxes", "scores"], {"image": tensor})
        self.run_ms.append((time.perf_counter() - started) * 1e3)
        found = suppress(boxes[0], scores[0])
        scale = image.shape[1] / INPUT_WIDTH
        limit = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
        return Scored(np.clip(found.boxes * scale, 0, limit), found.scores, found.classes)


def suppress(boxes: np.ndarray, scores: np.ndarray) -> Scored:
    """Class-aware non-maximum suppression."""
    rows, classes = np.nonzero(scores >= SCORE_FLOOR)
    values = scores[rows, classes]
    order = np.argsort(-values, kind="stable")[:600]
    boxes, classes, values = boxes[rows[order]], classes[order], values[order]
    apart = boxes + classes[:, None] * 10000.0
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    low = np.maximum(apart[:, None, :2], apart[None, :, :2])
    high = np.minimum(apart[:, None, 2:], apart[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    close = common > NMS_IOU * (area[:, None] + area[None] - common)
    alive = np.ones(len(boxes), bool)
    kept: list[int] = []
    for index in range(len(boxes)):
        if alive[index]:
            kept.append(index)
            alive[close[index]] = False
            if len(kept) == MOST:
                break
    return Scored(boxes[kept], values[kept], classes[kept])


def frames_of(video: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Decode the frames of a drive that are measured, with their index."""
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % EVERY == 0:
                yield index, frame.to_ndarray(format="bgr24")


def held_out(drives: tuple[Drive, ...], cache: Path) -> list[Files]:
    """Render drives that no training saw, unless they are in the cache."""
    found = []
    for drive in drives:
        name = f"{drive.condition}-{drive.seed}"
        files = files_of(cache, name)
        if not files.hashes.exists():
            sys.stderr.write(f"rendering {name}\n")
            write_drive(cache, name, CONDITIONS[drive.condition], drive.seed, SECONDS, CRF)
        found.append(files)
    return found


def truth_of(files: Files) -> COCO:
    """Read the truth; what is marked `ignore` is neither asked for nor held against anybody."""
    record = json.loads(files.truth.read_text(encoding="utf-8"))
    for annotation in record["annotations"]:
        if annotation["ignore"]:
            annotation["area"] = OUTSIDE_AREA
    truth = COCO()
    truth.dataset = record
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def run(model: Model, files: Files) -> list[dict[str, Any]]:
    """Return COCO results of a drive."""
    results = []
    for index, image in frames_of(files.video):
        found = model.detect(image)
        for (x0, y0, x1, y1), score, kind in zip(found.boxes, found.scores, found.classes, strict=True):
            box = [float(x0), float(y0), float(x1 - x0), float(y1 - y0)]
            results.append({"image_id": index + 1, "category_id": int(kind) + 1, "bbox": box, "score": float(score)})
    return results


def evaluate(truth: COCO, results: list[dict[str, Any]]) -> COCOeval:
    """Match at IoU 0.5."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(results)), "bbox")
        evaluation.params.imgIds = [number for number in truth.getImgIds() if (number - 1) % EVERY == 0]
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.areaRng = [[0, 1e10]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def average_precisions(evaluation: COCOeval) -> dict[str, float]:
    """Return AP50 per class and their mean."""
    found = {}
    for number, name in enumerate(CLASSES):
        precision = evaluation.eval["precision"][0, :, number, 0, -1]
        found[name] = float(precision.mean()) if (precision >= 0).all() else float("nan")
    return {"mean": float(np.nanmean(list(found.values()))), **found}


def best_threshold(model: Model, drives: list[Files]) -> float:
    """Return the score at which F1 over all classes and drives is highest."""
    scores, hits, wanted = [], [], 0
    for files in drives:
        evaluation = evaluate(truth_of(files), run(model, files))
        for matched in evaluation.evalImgs:
            if matched is None:
                continue
            counted = ~matched["dtIgnore"][0].astype(bool)
            scores.append(np.array(matched["dtScores"])[counted])
            hits.append(matched["dtMatches"][0][counted] > 0)
            wanted += int((~np.array(matched["gtIgnore"], bool)).sum())
    score, hit = np.concatenate(scores), np.concatenate(hits)
    order = np.argsort(-score, kind="stable")
    true = np.cumsum(hit[order])
    f1 = 2 * true / (np.arange(1, len(true) + 1) + wanted)
    return round(float(score[order][int(np.argmax(f1))]), 2)


def table(models: list[Model], drives: list[tuple[str, Files]]) -> str:
    """Measure everything and return Markdown."""
    heads = ["drive", "model", "AP50", *CLASSES]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "---:|" * (len(heads) - 2)]
    for label, files in drives:
        truth = truth_of(files)
        for model in models:
            figures = average_precisions(evaluate(truth, run(model, files)))
            cells = [f"{value:.3f}" for value in figures.values()]
            lines.append("| " + " | ".join([label, model.path.stem, *cells]) + " |")
            sys.stderr.write(lines[-1] + "\n")
    lines += ["", "| model | bytes | median ms | trained on | steps | trained in | of that processor time |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for model in models:
        note, size = model.note, model.path.stat().st_size
        lines.append(
            f"| {model.path.stem} | {size:,} | {np.median(model.run_ms):.1f} | {note['frames']:,} frames "
            f"| {note['steps']:,} × {note['batch']} | {note['train_s']} s | {note['cpu_s']} s |"
        )
    load = os.getloadavg()[0]
    lines += [
        "",
        f"onnxruntime {onnxruntime.__version__} on the CPU, two threads, network alone, load of the machine "
        f"{load:.1f} on {os.cpu_count()} cores. Training ran with {models[0].note['threads']} thread(s) a model, "
        "beside other work on the same cores.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/hilgui-demo-frames"))
    parser.add_argument("--models", type=Path, default=DEMO)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    models = [Model(path) for path in sorted(chosen.models.glob("*.onnx"))]
    drives = [(f"{name}, shipped", files_of(DEMO, name)) for name in CONDITIONS]
    unseen = zip(UNSEEN, held_out(UNSEEN, chosen.cache), strict=True)
    drives += [(f"{drive.condition}, seed {drive.seed}", files) for drive, files in unseen]
    text = table(models, drives)
    sys.stdout.write(text + "\n")
    if chosen.write:
        readme = DEMO / "README.md"
        before, rest = readme.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
