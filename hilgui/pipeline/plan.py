"""What the operator asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from hilgui.corruptions import Recipe, parse_recipe
from hilgui.errors import CallWrong
from hilgui.records import People, Role
from hilgui.settings import Settings

_FASTEST = 1000  # times real time; faster than that is max


@dataclass(frozen=True, slots=True)
class RunPlan:
    """One drive, or a session with a camera, through one or two models.

    Travels to the engine process, so it holds plain values only.
    """

    source: Path
    baseline: Path
    out: Path  # folder that will hold the run's folder
    settings: Settings
    candidate: Path | None = None
    truth: Path | None = None
    provider: str = "auto"
    classes: tuple[str, ...] = ()  # compared class names; empty: all that both models and the truth know
    class_map: str | None = None  # name of a shipped class map or a path
    speed: str = "max"  # "max", "realtime" or a factor
    fps: float | None = None  # frame rate of a folder of images
    topic: str | None = None  # camera topic of a bag that holds several; "all", or some with commas: side by side
    beside: tuple[Path, ...] = ()  # further cameras of the same drive, files of their own
    offsets_s: tuple[float, ...] = ()  # how much later each of these begins; empty: all with the first
    profile: Path | None = None  # of the camera; None: the one beside the recording
    can: tuple[Path, ...] = ()  # logs of the vehicle's bus
    dbc: tuple[Path, ...] = ()
    signals: tuple[str, ...] = ()  # of the bus that are kept beside the speed
    can_offset_s: float | None = None  # recording time of a log's first frame; None: by the wall clocks
    duration_s: float | None = None  # a live run ends after this; None: when the operator ends it
    frames: tuple[int, int | None] | None = None  # only these frames of a recording, first and last
    exposure: tuple[tuple[int, float], ...] = ()  # (frame, gain): the exposure steps there
    corrupt: tuple[str, ...] = ()  # "fog:3": what is done to pictures and stream, in this order
    corrupt_seed: int = 0
    corrupt_depth: Path | None = None  # depth maps for fog: a 16-bit PNG, or a folder of one for each frame
    record: bool = False  # keep what a camera saw, to be replayed as a drive
    record_mb: int = 8000  # the recording ends before it is larger
    people: People = field(default_factory=People)
    command: tuple[str, ...] = ()

    @property
    def models(self) -> dict[Role, Path]:
        """Give the models by role."""
        if self.candidate is None:
            return {Role.BASELINE: self.baseline}
        return {Role.BASELINE: self.baseline, Role.CANDIDATE: self.candidate}


def speed_factor(speed: str) -> float | None:
    """Turn "max" into None, "realtime" into 1 and a number into itself; raises CallWrong."""
    if speed == "max":
        return None
    if speed == "realtime":
        return 1.0
    try:
        factor = float(speed.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not (math.isfinite(factor) and 0 < factor <= _FASTEST):
        raise CallWrong(
            f"the speed {speed!r} is not max, realtime or a number above 0 up to {_FASTEST} (0.5 is half speed)"
        )
    return factor


def recipe_of(plan: RunPlan) -> Recipe:
    """Read how pictures and stream are corrupted; raises CallWrong."""
    try:
        recipe = parse_recipe(plan.corrupt, plan.corrupt_seed)
    except ValueError as failure:
        raise CallWrong(str(failure)) from failure
    if plan.corrupt_depth is not None and not recipe.needs_depth:
        raise CallWrong("depth maps belong to the corruption depth_fog; add it, such as depth_fog:3, or leave them out")
    return recipe
