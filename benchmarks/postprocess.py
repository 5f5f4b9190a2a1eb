"""Times what follows the network (filter, suppression, boxes in the picture) against OpenCV and plain numpy.

    python benchmarks/postprocess.py [--rounds 200]

Outputs as of an 8400 × 80 detector, seeded, with 100 or 1,000 boxes above the threshold around 40 objects. All take
turns in one process; the filter is the same for the peers, and that all keep the same boxes is checked.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import cv2
import numpy as np
from in_turn import in_turn
from numpy.typing import NDArray

from hilgui.inference.candidates import settle, sift
from hilgui.inference.preprocess import Preprocess, place

ROWS, CLASSES, OBJECTS, SIDE = 8400, 80, 40, 640
IOU = 0.65
Boxes = NDArray[np.float32]


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    geometry, _, _ = place(1280, 720, SIDE, SIDE, Preprocess())
    for count in (100, 1000):
        boxes, scores = outputs(count)
        ways: dict[str, Callable[[], int]] = {
            "hilgui": lambda b=boxes, s=scores: len(settle(sift(b, s), geometry, IOU)),  # type: ignore[misc]
            "OpenCV": lambda b=boxes, s=scores: opencv(b, s),  # type: ignore[misc]
            "plain numpy": lambda b=boxes, s=scores: naive(b, s),  # type: ignore[misc]
        }
        kept = {name: way() for name, way in ways.items()}
        times = in_turn(ways, given.rounds)
        print(f"{count} candidates of {ROWS} x {CLASSES}: {kept['hilgui']} boxes stay")
        for name, took in times.items():
            same = "" if kept[name] == kept["hilgui"] else f"   (keeps {kept[name]})"
            print(f"  {name:12s}{took:8.3f} ms   {took / times['hilgui']:6.2f} times ours{same}")


def outputs(count: int) -> tuple[Boxes, Boxes]:
    """Make boxes (ROWS, 4) and scores (ROWS, CLASSES) with `count` scores above the floor."""
    rng = np.random.default_rng(count)
    centres, sizes = rng.uniform(60, 300, (OBJECTS, 2)) * (2, 1), rng.uniform(20, 100, (OBJECTS, 2))
    owner = rng.integers(0, OBJECTS, ROWS)
    middle = centres[owner] + rng.normal(0, 4, (ROWS, 2))
    half = sizes[owner] * np.exp(rng.normal(0, 0.1, (ROWS, 2))) / 2
    scores = np.full((ROWS, CLASSES), 1e-5, np.float32)
    rows = rng.choice(ROWS, count, replace=False)
    scores[rows, owner[rows] % CLASSES] = rng.uniform(0.01, 1.0, count)
    return np.concatenate((middle - half, middle + half), axis=1).astype(np.float32), scores


def opencv(boxes: Boxes, scores: Boxes) -> int:
    """Filter in numpy, suppress by class in OpenCV."""
    rows, classes = np.nonzero(scores >= 0.001)
    corners = boxes[rows]
    corners[:, 2:] -= corners[:, :2]
    return len(cv2.dnn.NMSBoxesBatched(corners, scores[rows, classes], classes.astype(np.int32), 0.001, IOU))


def naive(boxes: Boxes, scores: Boxes) -> int:
    """Filter, move classes apart, and go down the list one kept box at a time, as most people write it."""
    rows, classes = np.nonzero(scores >= 0.001)
    found = boxes[rows] + (classes * 4096)[:, None]
    areas = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    order = np.argsort(-scores[rows, classes])
    kept = 0
    while len(order):
        kept += 1
        best, rest = order[0], order[1:]
        low = np.maximum(found[best, :2], found[rest, :2])
        high = np.minimum(found[best, 2:], found[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        order = rest[shared <= IOU * (areas[best] + areas[rest] - shared)]
    return kept


if __name__ == "__main__":
    main()
