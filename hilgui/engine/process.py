"""The front end's side of the engine process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from hilgui.engine import child
from hilgui.engine.commands import Close, Command, Pause, Resume, StartRun, Stop
from hilgui.engine.events import Event, RunFailed, RunFinished, RunStarted
from hilgui.engine.screen import SharedScreen, Shown
from hilgui.errors import EngineLost
from hilgui.pipeline import RunPlan
from hilgui.processes import unheard_interrupts
from hilgui.records import Outcome, Verdict
from hilgui.scaling import Cut
from hilgui.store import close_dead_run

_POLL_LIMIT = 256
_CLOSE_S = 10.0  # to finish frames under way and write the verdict
_KILLED = {signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)}


class Engine:
    """Owns one spawned engine process. Not thread-safe: one thread of the front end asks and polls.

    A process that dies takes its run with it, never the front end: the run is closed in the store
    (ABORTED when somebody killed the process, ERROR when it crashed) and the death arrives as an event.
    """

    def __init__(self, *, with_screen: bool = False, debug: bool = False) -> None:
        self._with_screen = with_screen
        self._debug = debug
        self._screen: SharedScreen | None = None
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._crash_path: Path | None = None
        self._folder: Path | None = None
        self._is_busy = False

    @property
    def is_alive(self) -> bool:
        """Say whether the process runs."""
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int | None:
        """Give the process id."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Spawn the process; returns before it is ready."""
        if self.is_alive:
            return
        self.close()
        handle, name = tempfile.mkstemp(prefix="hilgui-crash-", suffix=".txt")
        os.close(handle)
        self._crash_path = Path(name)
        self._screen = SharedScreen() if self._with_screen else None
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=child.main,
            args=(theirs, None if self._screen is None else self._screen.memory, self._crash_path, self._debug),
            name="hilgui-engine",
        )
        with unheard_interrupts():
            self._process.start()
        theirs.close()

    def run(self, plan: RunPlan) -> None:
        """Ask for a run; a dead engine is started again. Raises EngineLost."""
        if not self.is_alive:
            self.start()
        self._is_busy = True
        self._send(StartRun(plan))

    def pause(self) -> None:
        """Hold the current run."""
        self._send(Pause())

    def resume(self) -> None:
        """Go on with the current run."""
        self._send(Resume())

    def stop(self, reason: str = "stopped by the operator") -> None:
        """End the current run as ABORTED."""
        self._send(Stop(reason))

    def kill(self) -> None:
        """End the process at once; its run becomes ABORTED."""
        if self._process is not None:
            self._process.kill()

    def poll(self) -> list[Event]:
        """Give what has arrived, without waiting."""
        events: list[Event] = []
        while len(events) < _POLL_LIMIT:
            event = self.wait(0.0)
            if event is None:
                break
            events.append(event)
        return events

    def wait(self, timeout_s: float) -> Event | None:
        """Wait for the next event; None when the time is over."""
        if self._pipe is None:
            return None
        try:
            if not self._pipe.poll(timeout_s):
                return None
            event: Event = self._pipe.recv()
        except (EOFError, OSError):
            return self._bury()
        if isinstance(event, RunStarted):
            self._folder = event.folder
        elif isinstance(event, RunFinished | RunFailed):
            self._folder, self._is_busy = None, False
        return event

    def newest(self) -> Shown | None:
        """Give the newest frame since the last call, if there is one."""
        return None if self._screen is None else self._screen.newest()

    def look_at(self, cut: Cut | None, period_s: float) -> None:
        """Say which part of the frames the front end shows, None for the whole of them, and how often."""
        if self._screen is not None:
            self._screen.ask(cut, period_s)

    def close(self) -> None:
        """End the process, kindly first; may be called twice."""
        if self._pipe is not None:
            with suppress(OSError):
                self._pipe.send(Stop("the front end closed"))
                self._pipe.send(Close())
        if self._process is not None:
            self._drain_until_dead(self._process, _CLOSE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()
            self._process = None
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        self._release()

    def _drain_until_dead(self, process: SpawnProcess, timeout_s: float) -> None:
        """Take events away, so that a process that wants to say something can end."""
        deadline = time.monotonic() + timeout_s
        while self._pipe is not None and (left := deadline - time.monotonic()) > 0:
            try:
                if self._pipe.poll(left):
                    self._pipe.recv()
            except (EOFError, OSError):
                break
        process.join(max(deadline - time.monotonic(), 0.1))

    def _send(self, command: Command) -> None:
        if self._pipe is None:
            raise EngineLost("the engine is not running; start the run again")
        with suppress(BrokenPipeError, ConnectionResetError):  # its end arrives as an event
            self._pipe.send(command)

    def _bury(self) -> Event | None:
        assert self._process is not None and self._pipe is not None
        self._process.join(5.0)
        code = self._process.exitcode
        was_busy, folder = self._is_busy, self._folder
        details = self._last_words()
        self._pipe.close()
        self._pipe = None
        self._is_busy, self._folder = False, None
        self._release()
        if not was_busy:
            return None
        name = f"exit status {code}"
        if code is not None and code < 0:
            name = signal.Signals(-code).name
        if code is not None and -code in _KILLED:
            reasons = (f"the engine process was killed ({name})",)
            if folder is None:
                return RunFailed(f"{reasons[0]} before the run began; start it again", details)
            close_dead_run(folder, Verdict(Outcome.ABORTED, reasons))
            return RunFinished(folder, Outcome.ABORTED, reasons)
        sentence = (
            f"the engine process crashed ({name}), most likely inside a model or a codec; "
            "frames stored until then are readable; try --provider cpu or another model"
        )
        if code == child.HUNG:
            sentence = (
                "a model did not come back from one picture, so the engine process was ended; frames stored until then "
                "are readable; inspect the model (`hilgui models inspect`), or raise inference_timeout_s"
            )
        if folder is not None:
            close_dead_run(folder, Verdict(Outcome.ERROR, (sentence,)))
        return RunFailed(sentence, details, folder)

    def _last_words(self) -> str:
        if self._crash_path is None:
            return ""
        with suppress(OSError):
            return self._crash_path.read_text(encoding="utf-8", errors="replace")
        return ""

    def _release(self) -> None:
        if self._screen is not None:
            self._screen.close()
            self._screen = None
        if self._crash_path is not None:
            self._crash_path.unlink(missing_ok=True)
            self._crash_path = None
