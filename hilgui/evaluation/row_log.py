"""A log of rows that figures remember: the newest in memory, all others in a file, so that a long run stays small."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import IO, Any, Generic, Protocol, Self, TypeVar

import numpy as np

from hilgui.errors import StoreBroken

HOLD = 8192  # rows that wait in memory


class Rows(Protocol):
    """A record of parallel arrays, one row an entry of their last axis, that can be put one after the other."""

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put blocks one after the other; none make one without rows."""
        ...


RowsT = TypeVar("RowsT", bound=Rows)


class RowLog(Generic[RowsT]):
    """Takes blocks of rows and gives all of them back, to the last bit; one thread.

    Beyond `HOLD` rows they go to a nameless file in `scratch` (None: the system's folder for temporary files), which
    is gone with the log. Reading brings them back into memory until the next block comes.
    """

    def __init__(self, kind: type[RowsT], scratch: Path | None = None) -> None:
        self._kind = kind
        self._scratch = scratch
        self._held: list[RowsT] = []
        self._waiting = 0
        self._file: IO[bytes] | None = None
        self._layout: np.dtype[Any] | None = None
        self._filed = 0
        self._whole: RowsT | None = None

    def __len__(self) -> int:
        return self._filed + self._waiting

    def add(self, part: RowsT) -> None:
        """Take a block; raises StoreBroken where the disk takes no more."""
        self._whole = None
        self._held.append(part)
        self._waiting += _count(part)
        if self._waiting >= HOLD:
            self._put_away()

    def joined(self) -> RowsT:
        """Give all rows so far in the order in which they came."""
        if self._whole is None:
            self._held = [self._kind.joined(self._held)]
            self._whole = self._held[0] if not self._filed else self._kind.joined([self._read(), *self._held])
        return self._whole

    def _put_away(self) -> None:
        rows = self._kind.joined(self._held)
        columns = {each.name: getattr(rows, each.name) for each in fields(rows)}  # type: ignore[arg-type]  # dataclass
        if self._layout is None:
            self._layout = np.dtype([(name, column.dtype, column.shape[:-1]) for name, column in columns.items()])
        table = np.empty(self._waiting, self._layout)
        for name, column in columns.items():
            table[name] = np.moveaxis(column, -1, 0)
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._scratch, buffering=0)
                weakref.finalize(self, self._file.close)
            self._file.seek(self._filed * self._layout.itemsize)
            written = self._file.write(table.tobytes())
        except OSError as failure:
            raise StoreBroken(f"{_FULL}: {failure}", path=self._scratch) from failure
        if written != table.nbytes:
            raise StoreBroken(_FULL, path=self._scratch)
        self._filed += len(table)
        self._held, self._waiting = [], 0

    def _read(self) -> RowsT:
        assert self._file is not None
        assert self._layout is not None
        table = np.memmap(self._file, self._layout, "r", shape=(self._filed,))
        return self._kind(
            **{name: np.ascontiguousarray(np.moveaxis(table[name], 0, -1)) for name in self._layout.names or ()}
        )


_FULL = "the rows behind the figures cannot be put away on the disk; make room"


def _count(rows: Rows) -> int:
    """Count the rows of a block."""
    return int(getattr(rows, fields(rows)[0].name).shape[-1])  # type: ignore[arg-type]  # a dataclass
