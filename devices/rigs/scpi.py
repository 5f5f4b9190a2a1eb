"""Driver of programmable supplies that speak SCPI over a serial line; what they call things is a dialect in YAML."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from devices.rigs.scpi_dialect import Asked, Dialect, dialect_of, error_number
from hilgui.errors import ProfileBroken, RigBroken, RigGarbled, RigIdentityWrong, RigRefused
from hilgui.rigs import (
    Action,
    Channel,
    DeadMan,
    DeadManKind,
    DeviceSpec,
    Identity,
    Link,
    Reading,
    RigFacts,
    StopBytes,
    StopCategory,
)

_OPTIONS = ("dialect", "max_voltage", "max_current", "simulator")
_READ_S = 0.2
_LATE_S = 0.03  # answers to what a STOP went over, or to what was given up, may still come
_OLD_ERRORS = 20  # of the queue, thrown away before a command; SCPI queues hold 10 to 20
_SILENT = "keeps its output when the host falls silent; armed only behind a relay that drops by itself, cut_by"
_CLEAR = Action("clear_protection", "clears a tripped protection; the output stays off")


@dataclass(frozen=True, slots=True)
class Supply:
    """The options of one supply, checked."""

    dialect: Dialect
    channels: tuple[Channel, ...]

    def channel(self, name: str) -> Channel | None:
        """Find a channel by name."""
        return next((channel for channel in self.channels if channel.name == name), None)


def supply_of(device: DeviceSpec) -> Supply:
    """Check the options of a profile; raises ProfileBroken."""
    if unknown := device.options.keys() - set(_OPTIONS):
        raise ProfileBroken(f"{device.name}: a SCPI supply has {', '.join(_OPTIONS)}; not {min(unknown)}")
    volts, amperes = (_rating(device, name, usual) for name, usual in (("max_voltage", 30.0), ("max_current", 3.0)))
    dialect = dialect_of(device.options, device.name)
    channels = [
        Channel("voltage", "V", 0.0, volts, is_writable=True, is_hazardous=True, tolerance=0.02),
        Channel("current", "A", 0.0, amperes, is_writable=True, is_hazardous=True, tolerance=0.02),
        Channel("output", "", 0.0, 1.0, is_writable=True, is_hazardous=True, safe=0.0),
        Channel("measured_voltage", "V", -1.0, 2 * volts),
        Channel("measured_current", "A", -1.0, 2 * amperes),
    ]
    if dialect.ovp is not None:
        channels.append(Channel("ovp", "V", 1.0, 1.1 * volts, is_writable=True, tolerance=0.05))
    if dialect.ocp is not None:
        channels.append(Channel("ocp", "A", 0.1, 1.1 * amperes, is_writable=True, tolerance=0.05))
    tripped = (name for name in ("ovp_tripped", "ocp_tripped") if dialect.asked(name) is not None)
    channels += [Channel(name, "", 0.0, 1.0) for name in tripped]
    return Supply(dialect, tuple(channels))


def _rating(device: DeviceSpec, name: str, usual: float) -> float:
    value = device.options.get(name, usual)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1000:
        raise ProfileBroken(f"{device.name}: {name} is the rating of the supply, above 0 to 1000, not {value!r}")
    return float(value)


class ScpiDriver:
    """See RigDriver."""

    name: ClassVar[str] = "scpi"

    def facts(self, device: DeviceSpec) -> RigFacts:
        """Say what the supply has; it states that nothing stops it when the host falls silent."""
        supply = supply_of(device)
        off = supply.dialect.output.off
        stops = {
            StopCategory.CUT_POWER: f"{off}, the output stage off at once; mains stays on",
            StopCategory.RAMP_THEN_CUT: f"{off}, nothing here has inertia but the load's capacitors",
            StopCategory.RAMP_AND_HOLD: "the output stays as it is, nothing here moves",
        }
        actions = (_CLEAR,) if supply.dialect.clear_protection else ()
        return RigFacts(supply.channels, DeadMan(DeadManKind.NONE, says=_SILENT), stops, actions, poll_s=0.1)

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """Let the queries of the dialect through, one whole line each."""
        return sent in supply_of(device).dialect.queries

    def reader(self, device: DeviceSpec, link: Link) -> SupplyReader:
        """Make the read-only half."""
        return SupplyReader(device, link)

    def writer(self, device: DeviceSpec, link: Link) -> SupplyWriter:
        """Make the half that can actuate."""
        return SupplyWriter(device, link)


class SupplyReader:
    """See RigReader."""

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        self._device = device
        self._link = link
        self._supply = supply_of(device)
        self._dialect = self._supply.dialect
        self._owes_answer = False  # one was given up and may still come

    def identify(self) -> Identity:
        """Ask *IDN?: maker, model, serial number, version (IEEE 488.2, 10.14)."""
        self._link.discard_input()
        self._owes_answer = False
        answer = self._ask(self._dialect.identify)
        fields = _fields(answer)
        if fields is None:
            raise self._wrong(f"says {answer[:60]!r}, which is no answer to *IDN?", answer)
        serial, version = ([*fields[2:4], "", ""])[:2]
        found = Identity(fields[0], fields[1], version, serial)
        if self._device.identity not in str(found):
            raise self._wrong(f"is {found}, not the {self._device.identity!r} of the profile", answer)
        return found

    def read(self, channel: str) -> Reading:
        """Read one channel: what was set for a setting, what is measured for a measured one."""
        known, asked = self._supply.channel(channel), self._dialect.asked(channel)
        if known is None or asked is None:
            raise RigRefused(f"{self._device.name} has no channel {channel!r}", port=self._link.port)
        return Reading(channel, asked.value(self._ask(asked)), known.unit, time.monotonic_ns())

    def signals(self) -> tuple[Reading, ...]:
        """Read what moves by itself: what is measured, the switch and the protections."""
        names = ("measured_voltage", "measured_current", "output", "ovp_tripped", "ocp_tripped")
        return tuple(self.read(name) for name in names if self._supply.channel(name) is not None)

    def close(self) -> None:
        """Let go; the reader owns nothing."""

    def _ask(self, asked: Asked) -> str:
        if self._owes_answer:
            self._find_feet()
        return self._exchange(asked)

    def _find_feet(self) -> None:
        """Ask *IDN? and drop all answers before its own: SCPI numbers none, so a late one would pass for the next."""
        self._link.discard_input(_LATE_S)
        deadline = time.monotonic() + _READ_S
        answer = self._exchange(self._dialect.identify)
        while _fields(answer) is None:
            answer = self._line(max(0.0, deadline - time.monotonic()))
        self._owes_answer = False

    def _exchange(self, asked: Asked) -> str:
        self._link.write(self._dialect.line(asked.ask), _READ_S)
        return self._line(_READ_S)

    def _line(self, timeout_s: float) -> str:
        was_owed, self._owes_answer = self._owes_answer, True
        answer = self._link.read_line(timeout_s, end=self._dialect.end.answered.encode())
        try:
            text = answer.decode("ascii")
        except UnicodeDecodeError as failure:
            sentence = f"{self._link.port} answered {answer[:40]!r}; wrong baud rate or device?"
            raise RigGarbled(sentence, port=self._link.port, got=answer) from failure
        self._owes_answer = was_owed
        return text

    def _wrong(self, what: str, answer: str) -> RigIdentityWrong:
        sentence = f"{self._link.port} {what}; is the cable right, and the baud rate?"
        return RigIdentityWrong(sentence, port=self._link.port, got=answer.encode("ascii", "replace"))


class SupplyWriter(SupplyReader):
    """See RigWriter."""

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        super().__init__(device, link)
        self._is_remote = False

    def set(self, channel: str, value: float) -> None:
        """Set one channel; the error queue says whether it was taken. The switch is read back; without a queue, all."""
        known = self._supply.channel(channel)
        if known is None or not known.is_writable:
            raise RigRefused(f"{self._device.name} has no channel {channel!r} to set", port=self._link.port)
        if not known.low <= value <= known.high:  # NaN too
            sentence = (
                f"{self._device.name}.{channel}: {value:g} {known.unit} is outside {known.low:g} to {known.high:g}"
            )
            raise RigRefused(sentence, port=self._link.port)
        if channel == "output" and value not in (0.0, 1.0):
            raise RigRefused(f"{self._device.name}.output is a switch: 0 or 1, not {value:g}", port=self._link.port)
        self._order(self._dialect.setting(channel, value))
        if channel == "output" or self._dialect.error is None:
            self._check(known, value)

    def perform(self, action: str, arguments: Mapping[str, float]) -> None:
        """Clear a tripped protection; the output stays off."""
        command = self._dialect.clear_protection
        if action != _CLEAR.name or arguments or command is None:
            raise RigRefused(f"{self._device.name} has no action {action!r} with {arguments}", port=self._link.port)
        self._order(self._dialect.line(command))

    def stop(self, category: StopCategory) -> None:
        """Switch the output off, then throw away what answered to earlier things, and look whether it is off."""
        self._owes_answer = True
        if category is StopCategory.RAMP_AND_HOLD:
            return
        self._link.write(self.stop_bytes(category).data)
        self._see_off()

    def stop_bytes(self, category: StopCategory) -> StopBytes:
        """Give output off as bytes; a half-sent line before it is ended first, and in category 2 nothing else is."""
        end = self._dialect.end.sent.encode()
        if category is StopCategory.RAMP_AND_HOLD:
            return StopBytes(end)
        return StopBytes(end + self._dialect.line(self._dialect.output.off))

    def safe_state(self) -> None:
        """Switch the output off and read it back; voltage and current stay as they are set, without effect."""
        self._link.write(self._dialect.line(self._dialect.output.off))
        self._see_off()

    def keep_alive(self) -> None:
        """Do nothing: a supply has no dead-man."""

    def close(self) -> None:
        """Give the front panel back to people."""
        if self._is_remote and self._dialect.local:
            self._is_remote = False
            with suppress(RigBroken):
                self._link.write(self._dialect.line(self._dialect.local), _READ_S)

    def _order(self, line: bytes) -> None:
        if not self._is_remote:
            if self._dialect.remote:
                self._link.write(self._dialect.line(self._dialect.remote), _READ_S)
            self._forget_errors()
        self._link.write(line, _READ_S)
        self._is_remote = True
        if self._dialect.error is None:
            return
        answer = self._ask(self._dialect.error)
        number = error_number(answer)
        text = line.decode("ascii").strip()
        if number is None:
            sentence = f"{self._device.name} answered {answer[:40]!r} to {self._dialect.error.ask} after {text}"
            raise RigGarbled(sentence, port=self._link.port, sent=line, got=answer.encode())
        if number:
            self._is_remote = False  # the queue may hold more
            sentence = f"{self._device.name} refused {text}: {answer.strip()[:60]}"
            raise RigRefused(sentence, port=self._link.port, sent=line, got=answer.encode())

    def _forget_errors(self) -> None:
        """Empty the error queue of what happened before: it would be blamed on the next command."""
        if self._dialect.error is not None:
            for _ in range(_OLD_ERRORS):
                if not error_number(self._ask(self._dialect.error)):
                    return

    def _check(self, channel: Channel, value: float) -> None:
        found = self.read(channel.name).value
        if not abs(found - value) <= channel.tolerance + 1e-9:  # NaN too
            sentence = f"{self._device.name}.{channel.name} was set to {value:g} and reads back {found:g}"
            raise RigRefused(sentence, port=self._link.port)

    def _see_off(self) -> None:
        value = self.read("output").value
        if value != 0.0:
            shown = "nothing clear" if math.isnan(value) else f"{value:g}"
            raise RigGarbled(f"{self._device.name} was switched off and its output reads {shown}", port=self._link.port)


def _fields(answer: str) -> list[str] | None:
    """Take an answer to *IDN? apart; None for anything else."""
    fields = [field.strip() for field in answer.split(",")]
    is_identity = len(fields) >= 2 and answer.strip().isprintable() and all(fields[:2]) and '"' not in answer
    return fields if is_identity else None
