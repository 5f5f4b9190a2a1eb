"""A simulated device that may speak at any moment, not only when it is asked."""

from __future__ import annotations

from abc import abstractmethod

from devices.sim.wire import SimulatedDevice
from hilgui.rigs import DeviceSpec


class PortSimulator(SimulatedDevice):
    """What it says in `hear` or `pass_time`, or while somebody holds `lock`, goes to the host in that order."""

    def __init__(self, device: DeviceSpec) -> None:
        super().__init__(device.name)
        self.device = device
        self._said = bytearray()
        self._trap = b""

    @abstractmethod
    def hear(self, data: bytes) -> None:
        """Take what came from the host."""

    @abstractmethod
    def pass_time(self, now_s: float) -> None:
        """Let time pass; called every few milliseconds."""

    def say(self, data: bytes) -> None:
        """Send to the host."""
        self._said += data

    def pull_at(self, command: bytes) -> None:
        """Pull the cable the moment this comes: the command is out, its answer never arrives."""
        with self.lock:
            self._trap = command

    def take(self, data: bytes) -> bytes:
        """See SimulatedDevice."""
        if self._trap and self._trap in data:
            self.unplug()
            return b""
        self.hear(data)
        return self._drained()

    def tick(self, now_s: float) -> bytes:
        """See SimulatedDevice."""
        self.pass_time(now_s)
        return self._drained()

    def _drained(self) -> bytes:
        said, self._said = bytes(self._said), bytearray()
        return said
