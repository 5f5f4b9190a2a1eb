"""Reads folders of JPEG and PNG pictures through the image source, against the decoder alone on one thread.

    python benchmarks/images.py [--frames 60] [--rounds 3]

1280 × 720 with some noise. Both sides take turns; real time and processor time, medians. Opening the folder (its
hash) is part of ours; what comes after the source is not.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from hilgui.sources import source_for
from hilgui.stream import StopToken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    for kind in ("jpg", "png"):
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), kind, given.frames)
            sides: dict[str, Callable[[Path], int]] = {"decoder alone": alone, "image folder": through}
            times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
            for _ in range(given.rounds):
                for name, read in sides.items():
                    started, busy = time.perf_counter(), time.process_time()
                    count = read(Path(folder))
                    spent = (time.perf_counter() - started, time.process_time() - busy)
                    times[name].append((spent[0] / count * 1e3, spent[1] / count * 1e3))
        base = [statistics.median(each) for each in zip(*times["decoder alone"], strict=True)]
        for name, rows in times.items():
            real, busy = (statistics.median(each) for each in zip(*rows, strict=True))
            ratios = f"{real / base[0]:.2f}x, processor {busy / base[1]:.2f}x"
            print(f"{kind} {name:14} {real:7.2f} ms, processor {busy:7.2f} ms   {ratios}")


def write(folder: Path, kind: str, frames: int) -> None:
    """Write a few different pictures again and again."""
    rng = np.random.default_rng(0)
    smooth = cv2.resize(rng.integers(0, 256, (45, 80, 3), np.uint8), (1280, 720), interpolation=cv2.INTER_CUBIC)
    made = [
        cv2.imencode(f".{kind}", np.clip(smooth + rng.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8))[1]
        for _ in range(4)
    ]
    for number in range(frames):
        (folder / f"{number:06d}.{kind}").write_bytes(made[number % 4].tobytes())


def alone(folder: Path) -> int:
    """Decode one after the other, as most people do."""
    files = sorted(folder.iterdir())
    for file in files:
        cv2.imread(str(file))
    return len(files)


def through(folder: Path) -> int:
    """Read through the source."""
    source = source_for(folder, fps=30)
    source.open()
    count = sum(1 for _ in source.frames(StopToken()))
    source.close()
    return count


if __name__ == "__main__":
    main()
