"""Driver of the rehearsal board: one supply output, one lamp, one axis, a thermometer, and a dead-man.

Lines of ASCII, each answered by one: `ID?`, `GET?`, `SET name value`, `HOME`, `STOP category`, `SAFE`, `ALIVE`.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from hilgui.errors import ProfileBroken, RigGarbled, RigIdentityWrong, RigRefused
from hilgui.rigs.protocol import (
    Action,
    Channel,
    DeadMan,
    DeadManKind,
    DeviceSpec,
    Identity,
    Reading,
    RigFacts,
    StopBytes,
    StopCategory,
)
from hilgui.rigs.transport import Link

CHANNELS = (
    Channel("voltage", "V", 0.0, 30.0, is_writable=True, is_hazardous=True, safe=0.0, tolerance=0.01),
    Channel("lamp", "%", 0.0, 100.0, is_writable=True, is_hazardous=True, safe=0.0, tolerance=0.1),
    Channel("trigger", "", 0.0, 1.0, is_writable=True, safe=0.0),
    Channel("temperature", "°C", -40.0, 150.0),
)
STOPS = {
    StopCategory.CUT_POWER: "STOP 0, all outputs to zero at once",
    StopCategory.RAMP_THEN_CUT: "STOP 1, all outputs to zero at once, nothing here has inertia",
    StopCategory.RAMP_AND_HOLD: "STOP 2, outputs stay, commands are refused until the next SET",
}
HOME = Action("home", "everything back to its zero")
QUERIES = frozenset({b"ID?\n", b"GET?\n"})
MODEL = "HILGUI REHEARSAL"
_OPTIONS = ("dead_man_ms", "temperature", "tcp")  # tcp 1: the simulator listens on TCP instead of a pseudo terminal
_LATE_S = 0.03  # answers to what a STOP went over may still come
_NUMBER = re.compile(rb"-?\d{1,6}(\.\d{1,6})?")


def options_of(device: DeviceSpec) -> Mapping[str, Any]:
    """Check the options: `dead_man_ms` (0: the board has none), `temperature`, `tcp`; raises ProfileBroken."""
    for key, value in device.options.items():
        if key not in _OPTIONS or not isinstance(value, int | float) or not math.isfinite(value):
            raise ProfileBroken(f"{device.name}: a rehearsal board has {', '.join(_OPTIONS)}; not {key}: {value!r}")
    return device.options


class RehearsalDriver:
    """See RigDriver."""

    name: ClassVar[str] = "rehearsal"

    def facts(self, device: DeviceSpec) -> RigFacts:
        """Say what the board has."""
        timeout_ms = float(options_of(device).get("dead_man_ms", 200))
        kind = DeadManKind.DEVICE if timeout_ms else DeadManKind.NONE
        return RigFacts(CHANNELS, DeadMan(kind, timeout_ms, "all outputs to zero"), STOPS, (HOME,), poll_s=0.05)

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """Let the two questions through."""
        return sent in QUERIES

    def reader(self, device: DeviceSpec, link: Link) -> RehearsalReader:
        """Make the read-only half."""
        return RehearsalReader(device, link)

    def writer(self, device: DeviceSpec, link: Link) -> RehearsalWriter:
        """Make the half that can actuate."""
        return RehearsalWriter(device, link)


class RehearsalReader:
    """See RigReader."""

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        self._device = device
        self._link = link
        self._is_behind = False  # an answer may still come that nobody waits for

    def identify(self) -> Identity:
        """Ask what it is."""
        self._link.discard_input()
        answer = self._ask(b"ID?")
        words = answer.decode("ascii", "replace").split()
        found = Identity("hilgui", "rehearsal board", words[2], words[3]) if len(words) == 4 else None
        if found is None or not answer.startswith(MODEL.encode()) or not found.version.startswith("1."):
            sentence = f"{self._link.port} says {answer[:40]!r}, which is no rehearsal board of version 1"
            raise RigIdentityWrong(sentence, port=self._link.port, got=answer)
        if self._device.identity not in str(found):
            sentence = (
                f"{self._link.port} is {found}, not the {self._device.identity!r} of the profile; is the cable right?"
            )
            raise RigIdentityWrong(sentence, port=self._link.port, got=answer)
        return found

    def read(self, channel: str) -> Reading:
        """Read one channel."""
        for reading in self.signals():
            if reading.channel == channel:
                return reading
        raise RigRefused(f"{self._device.name} has no channel {channel!r}", port=self._link.port)

    def signals(self) -> tuple[Reading, ...]:
        """Read all channels in one round trip."""
        answer = self._ask(b"GET?")
        values = answer.split(b" ")
        if len(values) != len(CHANNELS):
            raise RigGarbled(
                f"{self._link.port}: {answer[:40]!r} is no answer to GET?", port=self._link.port, got=answer
            )
        now_ns = time.monotonic_ns()
        return tuple(
            Reading(channel.name, float(value) if _NUMBER.fullmatch(value) else math.nan, channel.unit, now_ns)
            for channel, value in zip(CHANNELS, values, strict=True)
        )

    def close(self) -> None:
        """Let go; it owns nothing."""

    def _ask(self, line: bytes) -> bytes:
        if self._is_behind:  # a late answer must not be taken for the next one
            self._link.discard_input(_LATE_S)
        self._is_behind = True
        self._link.write(line + b"\n")
        answer = self._link.read_line()
        self._is_behind = False
        return answer


class RehearsalWriter(RehearsalReader):
    """See RigWriter."""

    def set(self, channel: str, value: float) -> None:
        """Set one channel."""
        known = next((each for each in CHANNELS if each.name == channel and each.is_writable), None)
        if known is None:
            raise RigRefused(f"{self._device.name} has no channel {channel!r} to set", port=self._link.port)
        if not known.low <= value <= known.high:  # NaN too
            sentence = (
                f"{self._device.name}.{channel}: {value:g} {known.unit} is outside {known.low:g} to {known.high:g}"
            )
            raise RigRefused(sentence, port=self._link.port)
        self._order(f"SET {channel} {value:.4f}".encode())

    def perform(self, action: str, arguments: Mapping[str, float]) -> None:
        """Home."""
        if action != HOME.name or arguments:
            raise RigRefused(f"{self._device.name} has no action {action!r} with {arguments}", port=self._link.port)
        self._order(b"HOME")

    def stop(self, category: StopCategory) -> None:
        """Stop; answers of before are thrown away first."""
        self._link.write(b"\n")  # ends what a STOP cut short; answered by nothing
        self._link.discard_input(_LATE_S)
        self._order(f"STOP {category}".encode())

    def stop_bytes(self, category: StopCategory) -> StopBytes:
        """Give the same as bytes; a half-sent line before it is ended first."""
        return StopBytes(f"\nSTOP {int(category)}\n".encode())

    def safe_state(self) -> None:
        """Put every output to zero."""
        self._link.discard_input()
        self._order(b"SAFE")

    def keep_alive(self) -> None:
        """Feed the dead-man."""
        self._order(b"ALIVE")

    def _order(self, line: bytes) -> None:
        answer = self._ask(line)
        if answer != b"OK":
            sentence = f"{self._device.name} refused {line.decode()!r}: {answer[:40].decode('ascii', 'replace')}"
            raise RigRefused(sentence, port=self._link.port, sent=line, got=answer)
