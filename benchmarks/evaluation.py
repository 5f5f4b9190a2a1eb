"""Measure the evaluation: µs for each streamed frame, and how many times faster than pycocotools.

    python benchmarks/evaluation.py [--frames 1000] [--json]

Synthetic frames (seeded) like those of COCO: about 7 truths and 30 detections, 80 classes, a few crowds. Both
evaluate the same detections in the same process; the figures are compared as well.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import AveragePrecision, DetectionFigures, compare
from hilgui.records import Detections, Truth
from hilgui.shadow import disagree

CLASSES = 80
Frames = list[tuple[Detections, Truth]]


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    frames = synthetic(given.frames)
    ours = min((stream(frames) for _ in range(3)), key=lambda run: run[0])
    theirs_s, theirs_ap = oracle(frames)
    judged = frozenset(range(CLASSES))
    result = {
        "frames": len(frames),
        "truths": sum(len(truth) for _, truth in frames),
        "detections": sum(len(detections) for detections, _ in frames),
        "stream_us_per_frame": ours[0] / len(frames) * 1e6,
        "worst_add_ms": ours[1] * 1e3,
        "reading_ms": ours[2] * 1e3,
        "pycocotools_us_per_frame": theirs_s / len(frames) * 1e6,
        "pycocotools_ratio": theirs_s / (ours[0] + ours[2]),
        "map_50_95": ours[3].map_50_95,
        "difference": abs((ours[3].map_50_95 or 0.0) - theirs_ap),
        "compare_us_per_frame": each(frames, lambda detections, truth: compare(detections, truth, 0.3, judged)),
        "disagree_us_per_frame": each(
            frames, lambda detections, _: disagree(detections, detections, (0.3, 0.35), judged)
        ),
    }
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:26} {value:12.4g}")


def synthetic(count: int, seed: int = 7) -> Frames:
    """Make labelled frames and detections that find most of the objects, some twice, and much else."""
    rng = np.random.default_rng(seed)
    return [_frame(rng) for _ in range(count)]


def _frame(rng: np.random.Generator) -> tuple[Detections, Truth]:
    truths = int(rng.poisson(7))
    boxes = _boxes(rng, truths)
    classes = rng.zipf(1.6, truths) % CLASSES
    crowd = rng.random(truths) < 0.02
    found = np.repeat(np.arange(truths), rng.choice([0, 1, 2], truths, p=[0.15, 0.7, 0.15]))
    others = int(rng.poisson(23))
    jitter = rng.normal(0, 0.06, (len(found), 4)) * np.tile(boxes[found, 2:] - boxes[found, :2], 2)
    all_boxes = np.concatenate([boxes[found] + jitter, _boxes(rng, others)]).astype(np.float32)
    all_boxes[:, 2:] = np.maximum(all_boxes[:, 2:], all_boxes[:, :2] + 1)
    scores = np.concatenate([rng.beta(4, 2, len(found)), rng.beta(1, 8, others)]).clip(0.001, 1).astype(np.float32)
    names = np.concatenate([classes[found], rng.zipf(1.6, others) % CLASSES]).astype(np.int32)
    order = np.argsort(-scores, kind="stable")
    return Detections(all_boxes[order], scores[order], names[order]), Truth.of(boxes, classes, crowd=crowd)


def _boxes(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    corner = rng.uniform((0, 0), (600, 440), (count, 2))
    return np.concatenate([corner, corner + rng.lognormal(4, 0.7, (count, 2))], axis=1)


def stream(frames: Frames) -> tuple[float, float, float, DetectionFigures]:
    """Give seconds for all frames, the slowest single call, seconds for the reading, the figures."""
    precision = AveragePrecision(range(CLASSES))
    worst = total = 0.0
    for detections, truth in frames:
        start = time.perf_counter()
        precision.add(detections, truth)
        spent = time.perf_counter() - start
        total += spent
        worst = max(worst, spent)
    start = time.perf_counter()
    figures = precision.figures()
    return total, worst, time.perf_counter() - start, figures


def oracle(frames: Frames) -> tuple[float, float]:
    """Give seconds and AP of pycocotools, evaluate and accumulate only."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(len(frames))],
            "categories": [{"id": number} for number in range(CLASSES)],
            "annotations": [],
        }
        for image, (_, labels) in enumerate(frames):
            for row in range(len(labels)):
                truth.dataset["annotations"].append(
                    {
                        "id": len(truth.dataset["annotations"]) + 1,
                        "image_id": image,
                        "category_id": int(labels.classes[row]),
                        "bbox": _xywh(labels.boxes[row]),
                        "area": float(labels.areas[row]),
                        "iscrowd": int(labels.crowd[row]),
                    }
                )
        truth.createIndex()
        results = truth.loadRes(
            [
                {
                    "image_id": image,
                    "category_id": int(detections.classes[row]),
                    "bbox": _xywh(detections.boxes[row].astype(np.float64)),
                    "score": float(detections.scores[row]),
                }
                for image, (detections, _) in enumerate(frames)
                for row in range(len(detections))
            ]
        )
        evaluation = COCOeval(truth, results, "bbox")
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [100]
        start = time.perf_counter()
        evaluation.evaluate()
        evaluation.accumulate()
        spent = time.perf_counter() - start
    precision = evaluation.eval["precision"]
    return spent, float(precision[precision > -1].mean())


def each(frames: Frames, work: Callable[[Detections, Truth], object]) -> float:
    """Give µs for each frame of a pure function."""
    start = time.perf_counter()
    for detections, truth in frames:
        work(detections, truth)
    return (time.perf_counter() - start) / len(frames) * 1e6


def _xywh(box: NDArray[np.float64]) -> list[float]:
    return [float(box[0]), float(box[1]), float(box[2] - box[0]), float(box[3] - box[1])]


if __name__ == "__main__":
    main()
