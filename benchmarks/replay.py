"""Times the whole replay (decode to store) against the bare `session.run` on the same frames.

    python benchmarks/replay.py [--drive D] [--baseline M] [--candidate M] [--frames N] [--rounds R]

Bare: the tensors of the same frames are ready in memory and one onnxruntime session with as many threads as the
machine has cores runs them one after the other. Both sides run in turn, R times; the medians and their ratio are
printed. Without arguments: the shipped night drive through the shipped models.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from pathlib import Path

import onnxruntime

from hilgui.inference import Model
from hilgui.pipeline import Run, RunPlan, Watchers, prepare
from hilgui.records import Frame
from hilgui.resources import shipped
from hilgui.settings import load_settings
from hilgui.sources import open_source
from hilgui.stream import StopToken
from hilgui.truth import find_truth


def bare_ms(path: Path, frames: list[Frame]) -> float:
    """Time `session.run` alone, per frame."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = Model.load(path, provider="cpu")
    workspace = model.workspace()
    feeds = [
        {name: value.copy() for name, value in model.feeds(frame.image, workspace).items()}
        for frame in itertools.islice(itertools.cycle(frames), 16)
    ]
    session.run(None, feeds[0])
    started = time.perf_counter()
    for index in range(len(frames)):
        session.run(None, feeds[index % len(feeds)])
    return (time.perf_counter() - started) * 1e3 / len(frames)


def replay_ms(plan: RunPlan) -> tuple[float, dict[str, float]]:
    """Time a whole replay per frame, from the first frame captured to the verdict stored."""
    prepared = prepare(plan)
    try:
        run = Run(prepared, Watchers(lambda _progress: None, lambda _frame, _moment: None))
        started = time.perf_counter()
        run.execute()
        spent = time.perf_counter() - started
    finally:
        prepared.close()
    frames = prepared.header.source.frames or 1
    return spent * 1e3 / frames, {}


def main() -> None:
    """Run both sides in turn and print the ratio."""
    demo = shipped("assets/demo")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drive", type=Path, default=demo / "night.mp4")
    parser.add_argument("--baseline", type=Path, default=demo / "baseline.onnx")
    parser.add_argument("--candidate", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    source = open_source(given.drive)
    frames = [frame for frame in itertools.islice(source.frames(StopToken()), 16) if isinstance(frame, Frame)]
    count = len(source.refs())
    source.close()
    models = [path for path in (given.baseline, given.candidate) if path is not None]
    bare, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.rounds):
            plan = RunPlan(
                source=given.drive,
                baseline=given.baseline,
                candidate=given.candidate,
                truth=find_truth(given.drive),
                out=Path(folder) / str(number),
                settings=load_settings(file=Path(folder) / "none.toml", environment={}, disk_reserve_mb=0),
                provider="cpu",
            )
            stretched = list(itertools.islice(itertools.cycle(frames), count))
            bare.append(sum(bare_ms(path, stretched) for path in models))
            whole.append(replay_ms(plan)[0])
    ratios = [a / b for a, b in zip(whole, bare, strict=True)]
    print(f"{given.drive.name}, {count} frames, {' + '.join(path.stem for path in models)}, {os.cpu_count()} cores")
    print(f"bare session.run   {statistics.median(bare):7.2f} ms a frame")
    print(f"whole replay       {statistics.median(whole):7.2f} ms a frame")
    print(f"ratio              {statistics.median(ratios):7.2f}  ({', '.join(f'{each:.2f}' for each in ratios)})")


if __name__ == "__main__":
    main()
