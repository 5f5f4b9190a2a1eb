"""Whether a case fits its rig: channels, actions, units and limits against the profile, before anything is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hilgui import plugins
from hilgui.documents import Place, instead
from hilgui.errors import HilguiError
from hilgui.rigs import Perform, SetValue
from hilgui.rigs.bench import facts_of, refusal_of, unarmable
from hilgui.rigs.cage import Cage
from hilgui.rigs.cage.invariant import Measure
from hilgui.rigs.profile import RigProfile, read_profile
from hilgui.rigs.protocol import SIMULATORS, Actuation, RigFacts
from hilgui.sequencer.case import Case
from hilgui.sequencer.steps import (
    CaptureStep,
    FaultStep,
    PerformStep,
    PromptStep,
    RampStep,
    SetStep,
    WaitStep,
)

_PROFILE: Place = ("rig", "profile")

Misfit = tuple[Place, str]


@dataclass(frozen=True, slots=True)
class RigOnPaper:
    """A rig as its profile and its drivers describe it; nothing is opened."""

    profile: RigProfile
    facts: Mapping[str, RigFacts]


def rig_on_paper(path: Path) -> RigOnPaper | str:
    """Read a profile with the facts of its drivers, or say why that cannot be done."""
    if not path.is_file():
        profiles = (f"{path.parent.name}/{each.name}" for each in sorted(path.parent.glob("*.yaml")))
        near = instead(f"{path.parent.name}/{path.name}", profiles)
        return f"there is no file {path}{near}; give the path of a rig profile, relative to the case"
    try:
        profile = read_profile(path)
        return RigOnPaper(profile, facts_of(profile))
    except HilguiError as failure:
        return f"the rig profile is broken: {failure}"


def misfits(case: Case, rig: RigOnPaper | str) -> list[Misfit]:
    """Give everything in which a case contradicts its rig, each with its place in the case."""
    if isinstance(rig, str):
        return [(_PROFILE, rig)]
    found = [*_of_profile(case, rig), *_of_controller(case, rig), *_of_units(case, rig)]
    for place, step in case.placed_steps:
        found += (((*place, *inner), sentence) for inner, sentence in _of_step(step, rig))
    return found


def unknown_channel(signal: str, facts: Mapping[str, RigFacts], *, is_set: bool) -> str:
    """Say why a channel of the rig cannot be read or set, "" where it can."""
    device, _, name = signal.partition(".")
    if device not in facts:
        return f"the rig has no device {device}{instead(device, facts)}"
    channel = facts[device].channel(name)
    if channel is None or (is_set and not channel.is_writable):
        known = (each.name for each in facts[device].channels if each.is_writable or not is_set)
        return f"{device} has no channel {name} to {'set' if is_set else 'read'}{instead(name, known)}"
    return ""


def _of_profile(case: Case, rig: RigOnPaper) -> Iterator[Misfit]:
    if case.moves and (why := unarmable(rig.profile, rig.facts)):
        yield _PROFILE, f"this rig cannot be armed: {'; '.join(why)}"
    if case.mode == "closed_loop":
        watched = {(each.signal, each.measure) for each in rig.profile.invariants}
        if ("perception.latency_ms", Measure.P99) not in watched:
            yield _PROFILE, "a closed loop needs an invariant on p99(perception.latency_ms) in the profile"
        if not any(signal == "perception.is_valid" for signal, _ in watched):
            yield _PROFILE, "a closed loop needs an invariant on perception.is_valid in the profile"


def _of_controller(case: Case, rig: RigOnPaper) -> Iterator[Misfit]:
    if case.controller is not None:
        ends = {"on": case.controller.on, "off": case.controller.off}
        for place, sentence in _of_values(case.controller.channel, ends, rig):
            yield ("controller", *place), sentence


def _of_units(case: Case, rig: RigOnPaper) -> Iterator[Misfit]:
    """Compare the unit of a criterion with that of the channel that was captured for it."""
    channels = {step.keep: step.channel for step in case.every_step if isinstance(step, CaptureStep)}
    asked = {step.keep for step in case.every_step if isinstance(step, PromptStep)}
    for number, one in enumerate(case.criteria):
        name = (one.metric or "").removeprefix("captured.").partition(".")[0]
        signal = channels.get(name, "")
        if not one.unit or name in asked or not signal or unknown_channel(signal, rig.facts, is_set=False):
            continue
        device, _, channel = signal.partition(".")
        has = rig.facts[device].channel(channel)
        if has is not None and has.unit != one.unit:
            yield ("criteria", number, "unit"), f"{signal} is in {has.unit or 'no unit'}, not in {one.unit}"


def _of_step(step: Any, rig: RigOnPaper) -> Iterator[Misfit]:
    match step:
        case SetStep(refused=True):  # has to be beyond a limit
            yield from _of_values(step.channel, {}, rig)
        case SetStep():
            for place, why in _of_values(step.channel, {"value": step.value}, rig):
                yield place, f"{why}; where the rig has to refuse it, write refused: true" if "value" in place else why
        case RampStep():
            yield from _of_values(step.channel, {"from": step.start, "to": step.to}, rig)
        case PerformStep():
            if why := refusal_of(rig.facts, Perform(step.device, step.action, step.arguments)):
                yield ("device" if step.device not in rig.facts else "action",), why
        case WaitStep(channel=str(signal)) | CaptureStep(channel=signal):
            if why := unknown_channel(signal, rig.facts, is_set=False):
                yield ("channel",), why
        case FaultStep():
            yield from _of_fault(step, rig)


def _of_values(signal: str, values: Mapping[str, float], rig: RigOnPaper) -> Iterator[Misfit]:
    if why := unknown_channel(signal, rig.facts, is_set=True):
        yield ("channel",), why
        return
    device, _, channel = signal.partition(".")
    cage = Cage(rig.profile.invariants, rig.profile.minor, 0)
    for key, value in values.items():
        what: Actuation = SetValue(device, channel, value)
        if why := refusal_of(rig.facts, what) or cage.refuses(signal, value):
            yield (key,), why


def _of_fault(step: FaultStep, rig: RigOnPaper) -> Iterator[Misfit]:
    wish = next((each for each in rig.profile.devices if each.name == step.device), None)
    if wish is None:
        yield ("device",), f"the rig has no device {step.device}{instead(step.device, rig.facts)}"
        return
    if not wish.port.simulator:
        yield ("device",), f"{step.device} is no simulated device; faults are injected into simulators only"
        return
    simulator = plugins.working(SIMULATORS).get(wish.driver)
    if simulator is None or not hasattr(simulator, step.kind):
        yield ("kind",), f"the simulator of {wish.driver} cannot {step.kind}"
    elif step.channel is not None and (
        why := unknown_channel(f"{step.device}.{step.channel}", rig.facts, is_set=False)
    ):
        yield ("channel",), why
