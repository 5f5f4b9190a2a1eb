"""The test case as people write it: schema hilgui/case.v1."""

from __future__ import annotations

import re
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

from hilgui.errors import CallWrong
from hilgui.pipeline import speed_factor
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
    Step,
    WaitStep,
    all_steps,
    in_order,
)

SCHEMA = "hilgui/case.v1"
MOVES = (SetStep, PerformStep, RampStep)
Mode = Literal["replay", "shadow", "stimulus", "closed_loop"]
Value = StrictBool | StrictInt | StrictFloat | StrictStr


class Recording(Part):
    """The drive that is played, or a camera (camera:KIND:NAME); paths are relative to the case."""

    path: str = Field(min_length=1, max_length=1000)
    truth: str | None = Field(None, description="label file; default: the labels beside the drive; none: no truth")
    frames: tuple[int, int] | None = Field(None, description="first and last frame, counted from 0")
    speed: str = Field("max", description="max, realtime or a factor")
    fps: float | None = Field(None, gt=0, le=10_000, description="frame rate of a folder of images")
    topic: str | None = Field(None, description="camera topic of a bag")
    duration_s: Seconds | None = Field(None, description="a camera is watched for so long")
    class_map: str | None = None
    classes: tuple[str, ...] = ()

    @field_validator("frames")
    @classmethod
    def _in_order(cls, frames: tuple[int, int] | None) -> tuple[int, int] | None:
        return in_order(frames)

    @field_validator("speed")
    @classmethod
    def _is_a_speed(cls, text: str) -> str:
        return check_speed(text)


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
        for check in (self._check_mode, self._check_replay, self._check_loop, self._check_faults, self._check_names):
            check()
        return self

    @property
    def every_step(self) -> list[Any]:
        """Give all steps, those inside others and those of the teardown."""
        return [*all_steps(self.steps), *all_steps(self.teardown)]

    @property
    def replays(self) -> list[ReplayStep]:
        """Give the steps that play the recording."""
        return [step for step in self.every_step if isinstance(step, ReplayStep)]

    @property
    def moves(self) -> bool:
        """Say whether the rig has to be armed."""
        return self.mode in ("stimulus", "closed_loop")

    def _check_mode(self) -> None:
        if self.mode == "replay" and self.rig is not None:
            raise ValueError("mode replay has no rig; write mode: shadow to read one, stimulus to move it")
        if self.mode != "replay" and self.rig is None:
            raise ValueError(f"mode {self.mode} needs rig: {{profile: …}}")
        moving = next((step for step in self.every_step if isinstance(step, MOVES)), None)
        if moving is not None and not self.moves:
            raise ValueError(f"mode {self.mode} never moves a rig; a step that sets needs mode: stimulus")
        reading = any(
            isinstance(step, CaptureStep | FaultStep) or (isinstance(step, WaitStep) and step.seconds is None)
            for step in self.every_step
        )
        if reading and self.rig is None:
            raise ValueError("steps read a rig, and there is none; add rig and another mode")

    def _check_replay(self) -> None:
        needs_run = [one for one in self.criteria if not one.is_of_bench]
        if self.replays and (self.source is None or self.models is None):
            raise ValueError("a replay step needs source and models")
        if needs_run and not self.replays:
            raise ValueError(f"{needs_run[0].title} is measured in a replay, and no step plays one")
        for one in self.criteria:
            if one.model == "candidate" and not one.is_of_bench and (self.models is None or not self.models.candidate):
                raise ValueError(f"{one.title}: models has no candidate")
            if one.metric is not None and one.metric.startswith("rig.") and one.metric not in RIG_METRICS:
                raise ValueError(f"there is no metric {one.metric}; of the rig there are {', '.join(RIG_METRICS)}")
        for step in self.replays:
            if any(isinstance(inner, ReplayStep) for inner in all_steps(step.meanwhile)):
                raise ValueError("a replay cannot play within another replay")
            check_speed(step.speed or "max")

    def _check_loop(self) -> None:
        if (self.controller is not None) != (self.mode == "closed_loop"):
            raise ValueError("a controller belongs to mode: closed_loop, which needs one")
        if self.controller is None:
            return
        if not self.replays or self.models is None or self.source is None:
            raise ValueError("a closed loop needs a replay step: without perception there is no loop")
        if self.controller.model == "candidate" and self.models.candidate is None:
            raise ValueError("the controller obeys the candidate, and models has none")
        if any((step.speed or self.source.speed) == "max" for step in self.replays):
            raise ValueError("a closed loop runs in real time or slower; write speed: realtime")

    def _check_faults(self) -> None:
        """A run under a fault proves nothing about a model, so only the bench may be judged."""
        if any(isinstance(step, FaultStep) for step in self.every_step):
            judging = next((one for one in self.criteria if not one.is_of_bench), None)
            if judging is not None:
                raise ValueError(
                    f"a case with a fault judges the bench alone ({', '.join(f'{name}…' for name in BENCH)}), "
                    f"not {judging.title}"
                )

    def _check_names(self) -> None:
        captured = {step.keep for step in self.every_step if isinstance(step, CaptureStep | PromptStep)}
        asked = [one.metric or "" for one in self.criteria]
        asked += [f"captured.{step.captured}" for step in self.every_step if isinstance(step, BranchStep)]
        for metric in asked:
            name = metric.split(".")[1] if metric.startswith("captured.") else None
            if name is not None and name not in captured:
                known = ", ".join(sorted(filter(None, captured))) or "none"
                raise ValueError(f"nothing is captured as {name}; there are {known}")


def check_speed(text: str) -> str:
    """Refuse what is no speed; raises ValueError."""
    try:
        speed_factor(text)
    except CallWrong as failure:
        raise ValueError(str(failure)) from failure
    return text
