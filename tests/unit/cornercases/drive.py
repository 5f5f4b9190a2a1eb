"""A drive on paper: moments made of a few boxes, judged by the real comparison."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from hilgui.cornercases import CornerCase, RunContext, SelfNoise
from hilgui.cornercases.missed_critical import MissedCritical
from hilgui.cornercases.missed_object import MissedObject
from hilgui.evaluation import compare
from hilgui.evaluation.geometry import CameraGeometry
from hilgui.records import (
    NO_TRACK,
    Detections,
    FrameHealth,
    FrameRef,
    Hit,
    Inference,
    Moment,
    Role,
    Truth,
    Vocabulary,
)
from hilgui.settings import CornerCaseLimits
from hilgui.shadow import disagree

NAMES = ("person", "car", "truck", "tree")
PERSON, CAR, TRUCK, TREE = range(4)
JUDGED = frozenset({PERSON, CAR, TRUCK})
THRESHOLD = 0.4
FPS = 30
WIDTH, HEIGHT = 960, 540
CAMERA = CameraGeometry(640, 640, 480, 270, 1.4, 0.0, WIDTH, HEIGHT)
B, C = Role.BASELINE, Role.CANDIDATE

Corners = tuple[float, float, float, float]
Seen = tuple[int, Corners, float]  # class, box, score


@dataclass(frozen=True)
class Known:
    """One labelled object."""

    classed: int
    box: Corners
    track: int = NO_TRACK
    distance_m: float = math.nan
    occlusion: float = math.nan
    ignore: bool = False
    crowd: bool = False


def context(
    limits: CornerCaseLimits | None = None,
    *,
    ordered: bool = True,
    candidate: bool = True,
    real_time: bool = False,
    camera: CameraGeometry | None = None,
    noise: SelfNoise | None = None,
) -> RunContext:
    roles = (B, C) if candidate else (B,)
    return RunContext(
        limits=limits or CornerCaseLimits(),
        vocabulary=Vocabulary(NAMES, JUDGED),
        thresholds=dict.fromkeys(roles, THRESHOLD),
        period_s=1 / FPS if ordered else None,
        real_time=real_time,
        camera=camera,
        noise=noise or SelfNoise(),
    )


def moment(
    seq: int,
    *,
    truth: Iterable[Known] | None = None,
    seen: Mapping[Role, Iterable[Seen]] | None = None,
    latency_ms: float = 10.0,
    mean: float = 100.0,
    change: float = 5.0,
    ordered: bool = True,
    health: FrameHealth | None = None,
    time_s: float | None = None,
    invalid: int = 0,
) -> Moment:
    inferences = {role: _inference(list(rows), latency_ms, invalid) for role, rows in (seen or {B: []}).items()}
    labels = None if truth is None else _truth(list(truth))
    comparisons = {}
    if labels is not None:
        comparisons = {
            role: compare(inference.detections, labels, THRESHOLD, JUDGED) for role, inference in inferences.items()
        }
    differs = None
    if C in inferences:
        both = inferences[B].detections, inferences[C].detections
        differs = disagree(*both, (THRESHOLD, THRESHOLD), JUDGED)
    return Moment(
        ref=FrameRef(
            seq=seq,
            key=f"{seq:06d}",
            time_s=time_s if time_s is not None else seq / FPS if ordered else math.nan,
            stamp=datetime(2026, 1, 1, tzinfo=UTC),
            captured_ns=seq * 33_000_000,
            width=WIDTH,
            height=HEIGHT,
        ),
        health=health or FrameHealth(mean=mean, deviation=30.0, saturated=0.0, change=change, sharpness=400.0),
        truth=labels,
        inferences=inferences,
        comparisons=comparisons,
        disagreement=differs,
    )


def look(detector: CornerCase | Misses, moments: Iterable[Moment]) -> list[Hit]:
    return [hit.told() for each in moments for hit in detector.look(each)]


class Misses:
    """Both halves of the misses, critical or not, as the watch asks them."""

    def __init__(self, of: RunContext) -> None:
        self._halves = (MissedCritical(of), MissedObject(of))

    def look(self, moment: Moment) -> list[Hit]:
        hits = [hit for half in self._halves for hit in half.look(moment)]
        return sorted(hits, key=lambda hit: (hit.role or "", hit.thread, hit.seq))


def seqs(hits: Iterable[Hit]) -> list[int]:
    return [hit.seq for hit in hits]


def _inference(rows: list[Seen], latency_ms: float, invalid: int) -> Inference:
    rows = sorted(rows, key=lambda row: -row[2])
    detections = Detections(
        np.array([box for _, box, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for *_, score in rows], np.float32),
        np.array([classed for classed, *_ in rows], np.int32),
    )
    return Inference(detections, 1_000_000, round(latency_ms * 1e6) - 2_000_000, 1_000_000, invalid)


def _truth(rows: list[Known]) -> Truth:
    return Truth.of(
        np.array([row.box for row in rows], np.float64).reshape(-1, 4),
        np.array([row.classed for row in rows], np.int32),
        tracks=np.array([row.track for row in rows], np.int64),
        distance_m=np.array([row.distance_m for row in rows], np.float32),
        occlusion=np.array([row.occlusion for row in rows], np.float32),
        ignore=np.array([row.ignore for row in rows], np.bool_),
        crowd=np.array([row.crowd for row in rows], np.bool_),
    )
