"""Takes the steps of a case, one after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hilgui.errors import CaseBroken, HilguiError
from hilgui.evaluation.limits import parse_limit
from hilgui.pipeline import RunPlan
from hilgui.rigs import Perform, SetValue
from hilgui.rigs.arming import State
from hilgui.rigs.messages import Done
from hilgui.rigs.protocol import Actuation
from hilgui.sequencer.machine_load import busy
from hilgui.sequencer.operator import NO, Operator, Purpose
from hilgui.sequencer.player import Player, Ready
from hilgui.sequencer.rig_desk import RigDesk, RigEyes, value_of
from hilgui.sequencer.steps import (
    BranchStep,
    CaptureStep,
    FaultStep,
    LoopStep,
    PerformStep,
    PromptStep,
    RampStep,
    ReplayStep,
    SetStep,
    Step,
    WaitStep,
    words_of,
)
from hilgui.sequencer.tidings import RedStep, StepTaken, Stopped, Told, Unanswered
from hilgui.sequencer.watch import Watch
from hilgui.stream import StopToken

ANSWER_S = 10.0  # for the rig to answer a question
OPEN_S = 300.0  # for recording and models to be open


class Taking:
    """Owns nothing: the runner opens and closes what it works with. Everything happens on the runner's thread."""

    def __init__(
        self,
        case: str,
        operator: Operator,
        stop: StopToken,
        told: Told,
        *,
        rig: RigEyes | None,
        player: Player | None,
        plan: Callable[[ReplayStep], RunPlan],
        picture: Callable[[Path], Path],
        deadline_s: float,
    ) -> None:
        self._watch = Watch(case, operator, stop, told, rig=rig, player=player, deadline_s=deadline_s)
        self.notes = self._watch.notes
        self._case = case
        self._told = told
        self._rig = rig
        self._player = player
        self._plan = plan
        self._picture = picture
        self._prepared: RunPlan | None = None

    # What the runner asks for.

    def take(self, steps: tuple[Step, ...], depth: int = 0) -> None:
        """Take steps; raises Stopped, RedStep, Unanswered and HilguiError."""
        for step in steps:
            self._watch.turn()
            self._told(StepTaken(self._case, words_of(step.what), depth))
            self._take(step.what, depth)

    def wind_up(self, steps: tuple[Step, ...], limit_s: float) -> list[str]:
        """Take every step of the teardown, whatever happened before; gives what went wrong."""
        self._watch.wind_up(limit_s)
        troubles = []
        for step in steps:
            self._told(StepTaken(self._case, f"teardown: {words_of(step.what)}", 0))
            try:
                self._take(step.what, 0)
            except (HilguiError, RedStep, Unanswered, Stopped) as failure:
                troubles.append(f"{words_of(step.what)}: {failure}")
        return troubles

    def prepare(self, step: ReplayStep) -> Ready:
        """Open recording and models of a replay that comes later, before the rig is armed."""
        plan = self._plan(step)
        if self._player is None:
            raise CaseBroken("nothing plays here")
        self._watch.ready = None
        self._watch.until(lambda: self._watch.is_up, "the process of the models did not start", OPEN_S)
        self._player.prepare(plan)
        ready = self._watch.until(lambda: self._watch.ready, "recording and models were not open", OPEN_S)
        self._prepared = plan
        return ready

    def arm(self, model: Ready | None) -> None:
        """Arm the rig: two confirmations by the operator, then ARMED. Raises Stopped where he says no."""
        rig = self._rig
        assert isinstance(rig, RigDesk)
        watch, by = self._watch, self._watch.by
        watch.stop_when_asked()
        if rig.state is State.LATCHED:
            watch.confirm(Purpose.RESET, f"{rig.name} is LATCHED: {rig.reason}. Is the cause cleared; reset it?")
            rig.reset(by)
        elif rig.state is State.SHADOW:
            rig.select(by)
        watch.until(lambda: rig.state is State.SAFE and rig.is_verified, f"{rig.name} is not safe", ANSWER_S, rig)
        ready = model or Ready("", "", ())
        case = rig.arming_case(ready.model_sha256, ready.provider)
        devices = ", ".join(f"{name} ({says})" for name, says in rig.identities.items())
        watch.confirm(Purpose.ARM, f"This case moves {rig.name}: {devices}. Arm it?")
        asked_s = -math.inf

        def is_arming() -> bool:
            nonlocal asked_s
            if rig.state is State.SAFE and time.monotonic() - asked_s > 1.0:  # what runs may be attested a moment later
                asked_s = time.monotonic()
                rig.arm(by, case, needs_engine=model is not None)
            return rig.state is State.ARMING

        watch.until(is_arming, f"{rig.name} does not arm", ANSWER_S, rig)
        watch.confirm(Purpose.CONFIRM, f"{rig.name}: is everybody clear of the rig? Confirm a second time.")
        rig.confirm(by, case)
        watch.until(lambda: rig.state is State.ARMED, f"{rig.name} is not armed", ANSWER_S, rig)
        watch.is_armed = True

    def disarm(self) -> None:
        """Go back to SAFE at the end of the steps."""
        rig = self._rig
        if isinstance(rig, RigDesk) and rig.state in (State.ARMED, State.HOLD):
            self._watch.is_armed = False
            rig.disarm(self._watch.by)
            self._watch.until(lambda: rig.state is State.SAFE and rig.is_verified, "the rig is not safe", ANSWER_S, rig)

    def stop_everything(self, reason: str) -> None:
        """STOP: first the rig, then the run; waits until the run has its verdict."""
        rig, watch = self._rig, self._watch
        watch.wind_up(60.0)
        watch.stop_rig(reason)
        if self._player is not None and watch.frames is not None:
            self._player.stop(reason)
            with suppress(HilguiError):
                watch.until(lambda: watch.played, "the run did not end", 30.0)
        if isinstance(rig, RigDesk):
            with suppress(HilguiError):
                watch.until(lambda: rig.state not in (State.ARMED, State.STOPPING), "the rig did not stop", 5.0)

    # Steps.

    def _take(self, step: Any, depth: int) -> None:
        match step:
            case SetStep():
                self._set(step)
            case PerformStep():
                self._command(Perform(step.device, step.action, step.arguments))
            case RampStep():
                self._ramp(step)
            case WaitStep():
                self._wait(step)
            case ReplayStep():
                self._replay(step, depth)
            case PromptStep():
                self._prompt(step)
            case CaptureStep():
                self._capture(step)
            case FaultStep():
                self.notes.has_fault = True
                self._eyes.inject(step.device, step.kind, step.arguments)
            case LoopStep():
                for _ in range(step.times):
                    self.take(step.steps, depth + 1)
            case BranchStep():
                value = self.notes.captured.get(step.captured, math.nan)
                self.take(step.then if parse_limit(step.holds).holds(value) else step.otherwise, depth + 1)

    @property
    def _eyes(self) -> RigEyes:
        if self._rig is None:
            raise CaseBroken("the case has no rig")
        return self._rig

    def _set(self, step: SetStep) -> None:
        device, channel = self._desk.set_point(step.channel)
        try:
            self._command(SetValue(device, channel, step.value))
        except CaseBroken as failure:
            if not step.refused:
                raise
            self.notes.refused += 1
            self._told(StepTaken(self._case, f"refused, as it has to be: {failure}", 1))
            return
        if step.refused:
            raise RedStep(f"{step.channel} = {step.value:g} was not refused")

    @property
    def _desk(self) -> RigDesk:
        if not isinstance(self._rig, RigDesk):
            raise CaseBroken("this mode of a run cannot move a rig")
        return self._rig

    def _command(self, what: Actuation) -> None:
        done = self._answer(self._desk.command(what))
        if not done.is_ok:
            raise CaseBroken(f"{what.device} refused: {done.sentence}")

    def _answer(self, number: int) -> Done:
        return self._watch.until(lambda: self._eyes.answer(number), "the rig did not answer", ANSWER_S)

    def _read(self, signal: str) -> float:
        done = self._answer(self._eyes.read(signal))
        if not done.is_ok:
            raise CaseBroken(f"{signal} cannot be read: {done.sentence}")
        return value_of(done)

    def _ramp(self, step: RampStep) -> None:
        device, channel = self._desk.set_point(step.channel)
        began = time.monotonic()
        count = max(1, round(step.over_s / step.every_s))
        for number in range(count + 1):
            self._watch.rest(began + number * step.over_s / count - time.monotonic())
            value = step.start + (step.to - step.start) * number / count
            self._command(SetValue(device, channel, value))

    def _wait(self, step: WaitStep) -> None:
        if step.seconds is not None:
            self._watch.rest(step.seconds)
            return
        deadline = time.monotonic() + step.within_s
        while True:
            if step.state is not None:
                said = self._eyes.state.value
                holds = said == step.state
            else:
                assert step.channel is not None and step.holds is not None
                value = self._read(step.channel)
                said, holds = f"{value:g}", parse_limit(step.holds).holds(value)
            if holds:
                return
            if time.monotonic() > deadline:
                wanted = step.state or f"{step.channel} {step.holds}"
                sentence = f"not {wanted} within {step.within_s:g} s, but {said}"
                raise RedStep(sentence) if step.otherwise == "fail" else CaseBroken(sentence)
            self._watch.rest(0.02)

    def _capture(self, step: CaptureStep) -> None:
        if step.over_s is None:
            self.notes.captured[step.keep] = self._read(step.channel)
            return
        values: list[float] = []
        deadline = time.monotonic() + step.over_s
        while not values or time.monotonic() < deadline:
            values.append(self._read(step.channel))
            self._watch.rest(0.05)
        mean = sum(values) / len(values)
        self.notes.captured |= {
            step.keep: mean,
            f"{step.keep}.min": min(values),
            f"{step.keep}.mean": mean,
            f"{step.keep}.max": max(values),
        }

    def _replay(self, step: ReplayStep, depth: int) -> None:
        if self._prepared != self._plan(step):
            self.prepare(step)
        assert self._player is not None
        self._prepared, self._watch.played, self._watch.frames = None, None, 0
        with busy(step.busy_processes):
            self._player.go()
            self.take(step.meanwhile, depth + 1)
            played = self._watch.until(lambda: self._watch.played, "the replay did not end", math.inf)
        self._watch.frames = None
        self.notes.runs.append(played.folder)
        self.notes.outcomes.append((played.outcome, played.reasons))

    def _prompt(self, step: PromptStep) -> None:
        picture = None if step.picture is None else self._picture(step.picture)
        answer = self._watch.ask(Purpose.PROMPT, step.text, step.within_s, step, picture)
        if step.input == "confirm" and answer == NO:
            raise RedStep(f"the operator said no to: {step.text}")
        if step.input == "number" and step.keep is not None:
            self.notes.captured[step.keep] = float(answer)
