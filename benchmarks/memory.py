"""Loops a short drive and watches the resident memory of the whole replay: decode to store, evaluation, corner cases.

    python benchmarks/memory.py [--frames 100000] [--warm-up 5000]

A network of a few additions reports the labelled boxes; the candidate misses one in every frame, so that every frame
belongs to a clip. Growth is the end against the end of the warm-up. Linux only (/proc). Goal: at most 20 MiB in 100,000
frames.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.flow.long_run import replay_looped

EVERY = 1000


def main() -> None:
    """Watch and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--warm-up", type=int, default=5000)
    given = parser.parse_args()
    sys.setswitchinterval(0.0005)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        _, seen = replay_looped(Path(folder), given.frames, EVERY)
        rate = given.frames / (time.perf_counter() - started)
    seen = seen[given.warm_up // EVERY :]
    for place in range(0, len(seen), max(1, len(seen) // 10)):
        print(f"  frame {given.warm_up + place * EVERY:7,}: {seen[place]:7.1f} MiB")
    grown, later = seen[-1] - seen[0], (len(seen) - 1) * EVERY
    print(f"{given.frames:,} frames at {rate:.0f} a second: {seen[0]:.1f} to {seen[-1]:.1f} MiB, most {max(seen):.1f}")
    print(f"growth after {given.warm_up:,} frames: {grown:+.1f} MiB, {grown * 1e5 / later:.1f} in 100,000 (goal 20)")


if __name__ == "__main__":
    main()
