"""Makes stored runs of two models over many drives with few frames: what a gate decides from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hilgui.evaluation import compare
from hilgui.numerals import number_of
from hilgui.records import (
    Detections,
    Disagreement,
    FrameHealth,
    FrameRef,
    Inference,
    Ledger,
    ModelFacts,
    Moment,
    Outcome,
    People,
    Role,
    RunHeader,
    SourceFacts,
    Truth,
    TruthFacts,
    Verdict,
    Vocabulary,
)
from hilgui.store import RunWriter

START = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)
PEOPLE, FRAMES = 6, 12
JUDGED = frozenset({0})
HASHES = {Role.BASELINE: "a" * 64, Role.CANDIDATE: "b" * 64}
SPECIFICATION = """\
schema: hilgui/gate.v1
name: front-detector
subject: {stage: shadow}
data: {min_clusters: 12, min_frames: 100}
statistics: {rollback: {min_clusters: 8}}
invariants:
  - {id: finite-outputs, metric: candidate.nonfinite_outputs, limit: "== 0"}
  - {id: latency, metric: candidate.latency_p99_ms, limit: "<= 33.3"}
gates:
  - {id: person-recall, metric: recall.person, role: non_inferiority, margin: 0.05, better: higher}
  - {id: map, metric: map_50_95, role: non_inferiority, margin: 0.05, better: higher}
  - {id: gain, metric: map_50_95, role: superiority, better: higher}
"""


@dataclass(frozen=True, slots=True)
class Skill:
    """How a model does: the share of people it misses, and how far its boxes are off."""

    misses: float = 0.15
    off_px: float = 3.0
    latency_ms: float = 12.0


BASELINE = Skill()
BETTER = Skill(misses=0.03, off_px=0.8)
WORSE = Skill(misses=0.45, off_px=0.8)
SLOW = Skill(misses=0.03, off_px=0.8, latency_ms=48.0)


def paired_runs(
    root: Path,
    candidate: Skill,
    *,
    drives: int = 12,
    provider: str = "CPUExecutionProvider",
    hashes: dict[Role, str] | None = None,
    lost: int = 0,
) -> list[Path]:
    """Write one run a drive; the drives are the same for every candidate."""
    return [
        paired_run(root, number, candidate, provider=provider, hashes=hashes, lost=lost) for number in range(drives)
    ]


def paired_run(
    root: Path,
    number: int,
    candidate: Skill,
    *,
    again: int = 0,
    changed: bool = False,
    provider: str = "CPUExecutionProvider",
    hashes: dict[Role, str] | None = None,
    lost: int = 0,
    frames: int = FRAMES,
    corrupt: tuple[str, ...] = (),
    outcome: Outcome | None = None,
    reasons: tuple[str, ...] = (),
    adjust: Callable[[RunHeader], RunHeader] = lambda header: header,
) -> Path:
    """Write the run of a drive; `again` counts its repetitions, one of which may answer otherwise (`changed`)."""
    header = header_of(number, again, provider, hashes or HASHES)
    part = FRAMES if frames < FRAMES and outcome is None else None
    source = replace(header.source, frames=frames, of_frames=part, corrupt=corrupt)
    header = adjust(replace(header, source=source))
    writer = RunWriter(root, header)
    chance = {Role.BASELINE: np.random.default_rng(1000 + number), Role.CANDIDATE: np.random.default_rng(2000 + number)}
    if changed:
        chance[Role.CANDIDATE] = np.random.default_rng(3000 + number)
    skills = {Role.BASELINE: BASELINE, Role.CANDIDATE: candidate}
    writer.write([_moment(header, seq, skills, chance) for seq in range(frames)])
    ended = outcome or (Outcome.INCONCLUSIVE if lost else Outcome.PASS)
    why = (("could not be read", lost),) if lost else ()
    told = (*(f"{number_of(count, 'frame')} {reason}" for reason, count in why), *reasons)
    counts = Ledger(captured=frames + lost, evaluated=frames, dropped=lost, with_truth=frames, reasons=why)
    writer.finish(Verdict(ended, told), counts)
    return writer.folder


def header_of(number: int, again: int, provider: str, hashes: dict[Role, str]) -> RunHeader:
    drive = f"drive-{number:02d}"
    created = START + timedelta(minutes=number, hours=again)
    classes = ("person",)
    model = ModelFacts("m", "m.onnx", "", "yolox", provider, "cpu", 1, 0.5, 0.65, 640, 360, classes)
    return RunHeader(
        run_id=f"{created:%Y%m%d-%H%M%S}-{drive}-{again:04x}",
        created=created.isoformat(),
        version="0.1.0",
        commit="",
        command=("hilgui", "replay", f"{drive}.mp4"),
        settings={},
        host={"system": "test"},
        people=People(),
        source=SourceFacts(
            f"{drive}.mp4", "video", f"{drive}.mp4", hashlib.sha256(drive.encode()).hexdigest(), 640, 360, 30.0,
            FRAMES, True,
        ),
        truth=TruthFacts("labels.json", "c" * 64, "coco", "frame", FRAMES),
        models={role: replace(model, name=role.value, sha256=hashes[role]) for role in Role},
        vocabulary=Vocabulary(classes, JUDGED),
        speed="max",
        workers=1,
    )  # fmt: skip


def _moment(header: RunHeader, seq: int, skills: dict[Role, Skill], chance: dict[Role, np.random.Generator]) -> Moment:
    stamp = START + timedelta(seconds=seq / 30)
    ref = FrameRef(seq, f"{header.source.name}#{seq:06d}", seq / 30, stamp, 10**9 + seq * 33_000_000, 640, 360)
    left = 20.0 + 100 * np.arange(PEOPLE)
    boxes = np.stack([left, np.full(PEOPLE, 120.0), left + 40, np.full(PEOPLE, 220.0)], axis=1)
    truth = Truth.of(
        boxes,
        np.zeros(PEOPLE, np.int32),
        tracks=np.arange(PEOPLE),
        distance_m=np.full(PEOPLE, 12.0, np.float32),
        occlusion=np.zeros(PEOPLE, np.float32),
    )
    found = {role: _seen(boxes, skills[role], chance[role]) for role in Role}
    inferences = {role: Inference(found[role], 100_000, round(skills[role].latency_ms * 1e6), 50_000) for role in Role}
    comparisons = {role: compare(found[role], truth, 0.5, JUDGED) for role in Role}
    apart = Disagreement(0.0, np.empty(0, np.int32), np.empty(0, np.int32))
    return Moment(ref, FrameHealth(80.0, 20.0, 0.0, 1.0), truth, inferences, comparisons, apart)


def _seen(boxes: NDArray[np.float64], skill: Skill, chance: np.random.Generator) -> Detections:
    seen = boxes[chance.random(len(boxes)) >= skill.misses]
    rows = (seen + chance.normal(0, skill.off_px, seen.shape)).astype(np.float32)
    scores = np.sort(chance.uniform(0.6, 0.95, len(rows)).astype(np.float32))[::-1].copy()
    return Detections(rows, scores, np.zeros(len(rows), np.int32))
