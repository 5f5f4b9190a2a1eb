"""The steps of a test case, as people write them: one key each, its name and what it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from hilgui.corruptions import parse_recipe
from hilgui.documents import Contradiction, Place
from hilgui.errors import CallWrong
from hilgui.evaluation.limits import parse_limit
from hilgui.pipeline import speed_factor


def _as_limit(text: str) -> str:
    """Refuse what is no limit; raises ValueError."""
    parse_limit(text)
    return text


def _as_speed(text: str) -> str:
    """Refuse what is no speed; raises ValueError."""
    try:
        speed_factor(text)
    except CallWrong as failure:
        raise ValueError(str(failure)) from failure
    return text


Number = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Signal = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$")]
LimitText = Annotated[str, Field(max_length=60), AfterValidator(_as_limit)]
Speed = Annotated[str, AfterValidator(_as_speed)]
State = Literal["shadow", "safe", "arming", "armed", "hold", "stopping", "latched"]


class Part(BaseModel):
    """A part of a case; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _Comparing(Part):
    """Has a limit under `is`."""

    holds: LimitText = Field(alias="is")


class SetStep(Part):
    """Set one channel of the rig, in its unit."""

    channel: Signal
    value: Number
    refused: bool = Field(False, description="the rig has to refuse it: the step fails where it does not")


class PerformStep(Part):
    """Start an action of a device: home, trigger."""

    device: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    action: str = Field(min_length=1, max_length=40)
    arguments: dict[str, Number] = Field(default_factory=dict)


class RampStep(Part):
    """Set one channel step by step from one value to another."""

    channel: Signal
    start: Number = Field(alias="from")
    to: Number
    over_s: Seconds
    every_s: float = Field(0.1, ge=0.05, le=60, allow_inf_nan=False)


class WaitStep(Part):
    """Wait for a reading, for a state of the rig, or for some seconds: exactly one of the three."""

    channel: Signal | None = None
    holds: LimitText | None = Field(None, alias="is", description="limit of the reading")
    state: State | None = None
    seconds: Seconds | None = None
    within_s: Seconds = 10.0
    otherwise: Literal["error", "fail"] = Field("error", description="what it means when it does not come true")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(each is not None for each in (self.channel, self.state, self.seconds)) != 1:
            raise ValueError("wait for exactly one of channel, state and seconds")
        if (self.channel is None) != (self.holds is None):
            sentence = "a channel needs a limit under is, such as is: '>= 9'"
            raise Contradiction((("channel" if self.holds is None else "is",), sentence))
        return self


class ReplayStep(Part):
    """Play the recording, or a part of it, through the models."""

    frames: tuple[int, int] | None = Field(None, description="first and last frame; default: those of the source")
    speed: Speed | None = Field(None, description="max, realtime or a factor; default: that of the source")
    exposure: tuple[tuple[int, Annotated[float, Field(gt=0, le=16)]], ...] = Field(
        (), description="[frame, gain]: the exposure steps there"
    )
    corrupt: tuple[str, ...] = Field((), description="corruptions in their order, such as fog:3 or rain:1.5")
    corrupt_seed: int = Field(0, ge=0, description="of their chance; the same seed gives the same pictures")
    corrupt_depth: Path | None = Field(None, description="16-bit PNG (metres · 256) or folder of them, for depth_fog")
    busy_processes: int = Field(0, ge=0, le=16, description="processes that keep the machine busy meanwhile")
    meanwhile: tuple[Step, ...] = Field((), description="steps that are taken while it plays")

    @field_validator("frames")
    @classmethod
    def _in_order(cls, frames: tuple[int, int] | None) -> tuple[int, int] | None:
        return in_order(frames)

    @field_validator("corrupt")
    @classmethod
    def _corruptions_exist(cls, corrupt: tuple[str, ...]) -> tuple[str, ...]:
        parse_recipe(corrupt)
        return corrupt


class PromptStep(Part):
    """Ask the operator; the case goes on with the answer."""

    text: str = Field(min_length=1, max_length=1000)
    picture: Path | None = Field(None, description="shown with the question, relative to the case")
    input: Literal["confirm", "text", "number", "choice"] = "confirm"
    choices: tuple[str, ...] = ()
    hazardous: bool = Field(False, description="never answered by --yes")
    keep: Name | None = Field(None, alias="as", description="a number is captured under this name")
    within_s: Seconds = 600.0

    @model_validator(mode="after")
    def _choices_go_with_choice(self) -> Self:
        if (self.input == "choice") != bool(self.choices):
            place = ("choices" if self.choices else "input",)
            raise Contradiction((place, "choices belong to input: choice, and it needs some"))
        return self


class CaptureStep(Part):
    """Keep a reading: criteria ask for it as captured.NAME; over a time, as captured.NAME.min, .mean and .max."""

    channel: Signal
    keep: Name = Field(alias="as")
    over_s: Seconds | None = None


class FaultStep(Part):
    """Make a simulated device fail; a real one is never touched by this."""

    device: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")
    kind: Literal["unplug", "stall", "override"]
    channel: str | None = Field(None, description="override: the channel that lies")
    value: str | None = Field(None, description="override: what it says")

    @model_validator(mode="after")
    def _lies_are_complete(self) -> Self:
        if (self.kind == "override") != (self.channel is not None and self.value is not None):
            raise ValueError("override needs channel and value, and nothing else does")
        return self

    @property
    def arguments(self) -> tuple[str, ...]:
        """Give what the simulator's method takes."""
        return (self.channel, self.value) if self.channel is not None and self.value is not None else ()


class LoopStep(Part):
    """Take steps again and again."""

    times: int = Field(ge=1, le=10_000)
    steps: tuple[Step, ...] = Field(min_length=1)


class BranchStep(_Comparing):
    """Take one of two ways, by what was captured."""

    captured: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}(\.(min|mean|max))?$")
    then: tuple[Step, ...] = ()
    otherwise: tuple[Step, ...] = Field((), alias="else")


class Step(Part):
    """One step: exactly one of these keys."""

    set: SetStep | None = None
    perform: PerformStep | None = None
    ramp: RampStep | None = None
    wait: WaitStep | None = None
    replay: ReplayStep | None = None
    prompt: PromptStep | None = None
    capture: CaptureStep | None = None
    fault: FaultStep | None = None
    loop: LoopStep | None = None
    branch: BranchStep | None = None

    @model_validator(mode="before")
    @classmethod
    def _may_be_bare(cls, value: Any) -> Any:
        """Read `replay:` without anything as the whole recording."""
        if isinstance(value, dict) and value.get("replay", ...) is None:
            return {**value, "replay": {}}
        return value

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"a step has exactly one key of {known}; this one has {len(given)}")
        return self

    @property
    def what(self) -> Any:
        """Give the step itself."""
        return getattr(self, self.key)

    @property
    def key(self) -> str:
        """Give the one key."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def inner(self) -> dict[str, tuple[Step, ...]]:
        """Give the steps inside, by their key."""
        match self.what:
            case ReplayStep(meanwhile=steps):
                return {"meanwhile": steps}
            case LoopStep(steps=steps):
                return {"steps": steps}
            case BranchStep(then=then, otherwise=otherwise):
                return {"then": then, "else": otherwise}
            case _:
                return {}


def placed_steps(steps: tuple[Step, ...], where: Place) -> list[tuple[Place, Any]]:
    """Give the steps and those inside, in the order of the text, each with its place."""
    found: list[tuple[Place, Any]] = []
    for number, step in enumerate(steps):
        place = (*where, number, step.key)
        found.append((place, step.what))
        for key, inner in step.inner.items():
            found += placed_steps(inner, (*place, key))
    return found


def in_order(frames: tuple[int, int] | None) -> tuple[int, int] | None:
    """Refuse a range that is empty; raises ValueError."""
    if frames is not None and not 0 <= frames[0] <= frames[1]:
        raise ValueError(f"frames are [first, last], counted from 0, not {list(frames)}")
    return frames


def words_of(step: Any) -> str:
    """Say in a few words what a step does, for progress and journals."""
    match step:
        case SetStep():
            return f"set {step.channel} to {step.value:g}"
        case PerformStep():
            return f"perform {step.device} {step.action}"
        case RampStep():
            return f"ramp {step.channel} from {step.start:g} to {step.to:g} over {step.over_s:g} s"
        case WaitStep(channel=str()):
            return f"wait until {step.channel} {step.holds}"
        case WaitStep(state=str()):
            return f"wait until the rig is {step.state}"
        case WaitStep():
            return f"wait {step.seconds:g} s"
        case ReplayStep():
            return "replay" if step.frames is None else f"replay frames {step.frames[0]} to {step.frames[1]}"
        case PromptStep():
            return f"ask: {step.text}"
        case CaptureStep():
            return f"capture {step.channel} as {step.keep}"
        case FaultStep():
            return f"fault: {step.kind} {step.device}"
        case LoopStep():
            return f"loop {step.times} times"
        case _:
            return f"branch on {step.captured} {step.holds}"


for _model in (ReplayStep, LoopStep, BranchStep, Step):
    _model.model_rebuild()
