"""Signs of life through shared memory: the one side stamps, the other looks, and nothing in between can be late.

A heartbeat that travels through a pipe costs its sender several trips to the system, after each of which it waits for
Python's lock again; beside four busy threads on a crowded machine such waits add up to half a second. A stamp has
none.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_SIZE = mmap.ALLOCATIONGRANULARITY
_IN_MEMORY = Path("/dev/shm")  # a page of a disk's file may have to wait while it is written back


class Pulse:
    """One stamp, in nanoseconds of the monotonic clock; picklable, the other side opens the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SIZE)
        self._stamp = memoryview(self._map)[:8].cast("q")

    @classmethod
    def make(cls) -> Pulse:
        """Make a new one; who makes it calls `forget` in the end."""
        folder = _IN_MEMORY if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK) else None
        handle, name = tempfile.mkstemp(prefix="hilgui-pulse-", dir=folder)
        os.truncate(handle, _SIZE)
        os.close(handle)
        return cls(Path(name))

    def beat(self) -> None:
        """Stamp: I am alive now. Makes no call to the system that could wait."""
        self._stamp[0] = time.monotonic_ns()

    def last_ns(self, now_ns: int) -> int | None:
        """Give the last stamp; None before the first one and for one from the future."""
        stamp = self._stamp[0]
        return stamp if 0 < stamp <= now_ns else None

    def close(self) -> None:
        """Let go; may be called twice."""
        self._stamp.release()
        self._map.close()

    def forget(self) -> None:
        """Let go and remove the file; who still has it open goes on reading the last stamp."""
        self.close()
        with suppress(OSError):  # on Windows it stays until the other side ends
            self._path.unlink()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the path."""
        return Pulse, (self._path,)
