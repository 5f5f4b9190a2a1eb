"""The store: µs per frame at one commit per frame, and how fast a long run opens and pages.

    python benchmarks/store.py [--frames 100000] [--keep FOLDER]

Both sides run in the same process, in alternating rounds, on the same disk: the run writer (one model, ten boxes,
numbers, blobs, index columns) against the least that SQLite needs to keep one frame (WAL, synchronous NORMAL, one
packed blob a row, one commit a frame). On a busy machine the CPU time is the steadier figure. With --keep the long
run is made once in that folder and read again the next time.
"""

from __future__ import annotations

import argparse
import math
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from hilgui.records import (
    Comparison,
    Detections,
    Finding,
    FrameHealth,
    FrameRef,
    Inference,
    Kind,
    Ledger,
    ModelFacts,
    Moment,
    Outcome,
    People,
    Role,
    RunHeader,
    Severity,
    SourceFacts,
    Truth,
    Verdict,
    Vocabulary,
)
from hilgui.store import RunReader, RunWriter, codec

BOXES = 10
ROUND = 2000
ROUNDS = 5
STAMP = datetime(2026, 1, 31, tzinfo=UTC)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure_writing(Path(folder))
        measure_reading(given.keep or Path(folder), given.frames)


def measure_writing(folder: Path) -> None:
    """Compare one commit a frame with bare SQLite."""
    moments = [moment(seq, with_truth=False) for seq in range(ROUND * ROUNDS)]
    full = [moment(seq, with_truth=True) for seq in range(ROUND * ROUNDS)]
    blobs = [codec.pack_detections(one.inferences[Role.BASELINE].detections) for one in moments]
    bare = bare_database(folder / "bare.sqlite")
    writers = {name: RunWriter(folder, header(name)) for name in ("output", "eight", "output-and-truth")}
    sides: dict[str, Callable[[int], None]] = {
        "bare sqlite, one blob a frame": lambda seq: commit_bare(bare, seq, blobs[seq]),
        "run writer, 10 boxes": lambda seq: writers["output"].write([moments[seq]]),
        "the same, 8 frames a commit": lambda seq: (
            writers["eight"].write(moments[seq - 7 : seq + 1]) if seq % 8 == 7 else None
        ),
        "run writer, 10 boxes, truth, match": lambda seq: writers["output-and-truth"].write([full[seq]]),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    cpu: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(ROUNDS):
        for name, write in sides.items():
            start, busy = time.perf_counter(), time.process_time()
            for seq in range(number * ROUND, (number + 1) * ROUND):
                write(seq)
            times[name].append((time.perf_counter() - start) / ROUND * 1e6)
            cpu[name].append((time.process_time() - busy) / ROUND * 1e6)
    base = statistics.median(times["bare sqlite, one blob a frame"])
    for name, values in times.items():
        median, spread = statistics.median(values), f"rounds {min(values):.1f}–{max(values):.1f}"
        busy = statistics.median(cpu[name])
        print(f"{name:36} {median:7.1f} µs/frame ({spread}), of it CPU {busy:5.1f}  {median / base:5.2f}x bare")
    for writer in writers.values():
        writer.close()
    bare.close()


def measure_reading(folder: Path, frames: int) -> None:
    """Time opening, paging and sums of a long run."""
    run = folder / f"long-{frames}"
    if not run.is_dir():
        make_long_run(folder, frames)
    size = (run / "run.sqlite").stat().st_size
    print(f"\n{frames:,} frames, {frames * BOXES:,} boxes: {size / 1e6:.1f} MB, {size / frames:.0f} bytes a frame")
    report("open, header and verdict", lambda: opened(run).close(), 20)
    reader = opened(run)
    rng = np.random.default_rng(0)
    report("page of 100 frames anywhere", lambda: page(reader, int(rng.integers(0, frames - 100))), 100)
    report("one frame anywhere", lambda: reader.moment(int(rng.integers(0, frames))), 300)
    report("findings of a kind", lambda: reader.findings(kind=Kind.PHANTOM), 20)
    report("timeline of the whole run", reader.timeline, 3)
    report("timeline of the newest 100 frames", lambda: reader.timeline(since=frames - 100), 50)
    reader.close()


def make_long_run(folder: Path, frames: int) -> None:
    """Write a run with a finding every 500 frames; the moments of 100 frames are used again and again."""
    patterns = [moment(seq, with_truth=True) for seq in range(100)]
    writer = RunWriter(folder, header(f"long-{frames}"))
    for first in range(0, frames, 500):
        batch = [replace(patterns[seq % 100], ref=moment_ref(seq)) for seq in range(first, min(first + 500, frames))]
        writer.write(batch, [finding(first // 500 + 1, first)])
    writer.finish(Verdict(Outcome.PASS), Ledger(frames, frames, 0, 0, frames))


def moment_ref(seq: int) -> FrameRef:
    """Name a frame."""
    return FrameRef(seq, f"drive.mp4#{seq:06d}", seq / 30, STAMP, seq * 33_000_000, 1280, 720)


def report(name: str, ask: Callable[[], object], rounds: int) -> None:
    """Print median and worst time of a question."""
    times, busy = [], []
    for _ in range(rounds):
        start, cpu = time.perf_counter(), time.process_time()
        ask()
        times.append((time.perf_counter() - start) * 1e3)
        busy.append((time.process_time() - cpu) * 1e3)
    median, cpu = statistics.median(times), statistics.median(busy)
    print(f"{name:36} median {median:9.3f} ms   worst {max(times):9.3f} ms   CPU {cpu:9.3f} ms")


def opened(folder: Path) -> RunReader:
    """Open a run as the library does."""
    reader = RunReader(folder)
    if reader.verdict is None:
        raise SystemExit("the benchmark's run is not finished")
    return reader


def page(reader: RunReader, first: int) -> list[Moment]:
    """Read 100 frames."""
    return list(reader.moments(first, first + 99))


def bare_database(path: Path) -> sqlite3.Connection:
    """Open the least that keeps a frame."""
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE TABLE frame (seq INTEGER PRIMARY KEY, boxes BLOB)"
    )
    return database


def commit_bare(database: sqlite3.Connection, seq: int, blob: bytes) -> None:
    """Write one row in one transaction."""
    database.execute("INSERT INTO frame VALUES (?,?)", (seq, blob))


def header(run_id: str) -> RunHeader:
    """Describe a run with one model."""
    model = ModelFacts(
        "m", "m.onnx", "0" * 64, "yolox", "CPUExecutionProvider", "cpu", 1, 0.3, 0.65, 416, 416, ("car",)
    )
    return RunHeader(
        run_id=run_id,
        created=STAMP.isoformat(),
        version="0",
        commit="",
        command=(),
        settings={},
        host={},
        people=People(),
        source=SourceFacts("drive.mp4", "video", "drive.mp4", "1" * 64, 1280, 720, 30.0, None, True),
        truth=None,
        models={Role.BASELINE: model},
        vocabulary=Vocabulary(("car", "person"), frozenset({0, 1})),
        speed="max",
        workers=1,
    )


def moment(seq: int, *, with_truth: bool) -> Moment:
    """Make a frame with ten boxes, half of them above the threshold."""
    boxes = np.arange(BOXES * 4, dtype=np.float32).reshape(-1, 4) + seq % 100
    scores = np.linspace(0.9, 0.01, BOXES, dtype=np.float32)
    found = Detections(boxes, scores, np.zeros(BOXES, np.int32))
    ref = moment_ref(seq)
    health = FrameHealth(80.0, 20.0, 0.0, math.nan if seq == 0 else 1.0)
    inferences = {Role.BASELINE: Inference(found, 200_000, 5_000_000, 100_000)}
    if not with_truth:
        return Moment(ref, health, None, inferences)
    truth = Truth.of(boxes[:5].astype(np.float64), np.zeros(5, np.int32))
    above = found.count_above(0.3)
    judged = np.ones(above, np.uint8)
    match = Comparison(np.ones(5, np.uint8), judged, np.zeros(above, np.int32), np.ones(above, np.float32))
    return Moment(ref, health, truth, inferences, {Role.BASELINE: match})


def finding(number: int, seq: int) -> Finding:
    """Make a finding of 30 frames."""
    kind = Kind.PHANTOM if number % 2 else Kind.MISSED_OBJECT
    times = (seq / 30, seq / 30 + 1, seq / 30)
    return Finding(number, kind, Severity.LOW, Role.BASELINE, seq, seq + 29, seq, 30, *times, "why", (), {})


if __name__ == "__main__":
    main()
