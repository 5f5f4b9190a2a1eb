"""A small night drive with two simulated models: boxes are drawn, judged and stored by the real code."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from hilgui.evaluation import AveragePrecision, compare
from hilgui.records import (
    Detections,
    Fate,
    Finding,
    FoundObject,
    Frame,
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
from hilgui.settings import ClipSettings
from hilgui.shadow import disagree
from hilgui.store import ClipKeeper, RunWriter

FRAMES, WIDTH, HEIGHT, FPS = 60, 320, 180, 30.0
LOST = {20: (Fate.DROPPED, "decoder gave up"), 21: (Fate.SKIPPED, "outside the range")}
UNLABELLED = 59
NAMES = ("car", "person", "bus")
STARTED = datetime(2026, 1, 31, 14, 22, 33, tzinfo=UTC)


def model_facts(name: str) -> ModelFacts:
    return ModelFacts(
        name=name,
        path=f"{name}.onnx",
        sha256=name[0] * 64,
        adapter="dense_boxes",
        provider="CPUExecutionProvider",
        device="cpu",
        threads=1,
        threshold=0.4,
        nms_iou=0.65,
        input_width=320,
        input_height=192,
        classes=NAMES,
    )


def header(run_id: str = "20260131-142233-night-3f9a", *, roles: tuple[Role, ...] = tuple(Role)) -> RunHeader:
    return RunHeader(
        run_id=run_id,
        created=STARTED.isoformat(),
        version="0.1.0",
        commit="abc1234",
        command=("hilgui", "replay", "night.mp4"),
        settings={"workers": 1},
        host={"system": "Linux"},
        people=People(operator="Ada <&> Co", notes="first light", tickets=("REQ-7",)),
        source=SourceFacts("night.mp4", "video", "night.mp4", "d" * 64, WIDTH, HEIGHT, FPS, FRAMES, True),
        truth=TruthFacts(
            "night.coco.json", "e" * 64, "coco", "key", FRAMES - 1, conditions={"day_part": "night", "weather": "rain"}
        ),
        models={role: model_facts(role.value) for role in roles},
        vocabulary=Vocabulary(NAMES, frozenset({0, 1, 2})),
        speed="max",
        workers=1,
    )


def ref_of(seq: int) -> FrameRef:
    return FrameRef(
        seq,
        f"night.mp4#{seq:06d}",
        seq / FPS,
        STARTED + timedelta(seconds=seq / FPS),
        10**9 + seq * 10**7,
        WIDTH,
        HEIGHT,
    )


def truth_of(seq: int) -> Truth | None:
    """One car that comes closer, two persons, one of them far away, one region that nobody judges."""
    if seq == UNLABELLED:
        return None
    grow = seq / FRAMES
    boxes = [
        [100 - 20 * grow, 90, 150 + 20 * grow, 130 + 20 * grow],
        [200 + 20 * grow, 70, 215 + 25 * grow, 110 + 40 * grow],
        [30, 80, 38, 100],
        [260, 10, 310, 40],
    ]
    truth = Truth.of(
        np.array(boxes),
        np.array([0, 1, 1, -1], np.int32),
        tracks=np.array([1, 2, 3, -1]),
        ignore=np.array([False, False, False, True]),
        distance_m=np.array([20 - 10 * grow, 25 - 15 * grow, 60, np.nan], np.float32),
        occlusion=np.array([0, 0.1, 0, np.nan], np.float32),
    )
    return replace(truth, tags=((), (("clothing", "bright"),), (("clothing", "dark"),), ()))


def output_of(role: Role, seq: int, rng: np.random.Generator) -> Inference:
    """The baseline finds the car and both persons; the candidate loses the far one, the near one at first."""
    truth = truth_of(min(seq, UNLABELLED - 1))
    assert truth is not None
    rows = [0, 1, 2] if role is Role.BASELINE else [0, 1] if seq > 40 else [0]
    boxes = [truth.boxes[row] + rng.normal(0, 0.4, 4) for row in rows]
    scores = [float(rng.uniform(0.6, 0.95)) for _ in rows]
    classes = [int(truth.classes[row]) for row in rows]
    if role is Role.CANDIDATE and 10 <= seq < 18:  # a phantom bus
        boxes.append(np.array([250.0, 100, 300, 150]))
        scores.append(0.55)
        classes.append(2)
    for _ in range(4):  # what only AP looks at
        x, y = rng.uniform(0, 250), rng.uniform(0, 140)
        boxes.append(np.array([x, y, x + 30, y + 20]))
        scores.append(float(rng.uniform(0.001, 0.3)))
        classes.append(int(rng.integers(0, 3)))
    order = np.argsort(-np.array(scores), kind="stable")
    detections = Detections(
        np.array(boxes, np.float32)[order], np.array(scores, np.float32)[order], np.array(classes, np.int32)[order]
    )
    slow = 1.0 if role is Role.BASELINE else 0.5
    return Inference(detections, 400_000, round(5_000_000 * slow + rng.integers(0, 10**6)), 200_000)


def moment_of(seq: int, head: RunHeader, rng: np.random.Generator) -> Moment:
    truth = truth_of(seq)
    outputs = {role: output_of(role, seq, rng) for role in head.models}
    judged = head.vocabulary.judged
    comparisons = {}
    if truth is not None:
        comparisons = {role: compare(out.detections, truth, 0.4, judged) for role, out in outputs.items()}
    differs = None
    if len(outputs) == 2:
        differs = disagree(outputs[Role.BASELINE].detections, outputs[Role.CANDIDATE].detections, (0.4, 0.4), judged)
    health = FrameHealth(30.0, 12.0, 0.0, math.nan if seq == 0 else 2.0)
    return Moment(ref_of(seq), health, truth, outputs, comparisons, differs)


def picture_of(seq: int) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), (40, 25, 20), np.uint8)
    image[90:] = 60
    truth = truth_of(min(seq, UNLABELLED - 1))
    assert truth is not None
    for (x1, y1, x2, y2), colour in zip(truth.boxes[:3].astype(int), (150, 200, 120), strict=True):
        image[y1:y2, x1:x2] = colour
    return image


def findings_of(roles: tuple[Role, ...]) -> list[Finding]:
    person = FoundObject("person", (203.0, 70.0, 219.0, 118.0), 2, distance_m=22.0)
    missed = Finding(
        number=1,
        kind=Kind.MISSED_OBJECT,
        severity=Severity.HIGH,
        role=roles[-1],
        first_seq=0,
        last_seq=40,
        worst_seq=12,
        frames=39,
        first_s=0.0,
        last_s=40 / FPS,
        worst_s=12 / FPS,
        why="person <2>, 48 px high at 22 m, was missed on 39 frames & more",
        objects=(person,),
        evidence={"height_px": 48.0, "best_iou": math.nan},
        clip_first=0,
        clip_last=59,
    )
    bus = FoundObject("bus", (250.0, 100.0, 300.0, 150.0), 9, score=0.55)
    phantom = replace(
        missed,
        number=2,
        kind=Kind.PHANTOM,
        severity=Severity.MEDIUM,
        first_seq=10,
        last_seq=17,
        worst_seq=12,
        frames=8,
        first_s=10 / FPS,
        last_s=17 / FPS,
        why="bus with score 0.55 where nothing is labelled",
        objects=(bus,),
    )
    return [missed, phantom]


def write_run(root: Path, head: RunHeader, *, finish: bool = True) -> Path:
    """Write the drive as the pipeline does; frames 20 and 21 are lost, the last has no labels."""
    rng = np.random.default_rng(7)
    writer = RunWriter(root, head)
    roles = tuple(head.models)
    keeper = ClipKeeper(ClipSettings())
    precision = {role: AveragePrecision(head.vocabulary.judged) for role in roles}
    for seq in range(FRAMES):
        if seq in LOST:
            writer.write([Loss(ref_of(seq), *LOST[seq])])
            continue
        moment = moment_of(seq, head, rng)
        pictures = keeper.push(Frame(ref_of(seq), picture_of(seq)))
        if seq == 12:
            pictures += keeper.keep_around(moment.ref.time_s, Severity.HIGH)
        writer.write([moment], (), pictures)
        if moment.truth is not None:
            for role in roles:
                precision[role].add(moment.inferences[role].detections, moment.truth)
    writer.write([], findings_of(roles))
    if finish:
        writer.put(
            "figures", {role.value: figures.figures().as_json(head.vocabulary) for role, figures in precision.items()}
        )
        writer.put("wall_s", 2.9)
        ledger = Ledger(FRAMES, FRAMES - 2, 1, 1, FRAMES - 3, 0, (("decoder gave up", 1), ("outside the range", 1)))
        writer.finish(Verdict(Outcome.INCONCLUSIVE, ("2 of 60 frames were lost",)), ledger)
    writer.close()
    return writer.folder
