"""Takes the steps of a case, one after the other, while rig, models and operator are looked after."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from hilgui.errors import CaseBroken, HilguiError
from hilgui.evaluation.limits import parse_limit
from hilgui.pipeline import Progress, RunPlan
from hilgui.records import Outcome
from hilgui.rigs import Perform, SetValue
from hilgui.rigs.arming import State
from hilgui.rigs.messages import Done
from hilgui.rigs.protocol import Actuation
from hilgui.sequencer.operator import NO, YES, Operator, Purpose, Question
from hilgui.sequencer.player import Began, Broke, Played, Player, Ready, Up
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
from hilgui.stream import StopToken

TURN_S = 0.005
ANSWER_S = 10.0  # for the rig to answer a question
OPEN_S = 300.0  # for recording and models to be open


class Stopped(Exception):
    """The operator pressed STOP, or said no where the rig was to be armed."""


class RedStep(Exception):
    """A step whose outcome is a red result: a wait that was said to fail the case, a no of the operator."""


class Unanswered(Exception):
    """Nobody was there to answer."""


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step begins; `depth` counts the steps that it is within."""

    case: str
    text: str
    depth: int


@dataclass(frozen=True, slots=True)
class Playing:
    """How far a replay is."""

    case: str
    evaluated: int
    frames: int | None
    fps: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A replay has its run folder: a screen may follow it."""

    case: str
    folder: Path


@dataclass(frozen=True, slots=True)
class RigStood:
    """The rig of the case has another arming state."""

    case: str
    state: State
    reason: str


_T = TypeVar("_T")
Told = Callable[[Any], None]


@dataclass(slots=True)
class Notes:
    """What came of the steps."""

    captured: dict[str, float] = field(default_factory=dict)
    runs: list[Path] = field(default_factory=list)
    outcomes: list[tuple[Outcome, tuple[str, ...]]] = field(default_factory=list)  # of the runs
    refused: int = 0  # commands that the rig had to refuse, and did
    has_fault: bool = False


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
        self.notes = Notes()
        self._case = case
        self._operator = operator
        self._stop = stop
        self._told = told
        self._rig = rig
        self._player = player
        self._plan = plan
        self._picture = picture
        self._deadline_s = deadline_s
        self._is_armed = False
        self._is_winding_up = False
        self._played: Played | None = None
        self._ready: Ready | None = None
        self._is_up = False
        self._frames: int | None = None
        self._prepared: RunPlan | None = None
        self._questions = 0
        self._rig_told: State | None = None

    # What the runner asks for.

    def take(self, steps: tuple[Step, ...], depth: int = 0) -> None:
        """Take steps; raises Stopped, RedStep, Unanswered and HilguiError."""
        for step in steps:
            self._turn()
            self._told(StepTaken(self._case, words_of(step.what), depth))
            self._take(step.what, depth)

    def wind_up(self, steps: tuple[Step, ...], limit_s: float) -> list[str]:
        """Take every step of the teardown, whatever happened before; gives what went wrong."""
        self._is_winding_up, self._is_armed = True, False
        self._deadline_s = time.monotonic() + limit_s
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
        self._ready = None
        self._until(lambda: self._is_up, "the process of the models did not start", OPEN_S)
        self._player.prepare(plan)
        ready = self._until(lambda: self._ready, "recording and models were not open", OPEN_S)
        self._prepared = plan
        return ready

    def arm(self, model: Ready | None) -> None:
        """Arm the rig: two confirmations by the operator, then ARMED. Raises Stopped where he says no."""
        rig = self._rig
        assert isinstance(rig, RigDesk)
        by = self._operator.name or "operator"
        self._stop.on_stop(self._stop_rig)
        if rig.state is State.LATCHED:
            self._confirm(Purpose.RESET, f"{rig.name} is LATCHED: {rig.reason}. Is the cause cleared; reset it?")
            rig.reset(by)
        elif rig.state is State.SHADOW:
            rig.select(by)
        self._until(lambda: rig.state is State.SAFE and rig.is_verified, f"{rig.name} is not safe", ANSWER_S, rig)
        ready = model or Ready("", "", ())
        case = rig.arming_case(ready.model_sha256, ready.provider)
        devices = ", ".join(f"{name} ({says})" for name, says in rig.identities.items())
        self._confirm(Purpose.ARM, f"This case moves {rig.name}: {devices}. Arm it?")
        asked_s = -math.inf

        def is_arming() -> bool:
            nonlocal asked_s
            if rig.state is State.SAFE and time.monotonic() - asked_s > 1.0:  # what runs may be attested a moment later
                asked_s = time.monotonic()
                rig.arm(by, case, needs_engine=model is not None)
            return rig.state is State.ARMING

        self._until(is_arming, f"{rig.name} does not arm", ANSWER_S, rig)
        self._confirm(Purpose.CONFIRM, f"{rig.name}: is everybody clear of the rig? Confirm a second time.")
        rig.confirm(by, case)
        self._until(lambda: rig.state is State.ARMED, f"{rig.name} is not armed", ANSWER_S, rig)
        self._is_armed = True

    def disarm(self) -> None:
        """Go back to SAFE at the end of the steps."""
        rig = self._rig
        if isinstance(rig, RigDesk) and rig.state in (State.ARMED, State.HOLD):
            self._is_armed = False
            rig.disarm(self._operator.name or "operator")
            self._until(lambda: rig.state is State.SAFE and rig.is_verified, "the rig is not safe", ANSWER_S, rig)

    def stop_everything(self, reason: str) -> None:
        """STOP: first the rig, then the run; waits until the run has its verdict."""
        self._is_winding_up, self._is_armed = True, False
        self._deadline_s = time.monotonic() + 60.0
        rig = self._rig
        if isinstance(rig, RigDesk) and rig.state in (State.ARMING, State.ARMED, State.HOLD):
            with suppress(HilguiError):
                rig.stop(self._operator.name or "operator", reason)
        if self._player is not None and self._frames is not None:
            self._player.stop(reason)
            with suppress(HilguiError):
                self._until(lambda: self._played, "the run did not end", 30.0)
        if isinstance(rig, RigDesk):
            with suppress(HilguiError):
                self._until(lambda: rig.state not in (State.ARMED, State.STOPPING), "the rig did not stop", 5.0)

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
        return self._until(lambda: self._eyes.answer(number), "the rig did not answer", ANSWER_S)

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
            self._rest(began + number * step.over_s / count - time.monotonic())
            value = step.start + (step.to - step.start) * number / count
            self._command(SetValue(device, channel, value))

    def _wait(self, step: WaitStep) -> None:
        if step.seconds is not None:
            self._rest(step.seconds)
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
            self._rest(0.02)

    def _capture(self, step: CaptureStep) -> None:
        if step.over_s is None:
            self.notes.captured[step.keep] = self._read(step.channel)
            return
        values: list[float] = []
        deadline = time.monotonic() + step.over_s
        while not values or time.monotonic() < deadline:
            values.append(self._read(step.channel))
            self._rest(0.05)
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
        self._prepared, self._played, self._frames = None, None, 0
        with _busy(step.busy_processes):
            self._player.go()
            self.take(step.meanwhile, depth + 1)
            played = self._until(lambda: self._played, "the replay did not end", math.inf)
        self._frames = None
        self.notes.runs.append(played.folder)
        self.notes.outcomes.append((played.outcome, played.reasons))

    def _prompt(self, step: PromptStep) -> None:
        picture = None if step.picture is None else self._picture(step.picture)
        answer = self._ask(Purpose.PROMPT, step.text, step.within_s, step, picture)
        if step.input == "confirm" and answer == NO:
            raise RedStep(f"the operator said no to: {step.text}")
        if step.input == "number" and step.keep is not None:
            self.notes.captured[step.keep] = float(answer)

    # Waiting.

    def _confirm(self, purpose: Purpose, text: str) -> None:
        if self._ask(purpose, text, 600.0) != YES:
            raise Stopped(f"the operator said no to: {text}")

    def _ask(
        self,
        purpose: Purpose,
        text: str,
        within_s: float,
        step: PromptStep | None = None,
        picture: Path | None = None,
    ) -> str:
        self._questions += 1
        question = Question(
            self._questions,
            self._case,
            purpose,
            text,
            "confirm" if step is None else step.input,
            picture,
            () if step is None else step.choices,
            hazardous=step is None or step.hazardous,
            simulated=self._rig is None or self._rig.is_simulated,
        )
        if self._operator.is_absent(question):
            raise Unanswered(f"nobody is there to answer: {text}")
        self._told(question)
        self._operator.ask(question)
        try:
            deadline = time.monotonic() + within_s
            while (answer := self._operator.answer(question)) is None:
                if time.monotonic() > deadline:
                    raise Unanswered(f"nobody answered within {within_s:g} s: {text}")
                self._rest(TURN_S)
            return answer
        finally:
            self._operator.withdraw(question)

    def _rest(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._turn()
            time.sleep(min(TURN_S, left))

    def _until(self, holds: Callable[[], _T | None], otherwise: str, within_s: float, rig: RigEyes | None = None) -> _T:
        deadline = time.monotonic() + within_s
        while True:
            self._turn()
            found = holds()
            if found:
                return found
            if time.monotonic() > deadline:
                why = "" if rig is None else f" but {rig.state.value}: {rig.reason}"
                raise CaseBroken(f"{otherwise} within {within_s:g} s{why}")
            time.sleep(TURN_S)

    def _tell_rig(self, rig: RigEyes) -> None:
        if rig.state is not self._rig_told:
            self._rig_told = rig.state
            self._told(RigStood(self._case, rig.state, rig.reason))

    def _stop_rig(self) -> None:
        """Put STOP on the wires at once, on the thread of whoever pressed it; the case winds up afterwards."""
        rig = self._rig
        if isinstance(rig, RigDesk) and rig.state in (State.ARMING, State.ARMED, State.HOLD):
            with suppress(HilguiError):
                rig.stop(self._operator.name or "operator", self._stop.reason)

    def _turn(self) -> None:
        """Look after everything once: beat, take answers and events, notice STOP, time-out and a rig that stopped."""
        if self._rig is not None:
            self._rig.poll()
            self._tell_rig(self._rig)
        if self._player is not None:
            for event in self._player.poll():
                self._learn(event)
        if self._stop.is_set and not self._is_winding_up:
            raise Stopped(self._stop.reason)
        if time.monotonic() > self._deadline_s:
            what = "the teardown took too long" if self._is_winding_up else "the case took longer than its timeout_s"
            raise CaseBroken(what)
        rig = self._rig
        if self._is_armed and rig is not None and not self.notes.has_fault and rig.state is not State.ARMED:
            self._is_armed = False
            raise CaseBroken(f"the rig left ARMED: it is {rig.state.value}, {rig.reason}")

    def _learn(self, event: Any) -> None:
        match event:
            case Up():
                self._is_up = True
            case Ready():
                self._ready = event
            case Began(folder, frames):
                self._frames = frames or 0
                self._told(RunBegan(self._case, folder))
            case Progress():
                total = self._frames or None
                self._told(Playing(self._case, event.evaluated, total, event.fps, event.seconds_left))
            case Played():
                self._played = event
            case Broke(sentence, details):
                self._frames = None
                raise CaseBroken(f"{sentence}") from RuntimeError(details)


@contextmanager
def _busy(count: int) -> Iterator[None]:
    """Keep the machine busy with processes of their own; they end with the block, or with this process."""
    context = multiprocessing.get_context("spawn")
    ends: list[Connection] = []
    processes = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_burn, args=(theirs,), name="hilgui-load")
            process.start()
            theirs.close()
            ends.append(ours)
            processes.append(process)
        yield
    finally:
        for end in ends:
            end.close()
        for process in processes:
            process.join(5.0)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()


def _burn(pipe: Connection) -> None:
    """Compute until the other end of the pipe is closed."""
    while not pipe.poll(0.0):
        sum(number * number for number in range(20_000))
