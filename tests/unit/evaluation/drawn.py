"""Frames drawn by hand or by a seeded generator, as moments of one model."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from hilgui.evaluation import DetectionQuality, Subject, compare
from hilgui.records import Detections, FrameHealth, FrameRef, Inference, Moment, Role, Truth, Vocabulary

NAMES = ("car", "person")
SUBJECT = Subject(Role.BASELINE, Vocabulary(NAMES, frozenset({0, 1})), 0.5)

Shown = tuple[tuple[float, float, float, float], int, float]  # box, class, score
There = tuple[tuple[float, float, float, float], int]


def moment(seq: int, shown: list[Shown], there: list[There]) -> Moment:
    shown = sorted(shown, key=lambda row: -row[2])
    found = Detections(
        np.array([row[0] for row in shown], np.float32).reshape(-1, 4),
        np.array([row[2] for row in shown], np.float32),
        np.array([row[1] for row in shown], np.int32),
    )
    truth = Truth.of(np.array([row[0] for row in there]), np.array([row[1] for row in there], np.int32))
    ref = FrameRef(seq, f"drawn#{seq}", seq / 10, datetime(2026, 1, 1, tzinfo=UTC), seq, 200, 200)
    comparison = compare(found, truth, SUBJECT.threshold, SUBJECT.vocabulary.judged)
    inference = Inference(found, 0, 0, 0)
    health = FrameHealth(1.0, 1.0, 0.0, math.nan)
    return Moment(ref, health, truth, {Role.BASELINE: inference}, {Role.BASELINE: comparison})


def quality(frames: list[tuple[list[Shown], list[There]]]) -> DetectionQuality:
    made = DetectionQuality(SUBJECT)
    made.start_drive("drawn")
    for seq, (shown, there) in enumerate(frames):
        made.add(moment(seq, shown, there))
    return made


def noisy(frames: int, seed: int, miss: float = 0.2) -> list[tuple[list[Shown], list[There]]]:
    """A model that misses some, shifts some, and invents some."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(frames):
        there: list[There] = []
        shown: list[Shown] = []
        for _ in range(int(rng.integers(0, 4))):
            x, y = rng.uniform(0, 150, 2)
            number = int(rng.integers(0, 2))
            there.append(((x, y, x + 40, y + 40), number))
            if rng.random() > miss:
                shift = rng.normal(0, 5, 2)
                box = (x + shift[0], y + shift[1], x + shift[0] + 40, y + shift[1] + 40)
                shown.append((box, number if rng.random() > 0.1 else 1 - number, float(rng.uniform(0.3, 1))))
        if rng.random() < 0.3:
            x, y = rng.uniform(0, 150, 2)
            shown.append(((x, y, x + 30, y + 30), int(rng.integers(0, 2)), float(rng.uniform(0.1, 0.8))))
        drawn.append((shown, there))
    return drawn
