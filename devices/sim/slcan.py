"""A simulated slcan adaptor on a simulated bus, with the control units that the profile speaks of."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import ClassVar

from devices.rigs.can_map import REST_BUS, map_of
from devices.rigs.slcan_frame import BIT_RATES, REFUSED, CanFrame, Lines, parsed
from devices.sim.can_bus import CanBus
from devices.sim.port import PortSimulator
from hilgui.resources import shipped
from hilgui.rigs import DeviceSpec

_STATUS_S = 0.05
_LAMP = {
    "dbc": str(shipped("assets/rigs") / "bench.dbc"),
    "bitrate": 500_000,
    "listen": [{"name": "speed", "message": "Wheels", "signal": "Speed"}],
    "send": [
        {
            "name": "lamp", "message": "LampCommand", "signal": "Level", "cycle_ms": 50, "counter": "Counter",
            "confirmed_by": "LampStatus.Level",
        }
    ],
    "rest_bus": [{"message": "Ignition", "cycle_ms": 40, "values": {"Key": 2}, "counter": "Counter"}],
    "receiver_timeout_ms": 200,
}  # fmt: skip


class SlcanSimulator(PortSimulator):
    """See RigSimulator; `put`, `bus_off`, `lose_units` and `reboot` change the world around it."""

    examples: ClassVar[tuple[DeviceSpec, ...]] = (DeviceSpec("car", "slcan", _LAMP),)

    def __init__(self, device: DeviceSpec, bus: CanBus | None = None) -> None:
        """Make an adaptor; with the bus of another one it is a second adaptor there, without control units."""
        super().__init__(device)
        self._map = map_of(device)
        self.bus = CanBus(self._map.options.bitrate) if bus is None else bus
        self._queue = self.bus.join()
        self._units = Units(device, self.bus) if bus is None else None
        self._lines = Lines()
        self._rate: int | None = None
        self._mode = ""  # "", "O", "L"
        self.opened: list[str] = []  # modes in which the channel was opened so far

    def outputs(self) -> Mapping[str, float]:
        """Give what the control units do."""
        with self.lock:
            return {} if self._units is None else self._units.outputs()

    def modes(self) -> list[str]:
        """Give the modes in which the channel was opened so far: L listens only, O takes part."""
        return list(self.opened)

    def put(self, channel: str, value: float) -> None:
        """Let the bus say this for a signal that is listened to."""
        with self.lock:
            if self._units is not None:
                self._units.measured[channel] = value

    def bus_off(self, is_off: bool = True) -> None:
        """Take the bus away: a short circuit."""
        self.bus.is_off = is_off

    def reboot(self) -> None:
        """Lose the supply for a moment: the channel is closed, the bit rate forgotten, a version line shown."""
        with self.lock:
            self._mode, self._rate = "", None
            self.say(b"V1013\r")

    def hear(self, data: bytes) -> None:
        """Answer each command."""
        for line in self._lines.cut(data):
            self.say(self._answer(line))

    def pass_time(self, now_s: float) -> None:
        """Let the control units work, and hand over what came from the bus."""
        if self._units is not None:
            self._units.work(now_s)
        while self._queue:
            frame = self._queue.popleft()
            if self._mode and self._rate == self.bus.bitrate:
                self.say(frame.line())

    def _answer(self, line: bytes) -> bytes:
        command, is_open = line[:1], bool(self._mode)
        if line == b"V":
            return b"V1013\r"
        if line == b"N":
            return b"NB042\r"
        if line == b"F" and is_open:
            return b"F84\r" if self.bus.is_off or self._rate != self.bus.bitrate else b"F00\r"
        if line == b"C" and is_open:
            self._mode = ""
        elif line in BIT_RATES.values() and not is_open:
            self._rate = next(rate for rate, code in BIT_RATES.items() if code == line)
        elif line in (b"O", b"L") and not is_open and self._rate is not None:
            self._mode = line.decode()
            self.opened.append(self._mode)
        elif command in (b"t", b"T") and self._mode == "O":
            return self._transmit(line)
        elif line:
            return REFUSED
        return b"\r"

    def _transmit(self, line: bytes) -> bytes:
        frame = parsed(line)
        if frame is None or self._rate != self.bus.bitrate or not self.bus.send(frame, self._queue):
            return REFUSED
        if self._units is not None:
            self._units.work(time.monotonic())
        return b"z\r" if frame.is_extended is False else b"Z\r"


class Units:
    """The control units on the other side: obey what is sent, say what they do, fall back when they hear nothing."""

    def __init__(self, device: DeviceSpec, bus: CanBus) -> None:
        self._map = map_of(device)
        self._bus = bus
        self._queue = bus.join()
        self._outputs = {wish.name: wish.safe for wish in self._map.options.send}
        self._heard_s: dict[str, float] = {}
        self._status_s = 0.0
        self.measured = {wish.name: 0.0 for wish in self._map.options.listen}

    def outputs(self) -> Mapping[str, float]:
        """Give what the units do; the rest bus is on while its messages come."""
        if not self._map.rest:
            return dict(self._outputs)
        now_s = time.monotonic()
        ages = [(now_s - self._heard_s.get(name, -1e9), sent.cycle_s or 0.0) for name, sent in self._map.rest.items()]
        return {**self._outputs, REST_BUS: float(all(age < max(0.15, 4 * cycle) for age, cycle in ages))}

    def work(self, now_s: float) -> None:
        """Take frames, fall back, report."""
        has_news = False
        while self._queue:
            has_news |= self._obey(self._queue.popleft(), now_s)
        timeout_s = self._map.options.receiver_timeout_ms / 1000
        for wish in self._map.options.send:
            if timeout_s and now_s - self._heard_s.get(wish.message, -1e9) > timeout_s:
                self._outputs[wish.name] = wish.safe
        if has_news or now_s - self._status_s > _STATUS_S:
            self._status_s = now_s
            self._report()

    def _obey(self, frame: CanFrame, now_s: float) -> bool:
        told = self._map.decode(frame)
        if told is None:
            return False
        message, values = told
        self._heard_s[message] = now_s
        obeyed = [wish for wish in self._map.options.send if wish.message == message]
        self._outputs.update({wish.name: values[wish.signal] for wish in obeyed})
        return bool(obeyed)

    def _report(self) -> None:
        said: dict[str, dict[str, float]] = {}
        for wish in self._map.options.send:
            if wish.confirmed_by is not None:
                message, _, signal = wish.confirmed_by.partition(".")
                said.setdefault(message, {})[signal] = self._outputs[wish.name]
        for listened in self._map.options.listen:
            said.setdefault(listened.message, {})[listened.signal] = self.measured[listened.name]
        for name, values in said.items():
            shape = self._map.database.get_message_by_name(name)
            full = {signal.name: values.get(signal.name, max(0.0, signal.minimum or 0.0)) for signal in shape.signals}
            data = bytes(shape.encode(full, strict=False))
            self._bus.send(CanFrame(shape.frame_id, data, shape.is_extended_frame), self._queue)
