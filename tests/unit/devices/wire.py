"""A link that is a conversation, and a driver at its simulator, for the tests of rig drivers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from devices.sim.port import PortSimulator
from hilgui.errors import RigTimeout
from hilgui.rigs import RigDriver, Transport
from hilgui.rigs.transport import ANSWER_S, LINE_LIMIT

PATIENCE_S = 10.0  # the machine may be busy


class Conversation:
    """A link that expects these writes and gives these answers; `is_over` when all of it was used."""

    port = "conversation"

    def __init__(self, *turns: tuple[bytes, bytes]) -> None:
        self._turns = list(turns)
        self._pending = b""

    @property
    def is_over(self) -> bool:
        return not self._turns and not self._pending

    def write(self, data: bytes, timeout_s: float = ANSWER_S) -> None:
        assert self._turns, f"nobody expects {data!r}"
        expected, answer = self._turns.pop(0)
        assert data == expected
        self._pending += answer

    def read_line(self, timeout_s: float = ANSWER_S, *, end: bytes = b"\n", limit: int = LINE_LIMIT) -> bytes:
        if end not in self._pending:
            raise RigTimeout("the conversation has no more lines")
        line, _, self._pending = self._pending.partition(end)
        return line

    def read_exactly(self, count: int, timeout_s: float = ANSWER_S) -> bytes:
        if len(self._pending) < count:
            got, self._pending = self._pending, b""
            raise RigTimeout("the conversation has no more bytes", got=got)
        data, self._pending = self._pending[:count], self._pending[count:]
        return data

    def read_some(self, timeout_s: float, limit: int = 4096) -> bytes:
        data, self._pending = self._pending[:limit], self._pending[limit:]
        return data

    def discard_input(self, quiet_s: float = 0.0, timeout_s: float = ANSWER_S) -> int:
        gone, self._pending = len(self._pending), b""
        return gone


@contextmanager
def at_simulator(
    driver: RigDriver, simulator: PortSimulator, *, over_tcp: bool = False
) -> Iterator[tuple[Any, Transport]]:
    """Give a writer that has identified its simulated device, and the transport between."""
    transport = None
    try:
        transport = Transport(simulator.start(over_tcp=over_tcp))
        writer = driver.writer(simulator.device, transport)
        writer.identify()
        yield writer, transport
    finally:
        if transport is not None:
            transport.close()
        simulator.close()


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.005)
    return holds()


def values(writer: Any) -> dict[str, float]:
    return {reading.channel: reading.value for reading in writer.signals()}
