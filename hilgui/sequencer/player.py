"""The process that plays recordings through models for a case, and the front end's side of it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import signal
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from hilgui.errors import EngineLost, HilguiError
from hilgui.pipeline import Prepared, Progress, Run, RunPlan, Watchers, prepare
from hilgui.processes import unheard_interrupts
from hilgui.records import Frame, Moment, Outcome, Role, Verdict
from hilgui.rigs.client import RigHand, RigWatch
from hilgui.sequencer.case import Controller
from hilgui.sequencer.perception import Perception, Reflex
from hilgui.store import close_dead_run

log = logging.getLogger(__name__)

_CLOSE_S = 20.0  # to finish frames under way and write the verdict
_HUNG = 86


@dataclass(frozen=True, slots=True)
class Prepare:
    """Open recording, labels and models."""

    plan: RunPlan


@dataclass(frozen=True, slots=True)
class Go:
    """Play what was prepared."""


@dataclass(frozen=True, slots=True)
class Halt:
    """End the run under way as ABORTED."""

    reason: str


Command = Prepare | Go | Halt


@dataclass(frozen=True, slots=True)
class Up:
    """The process is there."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything is open; what the rig's arming has to agree with."""

    model_sha256: str
    provider: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Began:
    """A run has its folder."""

    folder: Path
    frames: int | None


@dataclass(frozen=True, slots=True)
class Played:
    """A run has its verdict."""

    folder: Path
    outcome: Outcome
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Broke:
    """The bench failed: one sentence, and details for whoever debugs."""

    sentence: str
    details: str
    folder: Path | None = None


Event = Up | Ready | Began | Progress | Played | Broke


class Player:
    """Owns one spawned process; one thread asks and polls. `rig` is handed over for good.

    What is handed over decides what the models may do: nothing or a RigWatch, then nothing that moves exists in their
    process; a RigHand goes there only with the controller of a closed loop.
    """

    def __init__(self, rig: RigWatch | None = None, reflex: tuple[RigHand, Controller] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._folder: Path | None = None
        self._process: SpawnProcess = context.Process(target=main, args=(theirs, rig, reflex), name="hilgui-player")
        with unheard_interrupts():
            self._process.start()
        theirs.close()
        for end in (rig, None if reflex is None else reflex[0]):
            if end is not None:
                end.close()

    @property
    def pid(self) -> int | None:
        """Give the process id."""
        return self._process.pid

    def prepare(self, plan: RunPlan) -> None:
        """Open everything; ends with Ready or Broke."""
        self._send(Prepare(plan))

    def go(self) -> None:
        """Play; ends with Played or Broke."""
        self._send(Go())

    def stop(self, reason: str) -> None:
        """End the run under way."""
        self._send(Halt(reason))

    def poll(self) -> list[Event]:
        """Give what has arrived, without waiting; raises EngineLost when the process ended."""
        events: list[Event] = []
        try:
            while self._pipe.poll(0.0):
                event: Event = self._pipe.recv()
                if isinstance(event, Began | Played | Broke):
                    self._folder = event.folder if isinstance(event, Began) else None
                events.append(event)
        except (EOFError, OSError) as failure:
            if not events:
                raise self._lost() from failure
        return events

    def close(self) -> None:
        """End the process, kindly first."""
        self._pipe.close()
        self._process.join(_CLOSE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()

    def _send(self, command: Command) -> None:
        with suppress(OSError):  # its end is noticed by poll
            self._pipe.send(command)

    def _lost(self) -> EngineLost:
        self._process.join(5.0)
        code = self._process.exitcode
        name = signal.Signals(-code).name if code is not None and code < 0 else f"exit status {code}"
        sentence = f"the process that ran the models ended ({name}); frames stored until then are readable"
        if self._folder is not None:
            close_dead_run(self._folder, Verdict(Outcome.ERROR, (sentence,)))
            self._folder = None
        return EngineLost(sentence)


def main(pipe: Connection, rig: RigWatch | None, reflex: tuple[RigHand, Controller] | None) -> None:
    """Serve until the pipe closes; the target of the spawned process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(0.0005)
    import cv2

    cv2.setNumThreads(1)
    perception: Perception | None = None
    if reflex is not None:
        perception = Reflex(*reflex)
    elif rig is not None:
        perception = Perception(rig)
    try:
        _Service(pipe, perception).serve()
    finally:
        if perception is not None:
            perception.close()


class _Service:
    """One run at a time on the main thread; commands arrive on a thread of their own."""

    def __init__(self, pipe: Connection, perception: Perception | None) -> None:
        self._pipe = pipe
        self._perception = perception
        self._lock = threading.Lock()  # of the pipe's sending end
        self._commands: queue.SimpleQueue[Prepare | Go | None] = queue.SimpleQueue()
        self._run: Run | None = None
        self._prepared: Prepared | None = None
        self._halted = ""

    def serve(self) -> None:
        threading.Thread(target=self._listen, name="commands", daemon=True).start()  # blocked in recv until we exit
        self._tell(Up())
        while (command := self._commands.get()) is not None:
            try:
                if isinstance(command, Prepare):
                    self._prepare(command.plan)
                else:
                    self._play()
            except HilguiError as failure:
                self._tell(Broke(str(failure), traceback.format_exc()))
            except Exception as failure:  # the top of the process: told to the front end, the process lives on
                log.exception("the run failed")
                sentence = f"hilgui itself failed: {type(failure).__name__}: {failure}; please report the details"
                self._tell(Broke(sentence, traceback.format_exc()))
        self._forget()

    def _listen(self) -> None:
        while True:
            try:
                command: Command = self._pipe.recv()
            except (EOFError, OSError):
                self._halt("the front end ended")
                self._commands.put(None)
                return
            if isinstance(command, Halt):
                self._halt(command.reason)
            else:
                self._commands.put(command)

    def _halt(self, reason: str) -> None:
        self._halted = reason
        if (run := self._run) is not None:
            run.stop(reason)

    def _forget(self) -> None:
        if self._prepared is not None:
            self._prepared.close()
            self._prepared = None

    def _prepare(self, plan: RunPlan) -> None:
        self._forget()
        self._halted = ""
        self._prepared = prepare(plan)
        header = self._prepared.header
        facts = header.models[Role.BASELINE]
        if self._perception is not None:
            facts = header.models[self._perception.role]
            self._perception.attest(header)
        self._tell(Ready(facts.sha256, facts.provider, self._prepared.notes))

    def _play(self) -> None:
        prepared, self._prepared = self._prepared, None
        if prepared is None:
            return
        try:
            if self._perception is not None:
                self._perception.begin(prepared.header)
            run = Run(prepared, Watchers(self._tell, self._see, _end_hung))
            self._run = run
            self._tell(Began(run.folder, prepared.header.source.frames))
            if self._halted:
                run.stop(self._halted)
            verdict = run.execute()
        finally:
            self._run = None
            prepared.close()
        self._tell(Played(run.folder, verdict.outcome, verdict.reasons))

    def _see(self, frame: Frame, moment: Moment) -> None:
        if self._perception is not None:
            self._perception.see(moment)

    def _tell(self, event: Event) -> None:
        with self._lock, suppress(OSError):
            self._pipe.send(event)


def _end_hung(sentence: str) -> None:
    """End the process at once: native code that does not come back cannot be stopped otherwise."""
    log.critical("%s", sentence)
    os._exit(_HUNG)
