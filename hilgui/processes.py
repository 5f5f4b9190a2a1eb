"""Processes that a command starts: Ctrl-C is not for them, and none of them outlives the command."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PATIENCE_S = 5.0
_LOOK_S = 0.01


@contextmanager
def unheard_interrupts() -> Iterator[None]:
    """Start processes inside: a terminal's Ctrl-C goes to all of its processes, and a child must not heed it.

    Its front end ends it, in good order. A child that ignores the signal by itself is too late for one that comes while
    it imports. Where signals cannot be blocked (Windows) nothing is changed.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker  # after `wait_for_tracker` was registered

    resource_tracker.ensure_running()  # its start unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for_tracker() -> None:
    """Let multiprocessing's resource tracker end, and wait for it: it ends when nobody holds its pipe any more.

    Python before 3.12 leaves it to whoever adopts it, so that it is seen a moment after the command. To be registered
    with atexit before multiprocessing is used: then it runs after multiprocessing has ended all other processes.
    """
    tracker = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    pipe, process = getattr(tracker, "_fd", None), getattr(tracker, "_pid", None)
    if tracker is None or pipe is None or process is None:
        return
    tracker._fd = tracker._pid = None  # noqa: SLF001 - Python has no other name for it
    deadline = time.monotonic() + _PATIENCE_S
    with suppress(OSError):  # it ended already
        os.close(pipe)
        while os.waitpid(process, os.WNOHANG) == (0, 0) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
