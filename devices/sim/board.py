"""The board itself, in software: the same bytes, duty steps and dead-man as the firmware under devices/firmware."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from devices.rigs.board import BoardDriver
from devices.rigs.board_protocol import (
    DEAD_MAN_MS,
    FULL,
    LINE_LIMIT,
    MODEL,
    PANELS,
    PROTOCOL,
    PULSE_US,
    REPEAT_S,
    BoardFrame,
    duty_of,
    frame,
    parse,
    permille_of,
)
from devices.sim.wire import SimulatedDevice
from hilgui.rigs import DeviceSpec

_DEAD_MAN_S = (DEAD_MAN_MS - 10) / 1000  # as the firmware, which acts before the 250 ms are over
_OFF = {"led": 0, "relay": 0}


class BoardSimulator(SimulatedDevice):
    """See RigSimulator. The photodiode looks at panel 0, and sees the LED rise."""

    examples: ClassVar[tuple[DeviceSpec, ...]] = (DeviceSpec("board", "board"),)

    def __init__(self, device: DeviceSpec, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(device.name)
        BoardDriver().facts(device)
        self._now_s = now_s
        self._started_s = now_s()
        self._pending = b""
        self._panels = [0] * PANELS  # duty, 0 to 255
        self._switches = dict(_OFF)
        self._fed_s = 0.0
        self._trips = 0
        self.pulses = 0  # fired by TRIG
        self._edges = 0
        self._edge_us = self._trigger_us = 0
        self._last_trigger: tuple[int, float] | None = None
        self._overrides: dict[str, str] = {}
        self._banner = self._boot("P")

    def outputs(self) -> Mapping[str, float]:
        """Give what the outputs really are."""
        with self.lock:
            panels = {f"panel{n}": permille_of(duty) / 10 for n, duty in enumerate(self._panels)}
            return panels | {name: float(value) for name, value in self._switches.items()}

    def override(self, channel: str, text: str) -> None:
        """Answer this for a channel, whatever it is: a stuck or broken sensor."""
        with self.lock:
            self._overrides[channel] = text

    def reboot(self) -> None:
        """Restart as after a brown-out: outputs off, a banner on the wire."""
        with self.lock:
            self._all_off()
            self._pending = b""
            self._started_s = self._now_s()
            self._banner = self._boot("B")

    def tick(self, now_s: float) -> bytes:
        """Watch the dead-man; say the banner after a start."""
        now_s = self._now_s()
        is_live = any(self._panels) or any(self._switches.values())
        if is_live and now_s - self._fed_s >= _DEAD_MAN_S:
            self._all_off()
            self._trips += 1
        banner, self._banner = self._banner, b""
        return banner

    def take(self, data: bytes) -> bytes:
        """Answer complete lines; a line that is too long is dropped whole."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > LINE_LIMIT:
            self._pending = self._pending[: LINE_LIMIT + 1]
        return b"".join(self._answer(line) for line in lines if line)

    def _answer(self, line: bytes) -> bytes:
        if len(line) > LINE_LIMIT:
            return frame("<", 0, "ERR 4")
        asked = parse(line)
        if asked is None or asked.mark != ">" or asked.seq is None:
            return frame("<", 0, "ERR 1")
        return frame("<", asked.seq, self._body(asked))

    def _body(self, asked: BoardFrame) -> str:
        match asked.words:
            case ("ID?",):
                return f"ID {MODEL} {PROTOCOL} sim-1 0001"
            case ("GET?",):
                return self._state()
            case ("KA",):
                self._fed_s = self._now_s()
            case ("STOP",):
                self._all_off()
            case ("SET", name, number):
                return self._set(name, number)
            case ("TRIG", number):
                return self._trigger(asked.seq or 0, number)
            case _:
                return "ERR 2"
        return "OK"

    def _state(self) -> str:
        values = {
            **{f"panel{n}": permille_of(duty) for n, duty in enumerate(self._panels)},
            **self._switches,
            "photodiode": permille_of(self._panels[0]),
            "edges": self._edges,
            "edge_time": self._edge_us,
            "trigger_time": self._trigger_us,
            "dead_man_trips": self._trips,
            "uptime": int((self._now_s() - self._started_s) * 1000),
        }
        return "GET " + " ".join(self._overrides.get(name, str(value)) for name, value in values.items())

    def _set(self, name: str, number: str) -> str:
        value = int(number) if number.isdecimal() and len(number) <= 5 else -1
        if name in self._switches and value in (0, 1):
            if name == "led" and value > self._switches["led"]:
                self._edges = (self._edges + 1) % 65536
                self._edge_us = self._clock_us()
            self._switches[name] = value
        elif name.startswith("panel") and name[5:] in map(str, range(PANELS)) and 0 <= value <= FULL:
            self._panels[int(name[5:])] = duty_of(value)
        else:
            return "ERR 3"
        self._fed_s = self._now_s()
        return "OK"

    def _trigger(self, seq: int, number: str) -> str:
        width = int(number) if number.isdecimal() and len(number) <= 5 else -1
        if not PULSE_US[0] <= width <= PULSE_US[1]:
            return "ERR 3"
        now_s = self._now_s()
        last = self._last_trigger
        if last is None or last[0] != seq or now_s - last[1] > REPEAT_S:
            self._trigger_us = self._clock_us()
            self.pulses += 1
        self._last_trigger = (seq, now_s)
        return f"OK {self._trigger_us}"

    def _clock_us(self) -> int:
        return int((self._now_s() - self._started_s) * 1e6) % 2**32

    def _all_off(self) -> None:
        self._panels = [0] * PANELS
        self._switches = dict(_OFF)

    def _boot(self, cause: str) -> bytes:
        return frame("!", None, f"BOOT {MODEL} {PROTOCOL} {cause}")
