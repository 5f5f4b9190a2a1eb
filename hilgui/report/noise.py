"""The noise floor: how much one model differs from itself when the same recording is replayed twice."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hilgui.errors import StoreBroken
from hilgui.evaluation import Scorecard, iou_matrix
from hilgui.records import Detections, Role
from hilgui.shadow import disagree
from hilgui.store import RunReader

SCHEMA = "hilgui/noise.v1"
FILE = "noise.json"  # beside the run that it belongs to

_SAME_IOU = 0.5
_SMOOTH = 5  # frames, as the disagreement of two models is smoothed


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """Differences between two replays of one run."""

    frames: int
    identical: int  # frames on which every box and score is equal to the last bit
    boxes: int  # boxes at or above the threshold, both replays
    unpaired: int  # of these, without a partner of the same class at IoU ≥ .5 in the other replay
    score: float  # largest difference of a pair
    box_px: float  # largest shift of a side of a pair
    figures: dict[str, float] = field(default_factory=dict)  # |difference| of each figure, the larger of both models
    disagreement: float = 0.0  # largest 1 - F1 of a model against itself, mean of 5 frames in a row

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "schema": SCHEMA,
            "frames": self.frames,
            "identical": self.identical,
            "boxes": self.boxes,
            "unpaired": self.unpaired,
            "score": self.score,
            "box_px": self.box_px,
            "disagreement": self.disagreement,
            "figures": self.figures,
        }

    @property
    def is_silent(self) -> bool:
        """Say whether the model repeats itself to the last bit."""
        return self.identical == self.frames


def noise_between(first: RunReader, second: RunReader) -> NoiseFloor:
    """Compare two replays of the same drive through the same models; frames that only one has are left out."""
    frames = identical = boxes = unpaired = 0
    score = box_px = disagreement = 0.0
    recent: dict[Role, deque[float]] = {role: deque(maxlen=_SMOOTH) for role in first.header.models}
    others = {moment.ref.key: moment for moment in second.moments()}
    for moment in first.moments():
        other = others.get(moment.ref.key)
        if other is None:
            continue
        frames += 1
        is_same = True
        for role, inference in moment.inferences.items():
            if role not in other.inferences:
                continue
            threshold = first.header.models[role].threshold
            a, b = inference.detections, other.inferences[role].detections
            is_same = is_same and _is_identical(a, b)
            compared = _compare(a.first(a.count_above(threshold)), b.first(b.count_above(threshold)))
            boxes, unpaired = boxes + compared[0], unpaired + compared[1]
            score, box_px = max(score, compared[2]), max(box_px, compared[3])
            recent[role].append(disagree(a, b, (threshold, threshold), first.header.vocabulary.judged).value)
            disagreement = max(disagreement, sum(recent[role]) / _SMOOTH)
        identical += is_same
    return NoiseFloor(frames, identical, boxes, unpaired, score, box_px, _figures(first, second), disagreement)


def read_noise(run: Path) -> NoiseFloor | None:
    """Read what `hilgui noise` left beside a run, None where it did not; raises StoreBroken."""
    path = run / FILE
    if not path.is_file():
        return None
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("schema") != SCHEMA:
            raise ValueError("another schema")
        figures = {str(name): float(value) for name, value in plain.pop("figures").items()}
        frames, identical, boxes, unpaired = (int(plain[name]) for name in ("frames", "identical", "boxes", "unpaired"))
        score, box_px, disagreement = (float(plain.get(name, 0.0)) for name in ("score", "box_px", "disagreement"))
        return NoiseFloor(frames, identical, boxes, unpaired, score, box_px, figures, disagreement)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as failure:
        raise StoreBroken(f"{path} is damaged ({failure}); run `hilgui noise` again", path=path) from failure


def write_noise(run: Path, noise: NoiseFloor) -> Path:
    """Leave the floor beside the run; raises StoreBroken."""
    path = run / FILE
    try:
        path.write_text(json.dumps(noise.as_json(), indent=2), encoding="utf-8")
    except OSError as failure:
        raise StoreBroken(f"{path} cannot be written: {failure}; is the folder read-only?", path=path) from failure
    return path


def _is_identical(a: Detections, b: Detections) -> bool:
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("boxes", "scores", "classes"))


def _compare(a: Detections, b: Detections) -> tuple[int, int, float, float]:
    """Pair boxes one to one, the largest IoU first; count boxes and those left over, measure the pairs."""
    overlap = iou_matrix(a.boxes, b.boxes)
    overlap[a.classes[:, None] != b.classes] = 0.0
    rows, columns = np.nonzero(overlap >= _SAME_IOU)
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for place in np.argsort(-overlap[rows, columns], kind="stable").tolist():
        row, column = int(rows[place]), int(columns[place])
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    total = len(a) + len(b)
    if not pairs:
        return total, total, 0.0, 0.0
    mine, theirs = list(pairs), list(pairs.values())
    score = float(np.abs(a.scores[mine] - b.scores[theirs]).max())
    shift = float(np.abs(a.boxes[mine] - b.boxes[theirs]).max())
    return total, total - 2 * len(pairs), score, shift


def _figures(first: RunReader, second: RunReader) -> dict[str, float]:
    """Give the absolute difference of each figure, the larger of both models."""
    sides = []
    for reader in (first, second):
        scorecard = Scorecard(reader.header)
        for moment in reader.moments():
            scorecard.add(moment)
        sides.append(scorecard.figures())
    floor: dict[str, float] = {}
    for role, figures in sides[0].items():
        for name, figure in figures.items():
            other = sides[1].get(role, {}).get(name)
            if other is not None and figure.value is not None and other.value is not None:
                floor[name] = max(floor.get(name, 0.0), abs(figure.value - other.value))
    return floor
