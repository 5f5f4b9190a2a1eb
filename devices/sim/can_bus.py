"""A simulated CAN bus: frames go from each member to all others; it can be broken."""

from __future__ import annotations

import threading
from collections import deque

from devices.rigs.slcan_frame import CanFrame


class CanBus:
    """Thread-safe; a member takes its frames out of its own queue."""

    def __init__(self, bitrate: int) -> None:
        self.bitrate = bitrate
        self.is_off = False
        self._lock = threading.Lock()
        self._members: list[deque[CanFrame]] = []

    def join(self) -> deque[CanFrame]:
        """Give a new member its queue; the oldest frames are lost where nobody takes them."""
        with self._lock:
            self._members.append(deque(maxlen=2000))
            return self._members[-1]

    def send(self, frame: CanFrame, sender: deque[CanFrame]) -> bool:
        """Deliver to everybody else; false while the bus is off."""
        with self._lock:
            if self.is_off:
                return False
            for member in self._members:
                if member is not sender:
                    member.append(frame)
            return True
