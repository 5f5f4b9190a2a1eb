"""A small run on disk for the tests of the Replay page: a rendered video, its truth, two models, their findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import compare, iou_matrix
from hilgui.records import (
    Detections,
    Disagreement,
    Fate,
    Finding,
    FoundObject,
    FrameHealth,
    FrameRef,
    Inference,
    Kind,
    Ledger,
    Loss,
    ModelFacts,
    Moment,
    Outcome,
    People,
    Role,
    RunHeader,
    Severity,
    SourceFacts,
    Truth,
    TruthFacts,
    Verdict,
    Vocabulary,
)
from hilgui.sources import source_for
from hilgui.store import RunWriter

FPS = 30
WIDTH, HEIGHT = 320, 180
NAMES = ("person", "car")
PERSON, CAR = 0, 1
MISSED = range(20, 36)  # the candidate does not see the person
WORST = 28
PHANTOM = range(44, 50)  # the baseline sees a car in the sky
UNLABELLED = range(54, 60)
BITS = 7
START = datetime(2026, 1, 5, 22, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Made:
    """Where things are."""

    folder: Path
    video: Path
    frames: int


def frame_image(seq: int) -> NDArray[np.uint8]:
    """Draw a frame; blocks at the top left are the bits of its number, so that a test can read which one it sees."""
    image = np.full((HEIGHT, WIDTH, 3), (60, 50, 40), np.uint8)
    image[HEIGHT // 2 :] = (70, 70, 70)
    for box, colour in ((person_box(seq), (80, 160, 220)), (car_box(seq), (200, 90, 60))):
        x1, y1, x2, y2 = (round(value) for value in box)
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, -1)
    for bit in range(BITS):
        image[:16, bit * 16 : bit * 16 + 16] = 230 if seq >> bit & 1 else 20
    return image


def number_in(brightness_at: Callable[[int, int], float]) -> int:
    """Read the number of a frame from the blocks at its top; `brightness_at` looks at a pixel (x, y)."""
    return sum((brightness_at(bit * 16 + 8, 8) > 125) << bit for bit in range(BITS))


def person_box(seq: int) -> tuple[float, float, float, float]:
    left = 30.0 + seq
    return (left, 80.0, left + 22, 140.0)


def car_box(seq: int) -> tuple[float, float, float, float]:
    left = 220.0 - seq / 2
    return (left, 90.0, left + 60, 130.0)


def write_video(path: Path, frames: int) -> None:
    """Encode with key frames far apart, so that going back costs something."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": "30", "crf": "12", "bf": "2"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for seq in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_image(seq), format="bgr24")))
        container.mux(stream.encode())


def header_of(facts: SourceFacts, *, run_id: str = "20260105-220000-night") -> RunHeader:
    return RunHeader(
        run_id=run_id,
        created=START.isoformat(),
        version="0.1.0",
        commit="",
        command=("hilgui", "replay", facts.name),
        settings={},
        host={"machine": "test"},
        people=People(operator="tester"),
        source=facts,
        truth=TruthFacts("drive.coco.json", "0" * 64, "coco", "frame", facts.frames or 0),
        models={role: model_facts(role) for role in Role},
        vocabulary=Vocabulary(NAMES, frozenset({PERSON, CAR})),
        speed="max",
        workers=2,
    )


def model_facts(role: Role) -> ModelFacts:
    return ModelFacts(
        name=f"demo-{role.value}",
        path=f"{role.value}.onnx",
        sha256="0" * 64,
        adapter="dense_boxes",
        provider="CPUExecutionProvider",
        device="CPU",
        threads=1,
        threshold=0.35,
        nms_iou=0.65,
        input_width=320,
        input_height=192,
        classes=NAMES,
    )


def ref_of(seq: int) -> FrameRef:
    time_s = seq / FPS
    return FrameRef(
        seq, f"drive.mp4#{seq:06d}", time_s, START + timedelta(seconds=time_s), int(time_s * 1e9), WIDTH, HEIGHT
    )


def moment_of(seq: int) -> Moment:
    truth = None
    if seq not in UNLABELLED:
        truth = Truth.of(
            np.array([person_box(seq), car_box(seq)]),
            np.array([PERSON, CAR], np.int32),
            tracks=np.array([7, 9]),
            distance_m=np.array([14.5, 31.0], np.float32),
            occlusion=np.array([0.0, 0.2], np.float32),
        )
    baseline = [(person_box(seq), 0.71, PERSON), (car_box(seq), 0.88, CAR)]
    if seq in PHANTOM:
        baseline.append(((140.0, 8.0, 190.0, 40.0), 0.66, CAR))
    candidate = [(person_box(seq), 0.12 if seq in MISSED else 0.64, PERSON), (car_box(seq), 0.91, CAR)]
    rows = {Role.BASELINE: _detections(baseline), Role.CANDIDATE: _detections(candidate)}
    inferences = {
        role: Inference(detections, 400_000, 4_000_000 + 50_000 * (seq % 7), 300_000)
        for role, detections in rows.items()
    }
    judged = frozenset({PERSON, CAR})
    comparisons = {}
    if truth is not None:
        comparisons = {role: compare(detections, truth, 0.35, judged) for role, detections in rows.items()}
    return Moment(ref_of(seq), FrameHealth(60.0, 20.0, 0.0, 1.5), truth, inferences, comparisons, _disagreement(rows))


def _detections(rows: list[tuple[tuple[float, float, float, float], float, int]]) -> Detections:
    rows = sorted(rows, key=lambda row: -row[1])
    boxes = np.array([row[0] for row in rows], np.float32) + np.float32(0.4)
    scores = np.array([row[1] for row in rows], np.float32)
    return Detections(boxes, scores, np.array([row[2] for row in rows], np.int32))


def _disagreement(rows: dict[Role, Detections]) -> Disagreement:
    kept = {role: detections.first(detections.count_above(0.35)) for role, detections in rows.items()}
    baseline, candidate = kept[Role.BASELINE], kept[Role.CANDIDATE]
    same = iou_matrix(baseline.boxes, candidate.boxes) >= 0.5
    alone = np.flatnonzero(~same.any(axis=1)).astype(np.int32)
    other = np.flatnonzero(~same.any(axis=0)).astype(np.int32)
    total = len(baseline) + len(candidate)
    return Disagreement((len(alone) + len(other)) / total if total else 0.0, alone, other)


def findings() -> tuple[Finding, ...]:
    return (
        _finding(
            1,
            Kind.PHANTOM,
            Severity.MEDIUM,
            Role.BASELINE,
            PHANTOM,
            46,
            "car reported with score .66 where the truth has nothing (best IoU .00)",
            FoundObject("car", (140.0, 8.0, 190.0, 40.0), 3, 0.66),
        ),
        _finding(
            2,
            Kind.MISSED_OBJECT,
            Severity.HIGH,
            Role.CANDIDATE,
            MISSED,
            WORST,
            "person 7 at 14.5 m was missed for 16 frames; best score .12, threshold .35",
            FoundObject("person", person_box(WORST), 7, None, 14.5),
        ),
        _finding(3, Kind.DISAGREEMENT, Severity.LOW, None, MISSED, 25, "the models disagree: .33 over 16 frames"),
    )


def _finding(
    number: int,
    kind: Kind,
    severity: Severity,
    role: Role | None,
    frames: range,
    worst: int,
    why: str,
    *objects: FoundObject,
) -> Finding:
    last = frames[-1]
    return Finding(
        number=number,
        kind=kind,
        severity=severity,
        role=role,
        first_seq=frames[0],
        last_seq=last,
        worst_seq=worst,
        frames=len(frames),
        first_s=frames[0] / FPS,
        last_s=last / FPS,
        worst_s=worst / FPS,
        why=why,
        objects=objects,
        evidence={"frames": float(len(frames))},
        clip_first=max(frames[0] - 10, 0),
        clip_last=last + 10,
    )


def make_run(
    root: Path, *, frames: int = 60, lost: frozenset[int] = frozenset(), finish: bool = True, last: int | None = None
) -> Made:
    """Render, encode, judge and store, up to the frame `last`; clips keep the frames around the missed person."""
    root.mkdir(parents=True, exist_ok=True)
    video = root / "drive.mp4"
    write_video(video, frames)
    source = source_for(video)
    facts = source.open()
    source.close()
    if last is not None:
        facts, frames = replace(facts, frames=last + 1, of_frames=facts.frames), last + 1
    writer = RunWriter(root / "runs", header_of(facts))
    rows = [
        Loss(ref_of(seq), Fate.DROPPED, "the source was faster") if seq in lost else moment_of(seq)
        for seq in range(frames)
    ]
    writer.write(rows, findings())
    for seq in range(MISSED[0] - 10, MISSED[-1] + 11):
        cv2.imwrite(str(writer.folder / "pictures" / f"{seq:08d}.jpg"), frame_image(seq))
    if finish:
        labelled = sum(isinstance(row, Moment) and row.truth is not None for row in rows)
        dropped = sum(isinstance(row, Loss) for row in rows)
        writer.finish(Verdict(Outcome.PASS), Ledger(frames, frames - dropped, dropped, 0, labelled))
    return Made(writer.folder, video, frames)
