"""Every byte that went over a port, with two clocks: a bounded ring in memory and, where asked for, a file."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TextIO

_RING_BYTES = 2**20


class Direction(Enum):
    """Which way the bytes went; NOTE has a sentence instead (opened, fault injected, refused)."""

    SENT = ">"
    RECEIVED = "<"
    NOTE = "#"


@dataclass(frozen=True, slots=True)
class Entry:
    """One write or one read."""

    seq: int  # counts from 0; a gap is what the ring has lost
    monotonic_ns: int
    utc_ns: int
    port: str
    direction: Direction
    data: bytes

    def as_json(self) -> str:
        """Give one line of JSONL; bytes as hex, exactly."""
        fields = {
            "seq": self.seq,
            "monotonic_ns": self.monotonic_ns,
            "utc_ns": self.utc_ns,
            "port": self.port,
            "direction": self.direction.name.lower(),
            "hex": self.data.hex(),
        }
        return json.dumps(fields)


class Transcript:
    """Thread-safe; remembers the newest megabyte and counts all of it."""

    def __init__(
        self,
        port: str,
        path: Path | None = None,
        clocks: Callable[[], tuple[int, int]] = lambda: (time.monotonic_ns(), time.time_ns()),
    ) -> None:
        self._port = port
        self._clocks = clocks
        self._lock = threading.Lock()
        self._ring: deque[Entry] = deque()
        self._held = 0
        self._seq = 0
        self._bytes = dict.fromkeys(Direction, 0)
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8", buffering=1)

    def add(self, direction: Direction, data: bytes) -> None:
        """Write down one piece; nothing for nothing."""
        if not data:
            return
        with self._lock:
            entry = Entry(self._seq, *self._clocks(), self._port, direction, data)
            self._seq += 1
            self._bytes[direction] += len(data)
            self._ring.append(entry)
            self._held += len(data)
            while self._held > _RING_BYTES and len(self._ring) > 1:
                self._held -= len(self._ring.popleft().data)
            if self._file is not None:
                self._file.write(entry.as_json() + "\n")

    def note(self, sentence: str) -> None:
        """Write down something that is no byte of the wire."""
        self.add(Direction.NOTE, sentence.encode())

    def since(self, seq: int, limit: int = 1000) -> list[Entry]:
        """Give the entries from `seq` on, the oldest that are still there first."""
        with self._lock:
            return [entry for entry in self._ring if entry.seq >= seq][:limit]

    def count(self, direction: Direction) -> int:
        """Give the number of bytes of one direction since the port was opened."""
        with self._lock:
            return self._bytes[direction]

    def close(self) -> None:
        """Close the file; the ring stays readable."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
