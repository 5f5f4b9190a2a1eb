"""Faults on the wire, injected on purpose: what a bad cable or a bad device does, without either."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What happens to the bytes."""

    DROP = "drop"  # they vanish
    DELAY = "delay"  # they come late
    CORRUPT = "corrupt"  # one bit of the first byte flips
    STALL = "stall"  # nothing is taken and nothing comes
    DISCONNECT = "disconnect"  # the port is gone
    FLOOD = "flood"  # endless garbage without a line end comes in


_WITHOUT_DATA = {FaultKind.FLOOD, FaultKind.DISCONNECT}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: of the next `times` operations after `after` have passed; None lasts until cleared."""

    kind: FaultKind
    on_write: bool = True
    on_read: bool = True
    after: int = 0
    times: int | None = None
    delay_s: float = 0.05


class Faults:
    """The faults of one port; armed from any thread, asked by the transport before each operation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._passed = 0
        self.injected = 0

    def inject(self, fault: Fault) -> None:
        """Start a fault; it takes the place of the one before."""
        with self._lock:
            self._fault, self._passed = fault, 0

    def clear(self) -> None:
        """End the fault."""
        with self._lock:
            self._fault = None

    def next(self, *, is_write: bool, has_data: bool = True) -> Fault | None:
        """Give the fault that meets the next operation, counting it; a read that brought nothing meets few."""
        with self._lock:
            fault = self._fault
            if fault is None or not (fault.on_write if is_write else fault.on_read):
                return None
            if not has_data and fault.kind not in _WITHOUT_DATA:
                return None
            self._passed += 1
            met = self._passed - fault.after
            if met < 1 or (fault.times is not None and met > fault.times):
                return None
            self.injected += 1
            return fault


def corrupted(data: bytes) -> bytes:
    """Flip the lowest bit of the first byte."""
    return bytes([data[0] ^ 1]) + data[1:] if data else data
