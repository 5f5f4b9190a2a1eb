"""The test case as people write it: schema hilgui/case.v1."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from hilgui.documents import Contradiction, Place, instead
from hilgui.sequencer.criteria import BENCH, RIG_METRICS, Criterion
from hilgui.sequencer.steps import (
    BranchStep,
    CaptureStep,
    FaultStep,
    Name,
    Number,
    Part,
    PerformStep,
    PromptStep,
    RampStep,
    ReplayStep,
    Seconds,
    SetStep,
    Signal,
    Speed,
    Step,
    WaitStep,
    in_order,
    placed_steps,
)

SCHEMA = "hilgui/case.v1"
MOVES = (SetStep, PerformStep, RampStep)
Mode = Literal["replay", "shadow", "stimulus", "closed_loop"]
Value = StrictBool | StrictInt | StrictFloat | StrictStr

_Flaw = tuple[Place, str]


class Recording(Part):
    """The drive that is played, or a camera (camera:KIND:NAME); paths are relative to the case."""

    path: str = Field(min_length=1, max_length=1000)
    truth: str | None = Field(None, description="label file; default: the labels beside the drive; none: no truth")
    frames: tuple[int, int] | None = Field(None, description="first and last frame, counted from 0")
    speed: Speed = Field("max", description="max, realtime or a factor")
    fps: float | None = Field(None, gt=0, le=10_000, description="frame rate of a folder of images")
    topic: str | None = Field(None, description="camera topic of a bag")
    duration_s: Seconds | None = Field(None, description="a camera is watched for so long")
    class_map: str | None = None
    classes: tuple[str, ...] = ()

    @field_validator("frames")
    @classmethod
    def _in_order(cls, frames: tuple[int, int] | None) -> tuple[int, int] | None:
        return in_order(frames)


class Models(Part):
    """ONNX files relative to the case, or entries of the registry ("front-detector@champion")."""

    baseline: str = Field(min_length=1, max_length=1000)
    candidate: str | None = Field(None, min_length=1, max_length=1000)


class Rig(Part):
    """The rig of the case."""

    profile: Path = Field(description="rig profile, relative to the case")


class Watched(Part):
    """What a detection has to be for the controller to act."""

    classes: tuple[str, ...] = Field((), description="default: every class")
    in_corridor: bool = False
    critical: bool = False
    score: float | None = Field(None, ge=0, le=1, description="default: the threshold of the model's card")


class Controller(Part):
    """The rule of a closed loop: while something is detected, a channel has one value, else another."""

    model: Literal["baseline", "candidate"] = "baseline"
    when: Watched = Watched()
    channel: Signal
    on: Number
    off: Number
    hold_s: float = Field(0.2, ge=0, le=60, description="how long it stays on after the last detection")


class Case(Part):
    """One test case, or with parameters one for each combination."""

    model_config = ConfigDict(extra="forbid", frozen=True, title=SCHEMA)

    schema_: Literal["hilgui/case.v1"] = Field(alias="schema")
    name: str = Field(min_length=1, max_length=120)
    description: str = ""
    tags: tuple[Name, ...] = ()
    requirements: tuple[str, ...] = Field((), description="ids of requirements or tickets that it shows")
    priority: int = Field(0, ge=-100, le=100, description="the larger, the sooner")
    mode: Mode = "replay"
    needs: tuple[str, ...] = Field((), description="without one of these the case is skipped: gpu, GROUP:PLUG-IN")
    source: Recording | None = None
    models: Models | None = None
    rig: Rig | None = None
    parameters: dict[Name, tuple[Value, ...]] = Field(default_factory=dict, description="${name} stands for each")
    controller: Controller | None = None
    steps: tuple[Step, ...] = Field(min_length=1)
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    retries: int = Field(0, ge=0, le=10, description="attempts more, where the bench broke; never after a verdict")
    timeout_s: Seconds = 600.0
    teardown: tuple[Step, ...] = Field((), description="always taken, also after STOP")

    @field_validator("needs")
    @classmethod
    def _are_known(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for need in needs:
            if need != "gpu" and not re.fullmatch(r"hilgui\.[a-z_]+:[A-Za-z0-9_-]+", need):
                raise ValueError(f"{need!r} is no need; write gpu, or hilgui.rig_drivers:grbl for a plug-in")
        return needs

    @model_validator(mode="after")
    def _does_not_contradict_itself(self) -> Self:
        checks = (self._of_mode, self._of_replays, self._of_loop, self._of_faults, self._of_names)
        if found := [flaw for check in checks for flaw in check()]:
            raise Contradiction(*found)
        return self

    @property
    def placed_steps(self) -> list[tuple[Place, Any]]:
        """Give all steps, those inside others and those of the teardown, each with its place."""
        return [*placed_steps(self.steps, ("steps",)), *placed_steps(self.teardown, ("teardown",))]

    @property
    def every_step(self) -> list[Any]:
        """Give all of them without their places."""
        return [step for _, step in self.placed_steps]

    @property
    def replays(self) -> list[ReplayStep]:
        """Give the steps that play the recording."""
        return [step for step in self.every_step if isinstance(step, ReplayStep)]

    @property
    def moves(self) -> bool:
        """Say whether the rig has to be armed."""
        return self.mode in ("stimulus", "closed_loop")

    def _of_mode(self) -> Iterator[_Flaw]:
        if self.mode == "replay" and self.rig is not None:
            yield ("rig",), "mode replay has no rig; write mode: shadow to read one, stimulus to move it"
        elif self.mode != "replay" and self.rig is None:
            yield ("mode",), f"mode {self.mode} needs rig: {{profile: …}}"
        elif not self.moves and (moving := self._first(lambda step: isinstance(step, MOVES))):
            yield moving, f"mode {self.mode} never moves a rig; a step that sets needs mode: stimulus"
        elif self.rig is None and (reading := self._first(_reads)):
            yield reading, "steps read a rig, and there is none; add rig and another mode"

    def _first(self, holds: Callable[[Any], bool]) -> Place | None:
        return next((place for place, step in self.placed_steps if holds(step)), None)

    def _of_replays(self) -> Iterator[_Flaw]:
        first = self._first(lambda step: isinstance(step, ReplayStep))
        if first is not None and (self.source is None or self.models is None):
            yield first, "a replay step needs source and models"
        has_candidate = self.models is not None and self.models.candidate is not None
        for number, one in enumerate(self.criteria):
            if first is None and not one.is_of_bench:
                yield ("criteria", number), f"{one.title} is measured in a replay, and no step plays one"
            elif one.model == "candidate" and not one.is_of_bench and not has_candidate:
                yield ("criteria", number, "model"), f"{one.title}: models has no candidate"
            if one.metric is not None and one.metric.startswith("rig.") and one.metric not in RIG_METRICS:
                sentence = f"there is no metric {one.metric}{instead(one.metric, RIG_METRICS)}"
                yield ("criteria", number, "metric"), sentence
        for place, step in self.placed_steps:
            if isinstance(step, ReplayStep):
                for inner, within in placed_steps(step.meanwhile, (*place, "meanwhile")):
                    if isinstance(within, ReplayStep):
                        yield inner, "a replay cannot play within another replay"

    def _of_loop(self) -> Iterator[_Flaw]:
        if (self.controller is not None) != (self.mode == "closed_loop"):
            key = "mode" if self.controller is None else "controller"
            yield (key,), "a controller belongs to mode: closed_loop, which needs one"
        if self.controller is None:
            return
        if not self.replays or self.models is None or self.source is None:
            yield ("controller",), "a closed loop needs a replay step: without perception there is no loop"
            return
        if self.controller.model == "candidate" and self.models.candidate is None:
            yield ("controller", "model"), "the controller obeys the candidate, and models has none"
        for place, step in self.placed_steps:
            if isinstance(step, ReplayStep) and (step.speed or self.source.speed) == "max":
                where = (*place, "speed") if step.speed else ("source", "speed")
                yield where, "a closed loop runs in real time or slower; write speed: realtime"

    def _of_faults(self) -> Iterator[_Flaw]:
        """A run under a fault proves nothing about a model, so only the bench may be judged."""
        if self._first(lambda step: isinstance(step, FaultStep)) is None:
            return
        bench = ", ".join(f"{name}…" for name in BENCH)
        for number, one in enumerate(self.criteria):
            if not one.is_of_bench:
                yield ("criteria", number), f"a case with a fault judges the bench alone ({bench}), not {one.title}"

    def _of_names(self) -> Iterator[_Flaw]:
        keeping = [step.keep for step in self.every_step if isinstance(step, CaptureStep | PromptStep)]
        captured = [name for name in keeping if name is not None]
        asked: list[tuple[Place, str]] = [
            (("criteria", number, "metric"), one.metric or "") for number, one in enumerate(self.criteria)
        ]
        for place, step in self.placed_steps:
            if isinstance(step, BranchStep):
                asked.append(((*place, "captured"), f"captured.{step.captured}"))
        for place, metric in asked:
            name = metric.split(".")[1] if metric.startswith("captured.") else None
            if name is not None and name not in captured:
                yield place, f"nothing is captured as {name}{instead(name, captured)}"


def _reads(step: Any) -> bool:
    return isinstance(step, CaptureStep | FaultStep) or (isinstance(step, WaitStep) and step.seconds is None)
