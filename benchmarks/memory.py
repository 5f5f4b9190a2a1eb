"""Loops a short drive and watches the resident memory of the whole replay: decode to store, evaluation, corner cases.

    python benchmarks/memory.py [--frames 100000] [--warm-up 5000]

A network of a few additions reports the labelled boxes, now and then one less, so that findings open and close and clips
are kept. Resident memory is read from the system every thousand frames; growth is the end against the end of the
warm-up, and the most there was in between. Linux only (/proc). Goal: at most 20 MiB in 100,000 frames.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2

from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.records import Frame, Moment
from hilgui.settings import load_settings
from hilgui.sources.looped import Looped

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.flow.tiny import write_drive, write_model

LAP = 40


def resident_mib() -> float:
    """Give the resident memory of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise OSError("the system does not tell the resident memory")


def watch(folder: Path, frames: int, warm_up: int) -> tuple[list[tuple[int, float]], float]:
    """Replay and give (frame, MiB) every thousand frames after the warm-up, and frames a second."""
    drive = write_drive(folder / "loop.mp4", LAP)
    plan = RunPlan(
        source=drive,
        baseline=write_model(folder / "old.onnx"),
        candidate=write_model(folder / "new.onnx", score=0.3),
        truth=drive.with_suffix(".coco.json"),
        out=folder / "runs",
        settings=load_settings(file=folder / "none.toml", environment={}, disk_reserve_mb=0),
        provider="cpu",
    )
    prepared = prepare(plan)
    prepared.source = Looped(prepared.source, frames)
    prepared.source.open()
    prepared.truths = {seq: prepared.truths[seq % LAP] for seq in range(frames)}
    seen: list[tuple[int, float]] = []

    def look(frame: Frame, _moment: Moment) -> None:
        if frame.ref.seq >= warm_up and frame.ref.seq % 1000 == 0:
            seen.append((frame.ref.seq, resident_mib()))

    try:
        run = Run(prepared, Watchers(lambda _progress: None, look))
        started = time.perf_counter()
        run.execute()
        rate = frames / (time.perf_counter() - started)
    finally:
        prepared.close()
    return seen, rate


def main() -> None:
    """Watch and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--warm-up", type=int, default=5000)
    given = parser.parse_args()
    sys.setswitchinterval(0.0005)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        seen, rate = watch(Path(folder), given.frames, given.warm_up)
    first, values = seen[0][1], [value for _, value in seen]
    for seq, value in seen[:: max(1, len(seen) // 10)]:
        print(f"  frame {seq:7,}: {value:7.1f} MiB")
    print(f"{given.frames:,} frames at {rate:.0f} a second: from {first:.1f} to {values[-1]:.1f} MiB, at most {max(values):.1f}")
    print(f"growth after {given.warm_up:,} frames: {values[-1] - first:+.1f} MiB (goal at most 20)")


if __name__ == "__main__":
    main()
