"""Plays a golden clip through a model; the registry is handed this to prove what it puts into use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from hilgui.inference import Model
from hilgui.models import Golden, clip_sha256
from hilgui.records import Frame
from hilgui.sources import source_for
from hilgui.stream import StopToken


def replay_golden(model_path: Path, clip: Path, *, frames: int | None = None) -> Golden:
    """Give what a model says to a clip, or to its first `frames`; raises HilguiError.

    On the CPU with one thread, so that machines agree.
    """
    source = source_for(clip, None, None)
    model = Model.load(model_path, provider="cpu", threads=1)
    try:
        source.open()
        workspace = model.workspace()
        seen = 0
        counts: Counter[str] = Counter()
        scores: list[float] = []
        boxes: list[np.ndarray] = []
        for frame in source.frames(StopToken()):
            if not isinstance(frame, Frame):
                continue
            if frames is not None and seen >= frames:
                break
            seen += 1
            detections = model.infer(frame.image, workspace).detections
            shown = detections.first(detections.count_above(model.threshold))
            counts.update(model.classes[one] for one in shown.classes.tolist())
            scores += shown.scores.tolist()
            boxes.append(shown.boxes)
    finally:
        source.close()
        model.close()
    together = np.concatenate([*boxes, np.empty((0, 4), np.float32)])
    mean = together.mean(axis=0) if len(together) else np.zeros(4)
    return Golden(
        clip_sha256=clip_sha256(clip),
        frames=seen,
        detections=len(scores),
        by_class=dict(counts),
        mean_score=float(np.mean(scores)) if scores else 0.0,
        mean_box=(float(mean[0]), float(mean[1]), float(mean[2]), float(mean[3])),
    )
