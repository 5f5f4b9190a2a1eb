"""Times the whole replay (decode to store, with evaluation and corner cases) against the bare `session.run`.

    python benchmarks/replay.py [--cases 640 320] [--nano yolox_nano_416.onnx] [--drive D --baseline M [--candidate M]]
                                [--frames N] [--rounds R] [--shadow] [--stages] [--ultralytics PYTHON]

Bare: the tensors of the same frames are ready in memory and one onnxruntime session with as many threads as the
machine has cores, spinning, runs them one after the other. Both sides run in turn, R times; medians of times and of
the ratios are printed, with the processor time of the replay against its wall time. `--stages` times each stage alone
on one thread: their sum divided by the cores is what this machine allows. `--shadow` adds a second model.
`--ultralytics` names a Python in which `ultralytics` can be imported: `predict(stream=True)` on the same file takes its
turns.

Without a drive, N frames of 1280 × 720 H.264 and detectors of YOLOv8n's size are made; the labels are what the detector
itself says, one object left out now and then, so that matching and corner cases have as much to do as on a good drive.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from decode import make_video
from detector import write_detector

from hilgui.inference import Model
from hilgui.pipeline import Prepared, Run, RunPlan, Watchers, prepare
from hilgui.pipeline.judge import Judge
from hilgui.records import Frame, Moment, Role
from hilgui.resources import shipped
from hilgui.settings import load_settings
from hilgui.shadow import Paired
from hilgui.sources import open_source
from hilgui.store import RunReader, RunWriter
from hilgui.stream import StopToken
from hilgui.truth import find_truth

SHOWN = 6  # boxes a frame above the threshold of a made detector
CORES = os.cpu_count() or 1
PREDICT = """
import sys, time
from ultralytics import YOLO
HOW = {"conf": 0.001, "iou": 0.7, "max_det": 300}  # as ours
model = YOLO(sys.argv[2], task="detect")
for result in model.predict(sys.argv[1], stream=True, device="cpu", verbose=False, **HOW):
    break
started, count = time.perf_counter(), 0
for result in model.predict(sys.argv[1], stream=True, device="cpu", verbose=False, **HOW):
    count += 1
print((time.perf_counter() - started) * 1e3 / count)
"""


@dataclass(frozen=True)
class Case:
    """One drive through one or two models."""

    name: str
    drive: Path
    baseline: Path
    candidate: Path | None
    truth: Path | None

    def plan(self, folder: Path, *, only: Role | None = None) -> RunPlan:
        """Give the plan of a run, of one of the two models if asked."""
        return RunPlan(
            source=self.drive,
            baseline=self.candidate if only is Role.CANDIDATE and self.candidate else self.baseline,
            candidate=self.candidate if only is None else None,
            truth=self.truth,
            out=folder / f"{time.monotonic_ns()}",
            settings=load_settings(file=folder / "none.toml", environment={}, disk_reserve_mb=0),
            provider="cpu",
        )


class Bare:
    """One session with all threads, and ready tensors of the drive's first frames."""

    def __init__(self, path: Path, frames: list[Frame]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = CORES
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        model = Model.load(path, provider="cpu")
        workspace = model.workspace()
        self._feeds: list[dict[str, Any]] = []
        for frame in frames:
            self._feeds.append({name: value.copy() for name, value in model.feeds(frame.image, workspace).items()})
        self._session.run(None, self._feeds[0])

    def ms(self, count: int) -> float:
        """Time `session.run` alone, per frame."""
        started = time.perf_counter()
        for index in range(count):
            self._session.run(None, self._feeds[index % len(self._feeds)])
        return (time.perf_counter() - started) * 1e3 / count


def replay_ms(plan: RunPlan) -> tuple[float, float, Path]:
    """Time a whole replay per frame, from the first frame captured to the verdict stored; wall and processor time."""
    prepared = prepare(plan)
    try:
        run = Run(prepared, Watchers(lambda _progress: None, lambda _frame, _moment: None))
        started, busy = time.perf_counter(), time.process_time()
        run.execute()
        spent, busy = time.perf_counter() - started, time.process_time() - busy
    finally:
        prepared.close()
    frames = prepared.header.source.frames or 1
    return spent * 1e3 / frames, busy * 1e3 / frames, run.folder


def ultralytics_ms(python: str, case: Case) -> float:
    """Time `predict(stream=True)` per frame in another Python; its start and first frame are left out."""
    done = subprocess.run(
        [python, "-c", PREDICT, case.drive, case.baseline], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def stages_ms(plan: RunPlan) -> dict[str, float]:
    """Time every stage alone on one thread, in processor time a frame."""
    prepared = prepare(plan)
    try:
        return _stages(prepared, RunWriter(plan.out, replace(prepared.header, run_id="stages")))
    finally:
        prepared.close()


def _stages(prepared: Prepared, writer: RunWriter) -> dict[str, float]:
    spent: dict[str, float] = {}
    frames = prepared.source.frames(StopToken())
    decoded = _timed(spent, "decode, colour", lambda: [each for each in frames if isinstance(each, Frame)])
    outputs: list[dict[Role, Any]] = [{} for _ in decoded]
    for role, model in prepared.models.items():
        workspace = model.workspace()
        _timed(spent, f"{role} preprocess", lambda: [workspace.fill(frame.image) for frame in decoded])  # noqa: B023
        _timed(spent, f"{role} all three", lambda: [
            output.update({role: model.infer(frame.image, workspace)})  # noqa: B023
            for frame, output in zip(decoded, outputs, strict=True)
        ])  # fmt: skip
        inferred = [output[role] for output in outputs]
        spent[f"{role} postprocess"] = sum(each.postprocess_ns for each in inferred) / 1e6
        whole, before = spent.pop(f"{role} all three"), spent[f"{role} preprocess"]
        spent[f"{role} run"] = whole - before - spent[f"{role} postprocess"]
    judge = Judge(prepared)
    pairs = [Paired(frame, output) for frame, output in zip(decoded, outputs, strict=True)]
    judged = _timed(spent, "judge, clips", lambda: [judge.judge(pair) for pair in pairs])
    _timed(spent, "figures, once a run", judge.figures)
    batches = [judged[first : first + 8] for first in range(0, len(judged), 8)]
    _timed(spent, "store", lambda: [
        writer.write(
            [each.frame for each in batch if each.frame is not None],
            [finding for each in batch for finding in each.findings],
            [picture for each in batch for picture in each.pictures],
        )
        for batch in batches
    ])  # fmt: skip
    writer.close()
    return {name: value / len(decoded) for name, value in spent.items()}


def _timed(spent: dict[str, float], name: str, work: Any) -> Any:
    started = time.process_time()
    result = work()
    spent[name] = (time.process_time() - started) * 1e3
    return result


def made_case(folder: Path, side: int, drive: Path, *, shadow: bool) -> Case:
    """Make detectors and the labels that fit the first one."""
    source = open_source(drive)
    image = source.frame_at(0).image
    source.close()
    models = [write_detector(folder / f"made{side}-{seed}.onnx", side, image, seed) for seed in range(1 + shadow)]
    moments: list[Moment] = []
    for model in models:
        case = Case("", drive, model, None, None)
        reader = RunReader(replay_ms(case.plan(folder))[2])
        seen = list(reader.moments())
        reader.close()
        moments = moments or seen
        scores = [moment.inferences[Role.BASELINE].detections.scores for moment in seen]
        threshold = float(np.median([each[SHOWN] for each in scores if len(each) > SHOWN]))
        model.with_suffix(".yaml").write_text(f"schema: hilgui/model.v1\nthresholds: {{score: {threshold:.5f}}}\n")
        if model is models[0]:
            truth = write_truth(folder / f"made{side}.coco.json", drive.name, moments, threshold)
    return Case(f"{side}", drive, models[0], models[1] if shadow else None, truth)


def write_truth(path: Path, drive: str, moments: list[Moment], threshold: float) -> Path:
    """Label what the model says; of every 50 frames four lack one object."""
    images, annotations = [], []
    for moment in moments:
        seq, found = moment.ref.seq, moment.inferences[Role.BASELINE].detections
        size = {"width": moment.ref.width, "height": moment.ref.height}
        images.append({"id": seq, "file_name": f"{drive}#{seq:06d}", "frame_index": seq, **size})
        for row in range(int(seq % 50 < 4), found.count_above(threshold)):
            left, top, right, bottom = found.boxes[row].tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": seq,
                    "category_id": int(found.classes[row]),
                    "bbox": [left, top, right - left, bottom - top],
                    "area": (right - left) * (bottom - top),
                    "iscrowd": 0,
                }
            )
    categories = [{"id": number, "name": f"class {number}"} for number in range(80)]
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}))
    return path


def measure(case: Case, folder: Path, rounds: int, *, stages: bool, ultralytics: str | None) -> None:
    """Run both sides in turn and print."""
    source = open_source(case.drive)
    frames = [frame for frame in itertools.islice(source.frames(StopToken()), 16) if isinstance(frame, Frame)]
    count = len(source.refs())
    source.close()
    models = [path for path in (case.baseline, case.candidate) if path is not None]
    bares = [Bare(path, frames) for path in models]
    times: dict[str, list[float]] = {name: [] for name in ("bare", "whole", "busy", "alone", "ultralytics", "sum")}
    kept = 0
    for _ in range(rounds):
        times["bare"].append(sum(bare.ms(count) for bare in bares))
        whole, busy, run = replay_ms(case.plan(folder))
        times["whole"].append(whole)
        times["busy"].append(busy)
        kept = len(list((run / "pictures").iterdir()))
        if case.candidate is not None:
            times["alone"].append(sum(replay_ms(case.plan(folder, only=role))[0] for role in Role))
        if ultralytics is not None:
            times["ultralytics"].append(ultralytics_ms(ultralytics, case))
        if stages:
            parts = stages_ms(case.plan(folder))
            times["sum"].append(sum(parts.values()) / CORES)
            for name, value in parts.items():
                times.setdefault(f"  {name}", []).append(value)
    middle = {name: statistics.median(values) for name, values in times.items() if values}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"\n{case.name}: {case.drive.name}, {count} frames, {CORES} cores, load {load:.1f}, {rounds} rounds")
    print(f"  bare session.run   {middle['bare']:8.2f} ms a frame")
    print(f"  whole replay       {middle['whole']:8.2f} ms, of it processor {middle['busy']:.2f}; {kept} pictures kept")
    show_ratio("whole / bare", times["whole"], times["bare"])
    used = [busy / whole / CORES for busy, whole in zip(times["busy"], times["whole"], strict=True)]
    print(f"  cores used         {100 * statistics.median(used):8.0f} % of {CORES} (the others had what is missing)")
    if case.candidate is not None:
        show_ratio("shadow / the two one after the other", times["whole"], times["alone"])
    if ultralytics is not None:
        print(f"  ultralytics        {middle['ultralytics']:8.2f} ms a frame")
        show_ratio("ultralytics / whole", times["ultralytics"], times["whole"])
    if stages:
        print(f"  stages alone, processor time: their sum by {CORES} cores is {middle['sum']:.2f} ms a frame")
        show_ratio("stages / processor time of the replay", [each * CORES for each in times["sum"]], times["busy"])
        for name, value in middle.items():
            if name.startswith("  "):
                print(f"  {name:28} {value:8.3f} ms")


def show_ratio(name: str, above: list[float], below: list[float]) -> None:
    """Print the median of the ratios and each of them."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    print(f"  {name}: {statistics.median(ratios):.2f}  ({', '.join(f'{each:.2f}' for each in ratios)})")


def main() -> None:
    """Make what is asked for, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="*", default=[640, 320], help="sides of made detectors")
    parser.add_argument("--nano", type=Path, help="one more model on the made drive, without labels")
    parser.add_argument("--drive", type=Path)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--candidate", type=Path)
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shadow", action="store_true")
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--ultralytics", metavar="PYTHON")
    given = parser.parse_args()
    sys.setswitchinterval(0.0005)  # these two as in the engine process
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.drive is not None:
            baseline = given.baseline or shipped("assets/demo") / "baseline.onnx"
            cases = [Case(baseline.stem, given.drive, baseline, given.candidate, find_truth(given.drive))]
        else:
            drive = make_video(folder / "made.mp4", frames=given.frames)
            cases = [made_case(folder, side, drive, shadow=given.shadow) for side in given.cases]
            if given.nano is not None:
                cases.append(Case(given.nano.stem, drive, given.nano, None, None))
        for case in cases:
            measure(case, folder, given.rounds, stages=given.stages, ultralytics=given.ultralytics)


if __name__ == "__main__":
    main()
