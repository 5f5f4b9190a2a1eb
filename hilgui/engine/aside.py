"""Long arithmetic beside the front end: one child process that works questions off, so that the screen stays free."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Protocol, TypeVar

from hilgui.errors import BenchBroken, HilguiError
from hilgui.processes import unheard_interrupts

Answer = TypeVar("Answer", covariant=True)
Tell = Callable[[int, int], None]

_LESS_URGENT = 5  # niceness: a run under way goes first
_CLOSE_S = 5.0


class Work(Protocol[Answer]):
    """A question: a picklable record that can be called in the child."""

    def __call__(self, kept: dict[str, Any], tell: Tell) -> Answer:
        """Work it out; `kept` lasts from question to question, `tell(done, total)` reports progress."""
        ...


@dataclass(frozen=True, slots=True)
class _Told:
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class _Failed:
    sentence: str
    details: str


class Aside:
    """Owns the process; `ask` waits without holding the interpreter: call it from an errand, one thread at a time.

    A thread in this process would not do: while it computes, each call of the screen waits for the interpreter.
    """

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._lock = threading.Lock()

    def ask(self, work: Work[Answer], tell: Tell) -> Answer:
        """Have it worked out; raises BenchBroken with the sentence of what went wrong, or where the process ended."""
        try:
            pipe = self._started()
            pipe.send(work)
            while True:
                answer = pipe.recv()
                if isinstance(answer, _Told):
                    tell(answer.done, answer.total)
                elif isinstance(answer, _Failed):
                    raise BenchBroken(answer.sentence)
                else:
                    return answer[0]  # type: ignore[no-any-return]  # what the work gave
        except (EOFError, OSError) as failure:
            self.close()
            raise BenchBroken("the process that works figures out ended; is memory short? Try again") from failure

    def close(self) -> None:
        """End the process, whatever it does; may be called twice and from any thread."""
        with self._lock:
            process, self._process = self._process, None
            pipe, self._pipe = self._pipe, None
        atexit.unregister(self.close)
        if process is not None:
            process.terminate()
            process.join(_CLOSE_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
        if pipe is not None:
            pipe.close()

    def _started(self) -> Connection:
        with self._lock:
            if self._pipe is None:
                context = multiprocessing.get_context("spawn")
                mine, theirs = context.Pipe()
                # no daemon: those may not try a model in a limited process of their own
                process = context.Process(target=_serve, args=(theirs,), name="hilgui-aside")
                with unheard_interrupts():
                    process.start()
                atexit.register(self.close)  # called before multiprocessing waits for what is no daemon
                theirs.close()
                self._pipe, self._process = mine, process
            return self._pipe


def _serve(pipe: Connection) -> None:
    """Answer questions until the pipe closes; the target of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_LESS_URGENT)
    kept: dict[str, Any] = {}

    def tell(done: int, total: int) -> None:
        pipe.send(_Told(done, total))

    with suppress(EOFError, OSError):  # the front end went away
        while True:
            work = pipe.recv()
            pipe.send(_worked(work, kept, tell))


def _worked(work: Work[Any], kept: dict[str, Any], tell: Tell) -> tuple[Any] | _Failed:
    try:
        return (work(kept, tell),)
    except (EOFError, BrokenPipeError):
        raise
    except HilguiError as failure:
        return _Failed(str(failure), traceback.format_exc())
    except Exception as failure:  # the top of a process
        return _Failed(f"hilgui itself failed: {type(failure).__name__}: {failure}", traceback.format_exc())
