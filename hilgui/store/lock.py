"""A lock file that the operating system lets go of when its process dies."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class RunLock:
    """Held by whoever writes a run; taken by whoever finds out that the writer is gone."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "run.lock"
        self._handle: int | None = None

    def take(self) -> bool:
        """Try to get the lock, at once; False when another process holds it. Raises OSError where not writable."""
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _try_lock(handle):
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go; may be called twice."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
