"""Looks after rig, models and operator while the steps of a case are taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from hilgui.errors import CaseBroken, HilguiError
from hilgui.pipeline import Progress
from hilgui.rigs.arming import State
from hilgui.sequencer.operator import YES, Operator, Purpose, Question
from hilgui.sequencer.player import Began, Broke, Played, Player, Ready, Up
from hilgui.sequencer.rig_desk import RigDesk, RigEyes
from hilgui.sequencer.steps import PromptStep
from hilgui.sequencer.tidings import Notes, Playing, RigStood, RunBegan, Stopped, Told, Unanswered
from hilgui.stream import StopToken

TURN_S = 0.005

_T = TypeVar("_T")
_OUTPUTS_MAY_BE_ON = (State.ARMING, State.ARMED, State.HOLD)


class Watch:
    """Everything happens on the runner's thread but a STOP, which whoever presses it puts on the wires at once."""

    def __init__(
        self,
        case: str,
        operator: Operator,
        stop: StopToken,
        told: Told,
        *,
        rig: RigEyes | None,
        player: Player | None,
        deadline_s: float,
    ) -> None:
        self.notes = Notes()
        self.is_armed = False  # since the two confirmations: a rig that leaves ARMED by itself breaks the case
        self.is_up = False  # the models' process
        self.ready: Ready | None = None
        self.frames: int | None = None  # of the replay under way
        self.played: Played | None = None
        self._case = case
        self._operator = operator
        self._stop = stop
        self._told = told
        self._rig = rig
        self._player = player
        self._deadline_s = deadline_s
        self._is_winding_up = False
        self._questions = 0
        self._rig_told: tuple[State, dict[str, int]] | None = None

    @property
    def by(self) -> str:
        """Give the name that goes into the rig's journal."""
        return self._operator.name or "operator"

    def wind_up(self, limit_s: float) -> None:
        """Go on in spite of STOP, for at most so long: what comes now puts everything away."""
        self._is_winding_up, self.is_armed = True, False
        self._deadline_s = time.monotonic() + limit_s

    def stop_when_asked(self) -> None:
        """Have a STOP of the case reach the wires at once, on the thread of whoever pressed it."""
        self._stop.on_stop(lambda: self.stop_rig(self._stop.reason))

    def stop_rig(self, reason: str) -> None:
        """Stop the rig where its outputs may be on."""
        rig = self._rig
        if isinstance(rig, RigDesk) and rig.state in _OUTPUTS_MAY_BE_ON:
            with suppress(HilguiError):
                rig.stop(self.by, reason)

    def confirm(self, purpose: Purpose, text: str) -> None:
        """Ask for a yes before the rig moves; raises Stopped for a no."""
        if self.ask(purpose, text, 600.0) != YES:
            raise Stopped(f"the operator said no to: {text}")

    def ask(
        self,
        purpose: Purpose,
        text: str,
        within_s: float,
        step: PromptStep | None = None,
        picture: Path | None = None,
    ) -> str:
        """Ask the operator and wait for what he says; raises Unanswered."""
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
                self.rest(TURN_S)
            return answer
        finally:
            self._operator.withdraw(question)

    def rest(self, seconds: float) -> None:
        """Wait, and look after everything meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.turn()
            time.sleep(min(TURN_S, left))

    def until(self, holds: Callable[[], _T | None], otherwise: str, within_s: float, rig: RigEyes | None = None) -> _T:
        """Wait until something holds and give it; raises CaseBroken with `otherwise`."""
        deadline = time.monotonic() + within_s
        while True:
            self.turn()
            found = holds()
            if found:
                return found
            if time.monotonic() > deadline:
                why = "" if rig is None else f" but {rig.state.value}: {rig.reason}"
                raise CaseBroken(f"{otherwise} within {within_s:g} s{why}")
            time.sleep(TURN_S)

    def _tell_rig(self, rig: RigEyes) -> None:
        now = (rig.state, rig.blocked)
        if now != self._rig_told:
            self._rig_told = now
            self._told(RigStood(self._case, rig.state, rig.reason, rig.blocked))

    def turn(self) -> None:
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
        if self.is_armed and rig is not None and not self.notes.has_fault and rig.state is not State.ARMED:
            self.is_armed = False
            raise CaseBroken(f"the rig left ARMED: it is {rig.state.value}, {rig.reason}")

    def _learn(self, event: Any) -> None:
        match event:
            case Up():
                self.is_up = True
            case Ready():
                self.ready = event
            case Began(folder, frames):
                self.frames = frames or 0
                self._told(RunBegan(self._case, folder))
            case Progress():
                self._told(event)
                total = self.frames or None
                self._told(Playing(self._case, event.evaluated, total, event.fps, event.seconds_left))
            case Played():
                self.played = event
                self._told(event)
            case Broke(sentence, details):
                self.frames = None
                raise CaseBroken(f"{sentence}") from RuntimeError(details)
