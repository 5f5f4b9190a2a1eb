"""Memory that processes share; it leaves with the last of them, also when all of them are killed."""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any


class SharedMemory:
    """`map` is the memory. Picklable into a process that is being started, and through a pipe.

    It has no name where the system can hand over an open file, so that a kill leaves nothing behind. Elsewhere
    (Windows) it is a temporary file, which whoever made it removes.
    """

    def __init__(self, handle: int, size: int, path: Path | None = None, *, is_maker: bool = False) -> None:
        """Map an open file, which belongs to this object from now on."""
        self._handle = handle
        self._size = size
        self._path = path
        self._is_maker = is_maker
        self.map = mmap.mmap(handle, size)

    @classmethod
    def make(cls, size: int, what: str) -> SharedMemory:
        """Reserve so many bytes, all zero; `what` is for people who look at a process. Raises OSError."""
        path: Path | None = None
        if sys.platform == "linux":
            handle = os.memfd_create(f"hilgui-{what}")
        else:
            handle, name = tempfile.mkstemp(prefix=f"hilgui-{what}-")
            path = Path(name)
            if os.name == "posix":
                path.unlink()
                path = None
        try:
            if hasattr(os, "posix_fallocate"):  # so that a lack of memory is an error here, and no bus error later
                os.posix_fallocate(handle, 0, size)
            else:
                os.ftruncate(handle, size)
            return cls(handle, size, path, is_maker=True)
        except OSError:
            os.close(handle)
            if path is not None:
                path.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        """Let go; the others keep it. May be called twice."""
        with suppress(BufferError):  # a view that is still alive keeps the mapping until it goes
            self.map.close()
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        if self._path is not None and self._is_maker:
            with suppress(OSError):  # on Windows it stays until the other side ends
                self._path.unlink(missing_ok=True)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as an open file, else as a path."""
        if self._path is not None:
            return _reopened, (self._path, self._size)
        from multiprocessing.reduction import DupFd

        return _received, (DupFd(self._handle), self._size)


def _received(handle: Any, size: int) -> SharedMemory:
    return SharedMemory(handle.detach(), size)


def _reopened(path: Path, size: int) -> SharedMemory:
    return SharedMemory(os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0)), size, path)
