"""Writes latch and journal on a thread of its own: a slow disk delays neither a STOP nor the watch over heartbeats."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hilgui.errors import StoreBroken
from hilgui.rigs.arming import Arming, State
from hilgui.rigs.latch import RigRecord

_WAIT_S = 2.0  # for what has to be on the disk before outputs may be on


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Something is not on record that should be."""

    sentence: str


class Scribe:
    """Keeps the order. What a crash loses errs on the safe side: ARMED is waited for, the rest is not."""

    def __init__(self, record: RigRecord, report: Callable[[Unwritten], None]) -> None:
        self._record = record
        self._report = report
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="scribe", daemon=True)
        self._thread.start()

    def note(self, state: State, reason: str, by: str) -> None:
        """Note SAFE or LATCHED, soon."""
        self._jobs.put(lambda: self._record.note(state, reason, by))

    def note_at_once(self, state: State, reason: str, by: str) -> str:
        """Note ARMED; returns "" when it is on the disk, else why it is not."""
        done = threading.Event()
        failed: list[str] = []

        def write() -> None:
            try:
                self._record.note(state, reason, by)
            except StoreBroken as failure:
                failed.append(str(failure))
            finally:
                done.set()

        self._jobs.put(write)
        if not done.wait(_WAIT_S):
            return f"the disk did not take the note that the rig is armed within {_WAIT_S:g} s"
        return failed[0] if failed else ""

    def journal(self, before: Arming, after: Arming, facts: Mapping[str, Any]) -> None:
        """Append a change of state, soon."""
        self._jobs.put(lambda: self._record.journal(before, after, facts))

    def close(self, timeout_s: float) -> None:
        """Write what is left."""
        self._jobs.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except StoreBroken as failure:
                self._report(Unwritten(str(failure)))
