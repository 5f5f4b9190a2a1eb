"""Measure the evaluation: µs for each streamed frame, and how many times faster than pycocotools and hotcoco.

    python benchmarks/evaluation.py [--frames 1000] [--resamples 100] [--json]

Synthetic frames (seeded) like those of COCO: about 7 truths and 30 detections, 80 classes, a few crowds; with
--frames 5000 the set has 34,986 truths and 149,436 detections. All evaluate the same detections in the same process;
the twelve figures are compared as well. hotcoco takes part where it is installed (it is no dependency). Seconds are
processor time of all threads, so that other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import AveragePrecision, compare
from hilgui.records import Detections, Truth
from hilgui.shadow import disagree

CLASSES = 80
Frames = list[tuple[Detections, Truth]]


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    frames = synthetic(given.frames)
    ours = min((stream(frames) for _ in range(3)), key=lambda run: run.total_s)
    theirs_s, theirs = oracle(frames)
    judged = frozenset(range(CLASSES))
    resampled_s = resample(ours.precision, given.resamples)
    result = {
        "frames": len(frames),
        "truths": sum(len(truth) for _, truth in frames),
        "detections": sum(len(detections) for detections, _ in frames),
        "stream_us_per_frame": ours.add_s / len(frames) * 1e6,
        "worst_add_ms": ours.worst_s * 1e3,
        "reading_ms": ours.read_s * 1e3,
        "whole_set_s": ours.total_s,
        "pycocotools_s": theirs_s,
        "pycocotools_ratio": theirs_s / ours.total_s,
        **hotcoco(frames, ours.total_s),
        "largest_difference": float(np.abs(np.array(ours.twelve) - theirs).max()),
        "map_50_95": ours.twelve[0],
        "resample_ms": resampled_s / given.resamples * 1e3,
        "thousand_resamples_s": resampled_s / given.resamples * 1e3,
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


@dataclass(frozen=True)
class Streamed:
    """What one pass over the frames took, in seconds, and what it says."""

    add_s: float
    worst_s: float
    read_s: float
    twelve: list[float]
    precision: AveragePrecision

    @property
    def total_s(self) -> float:
        """Add matching and reading."""
        return self.add_s + self.read_s


def stream(frames: Frames) -> Streamed:
    """Add frame by frame, then read all twelve figures."""
    precision = AveragePrecision(range(CLASSES))
    worst = total = 0.0
    for detections, truth in frames:
        start = time.process_time()
        precision.add(detections, truth)
        spent = time.process_time() - start
        total += spent
        worst = max(worst, spent)
    start = time.process_time()
    twelve = [value for value, _ in precision.coco().values()]
    return Streamed(total, worst, time.process_time() - start, [float(value or -1) for value in twelve], precision)


def resample(precision: AveragePrecision, count: int) -> float:
    """Give seconds for reading mAP of `count` resamples of blocks of 100 frames, one thread."""
    ranked = precision.ranked()
    of_frame = np.arange(precision.frames) // 100
    clusters = int(of_frame[-1]) + 1
    draws = np.random.default_rng(1).multinomial(clusters, np.full(clusters, 1 / clusters), count)
    start = time.process_time()
    for weights in draws:
        ranked.averages(weights[of_frame])
    return time.process_time() - start


def documents(frames: Frames) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write the set as COCO has it: labels and results."""
    labels: dict[str, Any] = {
        "info": {},
        "images": [{"id": image, "width": 640, "height": 480} for image in range(1, len(frames) + 1)],
        "categories": [{"id": number, "name": str(number)} for number in range(CLASSES)],
        "annotations": [],
    }
    for image, (_, truth) in enumerate(frames, 1):
        for row in range(len(truth)):
            labels["annotations"].append(
                {
                    "id": len(labels["annotations"]) + 1,
                    "image_id": image,
                    "category_id": int(truth.classes[row]),
                    "bbox": _xywh(truth.boxes[row]),
                    "area": float(truth.areas[row]),
                    "iscrowd": int(truth.crowd[row]),
                }
            )
    results = [
        {
            "image_id": image,
            "category_id": int(detections.classes[row]),
            "bbox": _xywh(detections.boxes[row].astype(np.float64)),
            "score": float(detections.scores[row]),
        }
        for image, (detections, _) in enumerate(frames, 1)
        for row in range(len(detections))
    ]
    return labels, results


def oracle(frames: Frames) -> tuple[float, NDArray[np.float64]]:
    """Give seconds and the twelve figures of pycocotools, evaluate and accumulate only."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    labels, results = documents(frames)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = labels
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        start = time.process_time()
        evaluation.evaluate()
        evaluation.accumulate()
        spent = time.process_time() - start
        evaluation.summarize()
    return spent, evaluation.stats


def hotcoco(frames: Frames, ours_s: float) -> dict[str, float]:
    """Give seconds of hotcoco over the same set, nothing where it is not installed."""
    try:
        import hotcoco as peer
    except ImportError:
        return {}
    labels, results = documents(frames)
    truth = peer.COCO(labels)
    found = truth.loadRes(results)
    evaluation = peer.COCOeval(truth, found, "bbox")
    start = time.process_time()
    evaluation.evaluate()
    evaluation.accumulate()
    spent = time.process_time() - start
    return {"hotcoco_s": spent, "hotcoco_ratio": spent / ours_s}


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
