"""Measure tracker and tracking figures: µs for each frame, and how many times faster than trackeval and motmetrics.

    python benchmarks/tracking.py [--frames 2000] [--objects 20] [--json]

Synthetic tracks (seeded): objects that walk about, a detector that loses some. All judge the same tracks in the same
process; the figures are compared as well.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation.overlap import iou_matrix
from hilgui.evaluation.tracker import Association, Tracker
from hilgui.evaluation.tracking import TrackingFigures, TrackingJudge
from hilgui.records import Truth

Boxes = NDArray[np.float64]


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--objects", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    truth, found = synthetic(given.frames, given.objects)
    tracks, tracker_us = tracked(found)
    judge_s, reading_s, ours = judged(truth, found, tracks)
    theirs_s, theirs = by_trackeval(truth, found, tracks)
    old_s = by_motmetrics(truth[:300], found[:300], tracks[:300]) / min(300, len(truth)) * len(truth)
    result = {
        "frames": len(truth),
        "objects": given.objects,
        "tracker_us_per_frame": tracker_us,
        "judge_us_per_frame": judge_s / len(truth) * 1e6,
        "reading_ms": reading_s * 1e3,
        "trackeval_ratio": theirs_s / (judge_s + reading_s),
        "motmetrics_ratio": old_s / (judge_s + reading_s),
        "hota": ours.hota.hota or 0.0,
        "difference": abs((ours.hota.hota or 0.0) - theirs),
    }
    if given.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:22} {value:12.4g}")


def synthetic(count: int, objects: int, seed: int = 7) -> tuple[list[Boxes], list[Boxes]]:
    """Make boxes of walking objects (row = identity) and what a detector sees of them (NaN: nothing)."""
    rng = np.random.default_rng(seed)
    place, size = rng.uniform(0, 1800, (objects, 2)), rng.uniform(30, 140, (objects, 2))
    speed = rng.normal(0, 3, (objects, 2))
    truth, found = [], []
    for _ in range(count):
        place = (place + speed + rng.normal(0, 0.5, place.shape)) % 1900
        boxes = np.hstack([place, place + size])
        seen = boxes + rng.normal(0, 2, boxes.shape)
        seen[rng.random(objects) < 0.1] = np.nan
        truth.append(boxes)
        found.append(seen[~np.isnan(seen[:, 0])])
    return truth, found


def tracked(found: list[Boxes]) -> tuple[list[NDArray[np.int64]], float]:
    """Give the tracks of every frame and the median µs of an update."""
    tracker, times, tracks = Tracker(30, Association(high_score=0.5)), [], []
    rng = np.random.default_rng(1)
    for boxes in found:
        scores = rng.uniform(0.3, 1.0, len(boxes))
        start = time.perf_counter()
        numbers = tracker.update(boxes, scores)
        times.append(time.perf_counter() - start)
        tracks.append(np.array(numbers, np.int64))
    return tracks, float(np.median(times)) * 1e6


def judged(
    truth: list[Boxes], found: list[Boxes], tracks: list[NDArray[np.int64]]
) -> tuple[float, float, TrackingFigures]:
    """Give seconds for all frames, seconds for the reading, the figures."""
    frames = []
    for boxes, seen, numbers in zip(truth, found, tracks, strict=True):
        kept = numbers >= 0
        labels = Truth.of(boxes, np.zeros(len(boxes), np.int32), tracks=np.arange(len(boxes)))
        frames.append((labels, seen[kept], np.zeros(int(kept.sum()), np.int32), numbers[kept]))
    judge = TrackingJudge(frozenset({0}))
    start = time.perf_counter()
    for frame in frames:
        judge.add(*frame)
    spent = time.perf_counter() - start
    start = time.perf_counter()
    figures = judge.per_class()[0]
    return spent, time.perf_counter() - start, figures


def by_trackeval(truth: list[Boxes], found: list[Boxes], tracks: list[NDArray[np.int64]]) -> tuple[float, float]:
    """Give seconds of CLEAR, identity and HOTA (similarities included), and HOTA."""
    from trackeval.metrics import CLEAR, HOTA, Identity

    quiet = {"PRINT_CONFIG": False, "THRESHOLD": 0.5}
    start = time.perf_counter()
    kept = [numbers >= 0 for numbers in tracks]
    data = {
        "num_timesteps": len(truth),
        "num_gt_ids": len(truth[0]),
        "num_tracker_ids": int(max(numbers.max(initial=0) for numbers in tracks)) + 1,
        "num_gt_dets": sum(map(len, truth)),
        "num_tracker_dets": sum(int(each.sum()) for each in kept),
        "gt_ids": [np.arange(len(boxes)) for boxes in truth],
        "tracker_ids": [numbers[each] for numbers, each in zip(tracks, kept, strict=True)],
        "similarity_scores": [
            iou_matrix(boxes, seen[each]) for boxes, seen, each in zip(truth, found, kept, strict=True)
        ],
    }
    CLEAR(quiet).eval_sequence(data)
    Identity(quiet).eval_sequence(data)
    hota = HOTA().eval_sequence(data)["HOTA"]
    return time.perf_counter() - start, float(np.mean(hota))


def by_motmetrics(truth: list[Boxes], found: list[Boxes], tracks: list[NDArray[np.int64]]) -> float:
    """Give seconds of CLEAR and identity figures."""
    import motmetrics

    start = time.perf_counter()
    book = motmetrics.MOTAccumulator(auto_id=True)
    for boxes, seen, numbers in zip(truth, found, tracks, strict=True):
        kept = numbers >= 0
        distance = 1 - iou_matrix(boxes, seen[kept])
        distance[distance > 0.5] = np.nan
        book.update(range(len(boxes)), numbers[kept], distance)
    motmetrics.metrics.create().compute(book, metrics=["mota", "motp", "idf1", "num_switches"])
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
