"""The engine process: takes commands from one pipe, runs drives, sends events."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import cv2

from hilgui import log as logs
from hilgui.engine.commands import Close, Command, Pause, Resume, StartRun, Stop
from hilgui.engine.events import Event, RunFailed, RunFinished, RunStarted
from hilgui.engine.screen import SharedScreen
from hilgui.errors import HilguiError
from hilgui.evidence.runs import note_finished
from hilgui.pipeline import Progress, Run, RunPlan, Watchers, prepare
from hilgui.records import Frame, Moment
from hilgui.shared_memory import SharedMemory
from hilgui.stream import Channel, Closed, Mailbox

log = logging.getLogger(__name__)

HUNG = 86  # exit code of an engine whose model did not come back
_ORPHANED = "the front end ended"
_ORPHAN_S = 20.0  # to finish frames under way and write the verdict when nobody is left to ask


def main(pipe: Connection, memory: SharedMemory | None, crash_path: Path, debug: bool) -> None:
    """Serve until the pipe closes; the target of the spawned process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the front end, which asks us to stop
    logs.set_up(debug=debug)
    sys.setswitchinterval(0.0005)
    cv2.setNumThreads(1)  # frames are what runs in parallel; threads inside a resize only wait for each other
    with crash_path.open("w", encoding="utf-8") as crash:
        faulthandler.enable(crash)
        screen = None if memory is None else SharedScreen(memory)
        try:
            _Service(pipe, screen).serve()
        finally:
            faulthandler.disable()
            if screen is not None:
                screen.close()
    with suppress(OSError):  # where the front end was killed, nobody else looks after it
        if not crash_path.stat().st_size:
            crash_path.unlink()


class _Service:
    """One run at a time on the main thread; commands, events and the screen have threads of their own."""

    def __init__(self, pipe: Connection, screen: SharedScreen | None) -> None:
        self._pipe = pipe
        self._screen = screen
        self._plans: Channel[RunPlan] = Channel(1000)
        self._events: Channel[Event] = Channel(64)
        self._newest: Mailbox[tuple[Frame, Moment]] = Mailbox()
        self._run: Run | None = None
        self._asked = 0  # runs asked for and not ended
        self._stop_reason = ""  # of the current run, also while it is still being prepared
        self._lock = threading.Lock()
        self._over = threading.Event()

    def serve(self) -> None:
        threads = [
            threading.Thread(target=self._listen, name="commands", daemon=True),  # blocked in recv until we exit
            threading.Thread(target=self._send_all, name="events"),
            threading.Thread(target=self._paint_all, name="screen"),
        ]
        for thread in threads:
            thread.start()
        try:
            for plan in self._plans:
                self._execute(plan)
        finally:
            self._events.close()
            self._newest.close()
            self._over.set()
            for thread in threads[1:]:
                thread.join()

    def _listen(self) -> None:
        while True:
            try:
                command: Command = self._pipe.recv()
            except (EOFError, OSError):
                command = Close()
                self._halt(_ORPHANED)
                _leave_after(_ORPHAN_S)
            match command:
                case StartRun(plan):
                    with self._lock:
                        self._asked += 1
                    self._plans.put(plan)
                case Pause() | Resume():
                    self._hold(isinstance(command, Pause))
                case Stop(reason):
                    self._halt(reason)
                case Close():
                    self._plans.abort()
                    return

    def _hold(self, is_held: bool) -> None:
        with self._lock:
            if self._run is not None:
                (self._run.pause if is_held else self._run.resume)()

    def _halt(self, reason: str) -> None:
        with self._lock:
            if self._asked:
                self._stop_reason = reason
            if self._run is not None:
                self._run.stop(reason)

    def _execute(self, plan: RunPlan) -> None:
        folder: Path | None = None
        try:
            prepared = prepare(plan)
            try:
                run = Run(prepared, Watchers(self._report, self._show, _end_hung))
                folder = run.folder
                logs.set_run(prepared.header.run_id)
                started = RunStarted(folder, prepared.header.run_id, prepared.header.source.frames, prepared.notes)
                self._tell(started)
                with self._lock:
                    self._run = run
                    if self._stop_reason:
                        run.stop(self._stop_reason)
                verdict = run.execute()
            finally:
                prepared.close()
                if folder is not None:
                    note_finished(plan.settings.home, folder)
            self._tell(RunFinished(folder, verdict.outcome, verdict.reasons))
        except HilguiError as failure:
            self._tell(RunFailed(str(failure), traceback.format_exc(), folder, failure.exit_code))
        except Exception as failure:  # the top of the engine: the front end shows it, the process lives on
            log.exception("the run failed")
            sentence = f"hilgui itself failed: {type(failure).__name__}: {failure}; please report the details"
            self._tell(RunFailed(sentence, traceback.format_exc(), folder))
        finally:
            with self._lock:
                self._run, self._stop_reason = None, ""
                self._asked -= 1

    def _tell(self, event: Event) -> None:
        """Send an event; a front end that is gone need not be told."""
        with suppress(Closed):
            self._events.put(event)

    def _report(self, progress: Progress) -> None:
        if len(self._events) < 32:  # a front end that sleeps loses progress, never what matters
            self._tell(progress)

    def _show(self, frame: Frame, moment: Moment) -> None:
        if self._screen is not None:
            self._newest.post((frame, moment))

    def _send_all(self) -> None:
        for event in self._events:
            try:
                self._pipe.send(event)
            except (BrokenPipeError, OSError):
                self._events.abort()
                self._halt(_ORPHANED)
                return

    def _paint_all(self) -> None:
        while True:
            try:
                frame, moment = self._newest.take()
            except Closed:
                return
            assert self._screen is not None  # else nothing is posted
            self._screen.show(frame, moment)
            self._over.wait(self._screen.period_s)


def _end_hung(sentence: str) -> None:
    """End the process at once: native code that does not come back cannot be stopped otherwise."""
    log.critical("%s", sentence)
    os._exit(HUNG)


def _leave_after(timeout_s: float) -> None:
    """End the process whatever still runs in it; a model that hangs must not outlive its front end."""

    def leave() -> None:
        log.error("the engine did not end within %s s of its front end", timeout_s)
        os._exit(1)

    timer = threading.Timer(timeout_s, leave)
    timer.daemon = True
    timer.start()
