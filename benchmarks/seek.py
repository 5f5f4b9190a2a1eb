"""Times seeking: random frames and single steps either way, at several distances of key frames.

    python benchmarks/seek.py [VIDEO ...] [--seeks 200]

Without a video, ten seconds of 1280 × 720 H.264 are made with a key frame every 25, 60 and 250 frames.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from decode import make_video

from hilgui.sources.video import VideoSource


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--seeks", type=int, default=200)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        made = {f"made, key frame every {gop}": (gop, Path(folder) / f"{gop}.mp4") for gop in (25, 60, 250)}
        videos = {path.name: path for path in given.videos} or {
            name: make_video(path, gop=gop, frames=250) for name, (gop, path) in made.items()
        }
        print("goals: random p95 50 ms at a key frame every 60, steps p95 10 ms")
        for name, path in videos.items():
            source = VideoSource(path)
            started = time.perf_counter()
            frames = source.open().frames or 0
            print(f"{name}: {frames} frames, opened in {(time.perf_counter() - started) * 1e3:.0f} ms")
            order = random.Random(0)
            middle = frames // 2
            span = min(100, middle - 1)
            show("random", times(source, [order.randrange(frames) for _ in range(given.seeks)]))
            show("forward", times(source, range(middle - span, middle + span)))
            show("backward", times(source, range(middle + span, middle - span, -1)))
            source.close()


def times(source: VideoSource, wanted: Iterable[int]) -> list[float]:
    """Give the milliseconds of each frame; the first one, which puts the decoder in place, does not count."""
    taken = []
    for seq in wanted:
        started = time.perf_counter()
        source.frame_at(seq)
        taken.append((time.perf_counter() - started) * 1e3)
    return taken[1:]


def show(name: str, taken: list[float]) -> None:
    """Print median, 95th percentile and maximum."""
    median, high, top = np.percentile(taken, [50, 95, 100])
    print(f"  {name:10s} median {median:6.1f}   p95 {high:6.1f}   max {top:6.1f} ms")


if __name__ == "__main__":
    main()
