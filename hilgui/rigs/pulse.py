"""Signs of life through shared memory: the one side stamps, the other looks, and nothing in between can be late.

A heartbeat that travels through a pipe costs its sender several trips to the system, after each of which it waits for
Python's lock again; beside four busy threads on a crowded machine such waits add up to half a second. A stamp has
none.
"""

from __future__ import annotations

import mmap
import time
from typing import Any

from hilgui.shared_memory import SharedMemory

_SIZE = mmap.ALLOCATIONGRANULARITY


class Pulse:
    """One stamp, in nanoseconds of the monotonic clock; picklable, the other side has the same stamp."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._stamp = memoryview(memory.map)[:8].cast("q")

    @classmethod
    def make(cls) -> Pulse:
        """Make a new one; every side closes its own."""
        return cls(SharedMemory.make(_SIZE, "pulse"))

    def beat(self) -> None:
        """Stamp: I am alive now. Makes no call to the system that could wait."""
        self._stamp[0] = time.monotonic_ns()

    def last_ns(self, now_ns: int) -> int | None:
        """Give the last stamp; None before the first one and for one from the future."""
        stamp = self._stamp[0]
        return stamp if 0 < stamp <= now_ns else None

    def close(self) -> None:
        """Let go; who still has it goes on reading the last stamp. May be called twice."""
        self._stamp.release()
        self._memory.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the memory."""
        return Pulse, (self._memory,)
