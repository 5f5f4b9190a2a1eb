"""One transport under all rigs: bounded, written down to the byte, and open to injected faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from hilgui.errors import RigBlocked, RigGarbled, RigLost, RigTimeout
from hilgui.rigs.faults import Fault, FaultKind, Faults, corrupted
from hilgui.rigs.ports import Port, SerialSettings, open_port
from hilgui.rigs.transcript import Direction, Transcript

ANSWER_S = 0.25
LINE_LIMIT = 512

_SLICE_S = 0.01  # a STOP is noticed this soon by whoever waits here
_CHUNK = 4096
_URGENT_S = 0.1
_FLOOD = b"\xa5U" * 64

_T = TypeVar("_T")


class Link(Protocol):
    """What a driver talks through. Deadlines are totals, and every call has one."""

    @property
    def port(self) -> str:
        """Give the address, for messages."""
        ...

    def write(self, data: bytes, timeout_s: float = ANSWER_S) -> None:
        """Write all of it; raises RigTimeout when the device does not take it, RigLost, RigBlocked."""
        ...

    def read_line(self, timeout_s: float = ANSWER_S, *, end: bytes = b"\n", limit: int = LINE_LIMIT) -> bytes:
        """Read up to `end`, which is left out; raises RigTimeout, RigLost, RigGarbled for more than `limit` bytes."""
        ...

    def read_exactly(self, count: int, timeout_s: float = ANSWER_S) -> bytes:
        """Read so many bytes; raises RigTimeout (with what came in `got`), RigLost."""
        ...

    def read_some(self, timeout_s: float, limit: int = _CHUNK) -> bytes:
        """Give what is there or comes first, b"" when the time is over; raises RigLost."""
        ...

    def discard_input(self, quiet_s: float = 0.0, timeout_s: float = ANSWER_S) -> int:
        """Throw input away until none came for `quiet_s`; gives how much. Raises RigGarbled when it never ends."""
        ...


class Transport:
    """Owns one port. One thread reads and writes; any thread may call `urgent`.

    `opened` and the clock are for tests.
    """

    def __init__(
        self,
        address: str,
        settings: SerialSettings | None = None,
        *,
        transcript_path: Path | None = None,
        opened: Callable[[str, SerialSettings], Port] = open_port,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.faults = Faults()
        self.transcript = Transcript(address, transcript_path)
        self._address = address
        self._now_s = now_s
        self._pending = bytearray()
        self._write_lock = threading.Lock()
        self._is_overridden = threading.Event()
        self._waiting = threading.Event()  # never set: a wait that a test's clock need not know of
        self._is_lost = False
        self._discarded = 0
        try:
            self._port: Port | None = opened(address, settings or SerialSettings())
        except BaseException:
            self.transcript.close()
            raise
        self.transcript.note("opened")

    @property
    def port(self) -> str:
        """Give the address."""
        return self._address

    @property
    def is_lost(self) -> bool:
        """Say whether the port is gone or closed."""
        return self._is_lost or self._port is None

    @property
    def is_overridden(self) -> bool:
        """Say whether an urgent stop went over the port and `resume` was not called yet."""
        return self._is_overridden.is_set()

    def write(self, data: bytes, timeout_s: float = ANSWER_S) -> None:
        """Write all of it within a total deadline; see Link."""
        self._refuse_overridden()
        deadline = self._now_s() + timeout_s
        fault = self.faults.next(is_write=True)
        if fault is not None:
            data = self._faulty_write(data, fault, deadline)
        left = memoryview(data)
        while left:
            if (wait := deadline - self._now_s()) <= 0:
                done = len(data) - len(left)
                sentence = f"{self._address} took {done} of {len(data)} bytes in {timeout_s:g} s; the device is stalled"
                raise RigTimeout(sentence, port=self._address, sent=bytes(data[:done]))
            with self._write_lock:
                self._refuse_overridden()
                taken = self._send(bytes(left), 0.0)
            if not taken:
                self._idle(min(wait, _SLICE_S / 5))
            left = left[taken:]

    def read_line(self, timeout_s: float = ANSWER_S, *, end: bytes = b"\n", limit: int = LINE_LIMIT) -> bytes:
        """Read one line; see Link."""
        deadline = self._now_s() + timeout_s
        while (at := self._pending.find(end, 0, limit + len(end))) < 0:
            if len(self._pending) > limit:
                got = bytes(self._pending[:64])
                self._pending.clear()
                sentence = (
                    f"{self._address} sent more than {limit} bytes without a line end; wrong baud rate or device?"
                )
                raise RigGarbled(sentence, port=self._address, got=got)
            self._fill(deadline, timeout_s)
        line = bytes(self._pending[:at])
        del self._pending[: at + len(end)]
        return line

    def read_exactly(self, count: int, timeout_s: float = ANSWER_S) -> bytes:
        """Read so many bytes; see Link."""
        deadline = self._now_s() + timeout_s
        while len(self._pending) < count:
            self._fill(deadline, timeout_s)
        data = bytes(self._pending[:count])
        del self._pending[:count]
        return data

    def read_some(self, timeout_s: float, limit: int = _CHUNK) -> bytes:
        """Give what is there; see Link."""
        deadline = self._now_s() + timeout_s
        while not self._pending and (wait := deadline - self._now_s()) >= 0:
            self._refuse_overridden()
            self._pending += self._receive(min(wait, _SLICE_S))
            if wait == 0:
                break
        data = bytes(self._pending[:limit])
        del self._pending[:limit]
        return data

    def discard_input(self, quiet_s: float = 0.0, timeout_s: float = ANSWER_S) -> int:
        """Throw input away; see Link."""
        deadline = self._now_s() + timeout_s
        gone = len(self._pending)
        self._pending.clear()
        while data := self.read_some(quiet_s):
            gone += len(data)
            if self._now_s() > deadline:
                sentence = f"{self._address} sends without end; wrong baud rate or device?"
                raise RigGarbled(sentence, port=self._address, got=data[:64])
        self._discarded += gone
        return gone

    def take_discarded(self) -> int:
        """Give how many bytes were thrown away since the last call."""
        gone, self._discarded = self._discarded, 0
        return gone

    def urgent(self, data: bytes, gap_s: float = 0.0, timeout_s: float = _URGENT_S) -> bool:
        """Write over the head of whoever uses the port; says whether the system took all of it. Raises nothing.

        What was written and is not on the wire yet is thrown away, the call under way ends with RigBlocked, and every
        further one too until `resume`.
        """
        deadline = self._now_s() + timeout_s
        self._is_overridden.set()
        left = memoryview(data)
        try:
            with self._write_lock:
                if self._port is not None:
                    self._port.forget_output()
                if gap_s:
                    time.sleep(gap_s)
                fault = self.faults.next(is_write=True)
                if fault is not None:
                    left = memoryview(self._faulty_write(data, fault, deadline))
                while left and self._now_s() < deadline:
                    left = left[self._send(bytes(left), _SLICE_S) :]
        except (RigLost, RigTimeout):
            return False
        return not left

    def resume(self) -> None:
        """Let usual calls through again after `urgent`."""
        self._is_overridden.clear()

    def close(self) -> None:
        """Close the port; may be called twice."""
        port, self._port = self._port, None
        if port is not None:
            port.close()
            self.transcript.note("closed")
        self.transcript.close()

    def _fill(self, deadline: float, timeout_s: float) -> None:
        self._refuse_overridden()
        wait = deadline - self._now_s()
        if wait <= 0:
            got = bytes(self._pending)
            self._pending.clear()
            sentence = f"{self._address} did not answer within {timeout_s:g} s; is the device powered?"
            raise RigTimeout(sentence, port=self._address, got=got)
        self._pending += self._receive(min(wait, _SLICE_S))

    def _receive(self, wait_s: float) -> bytes:
        data = self._call(lambda port: port.receive(_CHUNK, wait_s))
        fault = self.faults.next(is_write=False, has_data=bool(data))
        if fault is not None:
            data = self._faulty_read(data, fault)
        self.transcript.add(Direction.RECEIVED, data)
        return data

    def _send(self, data: bytes, wait_s: float) -> int:
        taken = self._call(lambda port: port.send(data, wait_s))
        self.transcript.add(Direction.SENT, data[:taken])
        return taken

    def _call(self, call: Callable[[Port], _T]) -> _T:
        if self._port is None or self._is_lost:
            raise RigLost(f"{self._address} is closed; connect again", port=self._address)
        try:
            return call(self._port)
        except RigLost as failure:
            self._is_lost = True
            self.transcript.note(str(failure))
            raise

    def _faulty_write(self, data: bytes, fault: Fault, deadline: float) -> bytes:
        self.transcript.note(f"fault injected on write: {fault.kind.value}")
        match fault.kind:
            case FaultKind.DROP:
                return b""
            case FaultKind.CORRUPT:
                return corrupted(data)
            case FaultKind.DELAY:
                self._idle(min(fault.delay_s, max(0.0, deadline - self._now_s())))
            case FaultKind.STALL:
                self._idle(max(0.0, deadline - self._now_s()))
                sentence = f"{self._address} took 0 of {len(data)} bytes; the device is stalled"
                raise RigTimeout(sentence, port=self._address)
            case FaultKind.DISCONNECT:
                self._lose()
        return data

    def _faulty_read(self, data: bytes, fault: Fault) -> bytes:
        match fault.kind:
            case FaultKind.DROP | FaultKind.STALL:
                return b""
            case FaultKind.CORRUPT:
                return corrupted(data)
            case FaultKind.DELAY:
                self._idle(fault.delay_s)
            case FaultKind.FLOOD:
                return _FLOOD
            case FaultKind.DISCONNECT:
                self._lose()
        return data

    def _lose(self) -> None:
        self._is_lost = True
        self.transcript.note("fault injected: disconnect")
        sentence = f"{self._address} was unplugged or closed; whether the last command was carried out is unknown"
        raise RigLost(sentence, port=self._address)

    def _idle(self, duration_s: float) -> None:
        self._waiting.wait(duration_s)

    def _refuse_overridden(self) -> None:
        if self._is_overridden.is_set():
            raise RigBlocked(f"{self._address}: a STOP went over this call", port=self._address)


class QueryLink:
    """A link that lets only queries through: all that shadow mode has. What it refuses is counted and not sent."""

    def __init__(
        self, link: Link, is_query: Callable[[bytes], bool], on_blocked: Callable[[], None] = lambda: None
    ) -> None:
        self._link = link
        self._on_blocked = on_blocked
        self._is_query = is_query
        self.blocked = 0

    @property
    def port(self) -> str:
        """Give the address."""
        return self._link.port

    def write(self, data: bytes, timeout_s: float = ANSWER_S) -> None:
        """Write a query; raises RigBlocked for anything else."""
        if not self._is_query(data):
            self.blocked += 1
            self._on_blocked()
            raise RigBlocked(f"{self.port}: {data[:40]!r} is no query, and this link only reads", port=self.port)
        self._link.write(data, timeout_s)

    def read_line(self, timeout_s: float = ANSWER_S, *, end: bytes = b"\n", limit: int = LINE_LIMIT) -> bytes:
        """Read one line; see Link."""
        return self._link.read_line(timeout_s, end=end, limit=limit)

    def read_exactly(self, count: int, timeout_s: float = ANSWER_S) -> bytes:
        """Read so many bytes; see Link."""
        return self._link.read_exactly(count, timeout_s)

    def read_some(self, timeout_s: float, limit: int = _CHUNK) -> bytes:
        """Give what is there; see Link."""
        return self._link.read_some(timeout_s, limit)

    def discard_input(self, quiet_s: float = 0.0, timeout_s: float = ANSWER_S) -> int:
        """Throw input away; see Link."""
        return self._link.discard_input(quiet_s, timeout_s)
