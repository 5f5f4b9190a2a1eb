"""A simulated supply: speaks a dialect, with a load, a slew rate, protections, and the ways in which supplies fail."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from devices.rigs.scpi import supply_of
from devices.rigs.scpi_dialect import Asked, Output, Setting
from devices.sim.wire import SimulatedDevice
from hilgui.errors import ProfileBroken
from hilgui.rigs import DeviceSpec

_LINE_LIMIT = 200
_QUEUE = 20
_RESTART_BELOW = 0.5  # of the mains: the controller starts again, the output is off then
_MODEL = "HILGUI,SIM-SUPPLY,0001,1.0"
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Load:
    """What hangs on the output and how the output stage follows."""

    ohm: float = 100.0
    slew_v_per_s: float = 200.0


def load_of(device: DeviceSpec) -> Load:
    """Read `options.simulator`: load_ohm and slew_v_per_s; raises ProfileBroken."""
    wishes = device.options.get("simulator", {})
    if not isinstance(wishes, Mapping) or wishes.keys() - {"load_ohm", "slew_v_per_s"}:
        raise ProfileBroken(f"{device.name}: a simulated supply has load_ohm and slew_v_per_s, not {wishes!r}")
    for name, value in wishes.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise ProfileBroken(f"{device.name}: {name} is above 0, not {value!r}")
    return Load(float(wishes.get("load_ohm", 100.0)), float(wishes.get("slew_v_per_s", 200.0)))


class ScpiSupplySimulator(SimulatedDevice):
    """See RigSimulator. `draw`, `dip`, `run_away`, `override` are the scripted faults; there is no dead-man."""

    examples: ClassVar[tuple[DeviceSpec, ...]] = (
        DeviceSpec("supply", "scpi"),
        DeviceSpec("numbered", "scpi", {"dialect": "numbered", "max_voltage": 60}),
    )

    def __init__(self, device: DeviceSpec, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(device.name)
        self._supply = supply_of(device)
        self._dialect = self._supply.dialect
        load = load_of(device)
        self._ohm, self._slew = load.ohm, load.slew_v_per_s
        self._now_s = now_s
        self._at_s = now_s()
        self._pending = b""
        ratings = {channel.name: channel.high for channel in self._supply.channels}
        self._ratings = ratings
        self._set = {"voltage": 0.0, "current": min(1.0, ratings["current"])}
        self._set |= {name: ratings[name] for name in ("ovp", "ocp") if name in ratings}
        self._is_on = False
        self._volts = 0.0
        self._mains = 1.0
        self._excess = 0.0  # volts above what is set: a regulator that fails
        self._tripped = {"ovp_tripped": False, "ocp_tripped": False}
        self._errors: deque[tuple[int, str]] = deque(maxlen=_QUEUE)
        self._overrides: dict[str, str] = {}
        self._bare = not self._dialect.error or ":" not in self._dialect.error.ask  # errors are numbers alone
        self.is_remote = False

    def outputs(self) -> Mapping[str, float]:
        """Give what is set, and whether the output is on."""
        with self.lock:
            return self._set | {"output": float(self._is_on)}

    def terminals(self) -> tuple[float, float]:
        """Give volts and amperes at the terminals."""
        with self.lock:
            self._move(self._now_s())
            return self._volts, self._volts / self._ohm

    def draw(self, ohm: float) -> None:
        """Change the load: a demand spike, or a short circuit."""
        with self.lock:
            self._ohm = max(ohm, 1e-3)

    def dip(self, mains: float) -> None:
        """Let the mains fall to a share: below half the controller is dead, and restarts with the output off."""
        with self.lock:
            self._mains = mains
            if mains < _RESTART_BELOW:
                self._is_on = False
                self._pending = b""

    def run_away(self, volts: float) -> None:
        """Let the regulator fail: so many volts more than what is set, limited by the protection alone."""
        with self.lock:
            self._excess = volts

    def override(self, channel: str, text: str) -> None:
        """Answer this for a channel, whatever it is: a stuck or broken sensor."""
        with self.lock:
            self._overrides[channel] = text

    def tick(self, now_s: float) -> bytes:
        """Let the output follow."""
        self._move(self._now_s())
        return b""

    def take(self, data: bytes) -> bytes:
        """Answer complete lines."""
        self._move(self._now_s())
        if self._mains < _RESTART_BELOW:
            return b""
        *lines, self._pending = (self._pending + data).replace(b"\r", b"\n").split(b"\n")
        self._pending = self._pending[:_LINE_LIMIT]
        answers = (self._answer(line.decode("ascii", "replace").strip()) for line in lines if line.strip())
        end = self._dialect.end.answered.encode()
        return b"".join(answer.encode("ascii", "replace") + end for answer in answers if answer is not None)

    def _move(self, now_s: float) -> None:
        passed_s, self._at_s = now_s - self._at_s, now_s
        wanted = 0.0
        if self._is_on:
            wanted = min(self._set["voltage"], self._set["current"] * self._ohm) + self._excess
            wanted = min(wanted, 2 * self._ratings["voltage"]) * self._mains
        reach = self._slew * passed_s
        self._volts += max(-reach, min(reach, wanted - self._volts))
        if self._is_on:
            self._protect()

    def _protect(self) -> None:
        over = {
            "ovp_tripped": self._volts > self._set.get("ovp", float("inf")) + _TOLERANCE,
            "ocp_tripped": self._volts / self._ohm > self._set.get("ocp", float("inf")) + _TOLERANCE,
        }
        for name, is_over in over.items():
            if is_over:
                self._tripped[name] = True
                self._is_on = False
                self._volts = 0.0  # a crowbar empties the output at once

    def _answer(self, line: str) -> str | None:
        dialect = self._dialect
        for name in type(dialect).model_fields:
            part = getattr(dialect, name)
            if isinstance(part, Asked) and line.upper() == part.ask.upper():
                return self._overrides.get(name, part.before + self._value(name) + part.after)
            if isinstance(part, Output) and line.upper() in (part.on.upper(), part.off.upper()):
                self._switch(line.upper() == part.on.upper())
                return None
            if isinstance(part, Setting) and line.upper().startswith(part.set.format("").upper()):
                self._take_number(name, line[len(part.set.format("")) :])
                return None
        self._obey(line.upper())
        return None

    def _obey(self, line: str) -> None:
        dialect = self._dialect
        if dialect.remote and line == dialect.remote.upper():
            self.is_remote = True
        elif dialect.local and line == dialect.local.upper():
            self.is_remote = False
        elif dialect.clear_protection and line == dialect.clear_protection.upper():
            self._tripped = dict.fromkeys(self._tripped, False)
        else:
            self._errors.append((-113, "Undefined header"))

    def _switch(self, is_on: bool) -> None:
        if is_on and any(self._tripped.values()):
            self._errors.append((-221, "Settings conflict"))
            return
        self._is_on = is_on

    def _take_number(self, name: str, text: str) -> None:
        if not re.fullmatch(r"\d{1,4}(\.\d{1,6})?", text.strip()):
            self._errors.append((-104, "Data type error"))
        elif float(text) > self._ratings[name]:
            self._errors.append((-222, "Data out of range"))
        else:
            self._set[name] = float(text)

    def _value(self, name: str) -> str:
        match name:
            case "identify":
                return _MODEL
            case "error":
                number, text = self._errors.popleft() if self._errors else (0, "No error")
                return str(abs(number)) if self._bare else f'{number},"{text}"'
            case "output":
                return str(int(self._is_on))
            case "measured_voltage":
                return f"{self._volts:.4f}"
            case "measured_current":
                return f"{self._volts / self._ohm:.4f}"
            case "ovp_tripped" | "ocp_tripped":
                return str(int(self._tripped[name]))
            case _:
                return f"{self._set[name]:.4f}"
