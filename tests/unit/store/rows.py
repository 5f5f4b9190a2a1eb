"""Small headers and moments for store tests."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np

from hilgui.records import (
    Comparison,
    Detections,
    Disagreement,
    Finding,
    FoundObject,
    FrameHealth,
    FrameRef,
    Inference,
    Kind,
    ModelFacts,
    Moment,
    People,
    Role,
    RunHeader,
    Severity,
    SourceFacts,
    Truth,
    Vocabulary,
)

STARTED = datetime(2026, 1, 31, 14, 22, 33, tzinfo=UTC)


def header(run_id: str = "20260131-142233-drive-0001") -> RunHeader:
    model = ModelFacts("m", "m.onnx", "0" * 64, "yolox", "CPUExecutionProvider", "cpu", 1, 0.5, 0.65, 64, 64, ("car",))
    return RunHeader(
        run_id=run_id,
        created=STARTED.isoformat(),
        version="0.1.0",
        commit="",
        command=("hilgui", "replay"),
        settings={},
        host={"system": "test"},
        people=People(tickets=("A-1", "A-2")),
        source=SourceFacts("drive.mp4", "video", "drive.mp4", "1" * 64, 64, 64, 30.0, None, True),
        truth=None,
        models={Role.BASELINE: model, Role.CANDIDATE: model},
        vocabulary=Vocabulary(("car", "person"), frozenset({0})),
        speed="max",
        workers=2,
    )


def ref(seq: int) -> FrameRef:
    return FrameRef(seq, f"drive.mp4#{seq:06d}", seq / 30, STARTED + timedelta(seconds=seq / 30), 10**9 + seq, 64, 64)


def detections(count: int, seed: int = 0) -> Detections:
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(0, 64, (count, 4)).astype(np.float32)
    scores = np.sort(rng.uniform(0.001, 1, count).astype(np.float32))[::-1].copy()
    return Detections(boxes, scores, rng.integers(0, 2, count).astype(np.int32))


def moment(seq: int, boxes: int = 10) -> Moment:
    found = detections(boxes, seq)
    above = found.count_above(0.5)
    truth = Truth.of(np.array([[1.0, 2, 30, 40]]), np.array([0], np.int32), tracks=np.array([7]))
    comparison = Comparison(
        np.array([2], np.uint8), np.full(above, 2, np.uint8), np.full(above, -1, np.int32), np.zeros(above, np.float32)
    )
    inference = Inference(found, 100_000, 4_000_000 + seq, 50_000)
    return Moment(
        ref(seq),
        FrameHealth(80.0, 20.0, 0.0, math.nan if seq == 0 else 1.0),
        truth,
        dict.fromkeys(Role, inference),
        dict.fromkeys(Role, comparison),
        Disagreement(0.25, np.array([0], np.int32), np.empty(0, np.int32)),
    )


def finding(number: int, first_seq: int = 0, last_seq: int = 3, *, first_s: float | None = None) -> Finding:
    return Finding(
        number=number,
        kind=Kind.PHANTOM,
        severity=Severity.LOW,
        role=Role.BASELINE,
        first_seq=first_seq,
        last_seq=last_seq,
        worst_seq=first_seq,
        frames=last_seq - first_seq + 1,
        first_s=first_seq / 30 if first_s is None else first_s,
        last_s=last_seq / 30 if first_s is None else first_s,
        worst_s=first_seq / 30 if first_s is None else first_s,
        why="a car that is not there",
        objects=(FoundObject("car", (1.0, 2.0, 3.0, 4.0), 5, 0.9, None),),
        evidence={"score": 0.9},
    )
