"""A golden clip: what a model said when it was good, replayed to see that it still says so."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui.numerals import number_of

SCORE_TOLERANCE = 0.02
BOX_TOLERANCE_PX = 1.0


@dataclass(frozen=True, slots=True)
class Golden:
    """The answer of one model to one clip, in figures that can be compared on another machine."""

    clip_sha256: str
    frames: int
    detections: int  # at or above the model's threshold, all frames
    by_class: dict[str, int]
    mean_score: float  # of those, 0 where there are none
    mean_box: tuple[float, float, float, float]  # x1 y1 x2 y2 px, 0 where there are none

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "clip_sha256": self.clip_sha256,
            "frames": self.frames,
            "detections": self.detections,
            "by_class": dict(sorted(self.by_class.items())),
            "mean_score": self.mean_score,
            "mean_box": list(self.mean_box),
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Golden:
        """Read what `as_json` gave."""
        x1, y1, x2, y2 = map(float, plain["mean_box"])
        mean_score = float(plain["mean_score"])
        if not all(map(math.isfinite, (x1, y1, x2, y2, mean_score))):
            raise ValueError("it has values that are no numbers, from which nothing can differ")
        return cls(
            clip_sha256=str(plain["clip_sha256"]),
            frames=int(plain["frames"]),
            detections=int(plain["detections"]),
            by_class={str(name): int(count) for name, count in plain["by_class"].items()},
            mean_score=mean_score,
            mean_box=(x1, y1, x2, y2),
        )


Replay = Callable[[Path, Path], Golden]
"""Plays a clip (second) through a model (first); what lies above the registry knows how."""


def differences(expected: Golden, found: Golden) -> tuple[str, ...]:
    """Say how two answers differ: counts first, then values within the noise of other hardware; empty when the same."""
    if expected.clip_sha256 != found.clip_sha256:
        return ("the golden clip is another file than it was",)
    said: list[str] = []
    if expected.frames != found.frames:
        said.append(f"{number_of(found.frames, 'frame')} instead of {expected.frames}")
    for name in sorted(expected.by_class.keys() | found.by_class.keys()):
        was, now = expected.by_class.get(name, 0), found.by_class.get(name, 0)
        if was != now:
            said.append(f"{number_of(now, 'detection')} of {name} instead of {was}")
    if said:
        return tuple(said)
    if abs(expected.mean_score - found.mean_score) > SCORE_TOLERANCE:
        said.append(f"a mean score of {found.mean_score:.3f} instead of {expected.mean_score:.3f}")
    if any(abs(a - b) > BOX_TOLERANCE_PX for a, b in zip(expected.mean_box, found.mean_box, strict=True)):
        said.append(f"boxes are displaced by more than {BOX_TOLERANCE_PX:g} px on average")
    return tuple(said)


def clip_sha256(clip: Path) -> str:
    """Give the hash that a golden answer names."""
    return hashlib.sha256(clip.read_bytes()).hexdigest()
