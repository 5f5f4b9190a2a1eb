"""Driver of a Grbl 1.1 controller: a linear stage or a pan and tilt head. Lines go one by one, each answered first.

Source: grbl v1.1 interface, commands and jogging pages (github.com/gnea/grbl/wiki). All moves are jogs (`$J=`): they
obey soft limits, change no modal state, and a feed hold ends them for good instead of leaving them to go on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devices.rigs.grbl_words import ALARMS, ERRORS
from hilgui.errors import ProfileBroken, RigGarbled, RigIdentityWrong, RigRefused, RigTimeout
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

STATUS, HOLD, RESET = b"?", b"!", b"\x18"
BUILD, SETTINGS, STARTUP = b"$I\n", b"$$\n", b"$N\n"
QUERIES = frozenset({STATUS, BUILD, SETTINGS, STARTUP, b"$#\n", b"$G\n"})
_ANSWER_S = 0.25
_RESET_S = 0.4
_STOPPED_S = 0.9
_LATE_S = 0.03
_STANDING = ("Idle", "Alarm")
_LETTERS = ("x", "y", "z")
_NUMBERS = {"MPos", "WPos", "WCO", "FS", "F"}
_HOME = Action("home", "$H: drive every axis to its switch")
_UNLOCK = Action("unlock", "$X: leave an alarm without homing; the position may be wrong")


class _Axis(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    letter: Literal["x", "y", "z"]
    unit: Literal["mm", "deg"] = "mm"
    travel: tuple[float, float]  # machine coordinates
    speed: Annotated[float, Field(gt=0, allow_inf_nan=False)]  # unit/s
    acceleration: Annotated[float, Field(gt=0, allow_inf_nan=False)]  # unit/s²
    tolerance: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.01


class GrblOptions(BaseModel):
    """The `options` of a Grbl device in a rig profile."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    axes: Annotated[dict[str, _Axis], Field(min_length=1, max_length=3)]
    homing: bool = False  # the controller has switches and has to be homed ($22=1, $20=1)
    boot_s: Annotated[float, Field(ge=0, le=5)] = 0.0  # an Arduino that resets on open stays silent so long


def options_of(device: DeviceSpec) -> GrblOptions:
    """Check the options; raises ProfileBroken."""
    try:
        options = GrblOptions.model_validate(dict(device.options))
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ProfileBroken(f"{device.name}: options.{key}: {first['msg']}") from failure
    letters = [axis.letter for axis in options.axes.values()]
    if len(set(letters)) != len(letters):
        raise ProfileBroken(f"{device.name}: options.axes: two axes have the same letter")
    for name, axis in options.axes.items():
        if (
            name in ("speed", "alarm", "limit")
            or not math.isfinite(sum(axis.travel))
            or axis.travel[0] >= axis.travel[1]
        ):
            raise ProfileBroken(f"{device.name}: options.axes.{name}: the name is taken or the travel is empty")
    return options


class GrblDriver:
    """See RigDriver."""

    name: ClassVar[str] = "grbl"

    def facts(self, device: DeviceSpec) -> RigFacts:
        """Say what the axes of the profile are; Grbl knows no heartbeat of a host, so there is no dead-man."""
        options = options_of(device)
        axes = tuple(
            Channel(name, axis.unit, *axis.travel, is_writable=True, is_hazardous=True, tolerance=axis.tolerance)
            for name, axis in options.axes.items()
        )
        unit = next(iter(options.axes.values())).unit
        watched = (
            Channel("speed", f"{unit}/s", 0.0, 1e4),
            Channel("alarm", "", 0.0, 255.0),  # the code told since the last reset, 0 for none
            Channel("locked", "", 0.0, 1.0),  # wants to be homed or unlocked
            Channel("limit", "", 0.0, 1.0),
        )
        slowest_ms = max(axis.speed / axis.acceleration for axis in options.axes.values()) * 1000
        stops = {
            StopCategory.CUT_POWER: "soft reset 0x18: no further step; a move that it ends leaves ALARM:3",
            StopCategory.RAMP_AND_HOLD: f"feed hold !: decelerates, at full speed for {slowest_ms:.0f} ms",
        }
        silence = DeadMan(DeadManKind.NONE, 0.0, "finishes the moves that it has; Grbl knows no heartbeat")
        return RigFacts((*axes, *watched), silence, stops, (_HOME, _UNLOCK) if options.homing else (_UNLOCK,), 0.05)

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """Let the status request and the views of settings through, letter by letter."""
        return sent in QUERIES

    def reader(self, device: DeviceSpec, link: Link) -> GrblReader:
        """Make the read-only half."""
        return GrblReader(device, link)

    def writer(self, device: DeviceSpec, link: Link) -> GrblWriter:
        """Make the half that can actuate."""
        return GrblWriter(device, link)


@dataclass(frozen=True, slots=True)
class Status:
    """One `<…>` report: state, machine position in the order x y z, feed in unit/min, triggered pins."""

    state: str
    position: tuple[float, ...]
    feed: float
    pins: str


class GrblReader:
    """See RigReader."""

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        self._device = device
        self._link = link
        self._options = options_of(device)
        self._offset: tuple[float, ...] | None = None  # WCO, told now and then where $10 asks for work positions
        self._alarm = 0  # since the last reset of ours
        self._cause = 0  # of the lock
        self._is_known = False
        self._rebooted = ""

    def identify(self) -> Identity:
        """Ask for version and settings; the version handshake of the banner, and the limits against the profile's."""
        self._link.discard_input()
        self._rebooted, self._offset = "", None
        status = self._first_status()
        if status.state not in _STANDING:
            sentence = f"{self._device.name} is in {status.state} and tells its version only when it stands; stop it"
            raise RigRefused(sentence, port=self._link.port)
        found = self._version(self._ask(BUILD))
        settings = self._settings(self._ask(SETTINGS))
        self._compare(settings, self._ask(STARTUP))
        if self._device.identity not in str(found):
            wanted = self._device.identity
            sentence = f"{self._link.port} is {found}, not the {wanted!r} of the profile; is the cable right?"
            raise RigIdentityWrong(sentence, port=self._link.port)
        self._is_known = True
        return found

    def read(self, channel: str) -> Reading:
        """Read one channel."""
        for reading in self.signals():
            if reading.channel == channel:
                return reading
        raise RigRefused(f"{self._device.name} has no channel {channel!r}", port=self._link.port)

    def signals(self) -> tuple[Reading, ...]:
        """Read positions, speed, alarm and limit pins in one status report.

        After a hit switch the firmware answers nothing until a reset: the alarm is told, positions are NaN.
        """
        if not self._is_known:
            self.identify()
        try:
            status = self._status()
        except RigTimeout:
            if not self._alarm:
                raise
            status = Status("Alarm", (), math.nan, "")
        now_ns = time.monotonic_ns()
        axes = self._options.axes
        readings = [Reading(name, self._at(status, axis.letter), axis.unit, now_ns) for name, axis in axes.items()]
        unit = next(iter(axes.values())).unit
        at_limit = float(any(letter in status.pins for letter in "XYZ") or self._alarm == 1)
        readings += [
            Reading("speed", status.feed / 60, f"{unit}/s", now_ns),
            Reading("alarm", float(self._alarm), "", now_ns),
            Reading("locked", float(status.state == "Alarm"), "", now_ns),
            Reading("limit", at_limit, "", now_ns),
        ]
        return tuple(readings)

    def close(self) -> None:
        """Let go; it owns nothing."""

    def _at(self, status: Status, letter: str) -> float:
        number = _LETTERS.index(letter)
        return status.position[number] if number < len(status.position) else math.nan

    def _first_status(self) -> Status:
        try:
            return self._status()
        except RigTimeout:
            if not self._options.boot_s:
                raise
        while not self._link.read_line(self._options.boot_s).startswith(b"Grbl "):
            pass
        self._rebooted = ""
        return self._status()

    def _status(self) -> Status:
        """Ask for a status report; raises RigIdentityWrong from a reboot on until the next `identify`."""
        self._refuse_rebooted()
        self._link.write(STATUS)
        for line in self._lines(_ANSWER_S):
            if line.startswith(b"<"):
                self._refuse_rebooted()
                status = self._parsed(line)
                if status.state != "Alarm":
                    self._alarm = self._cause = 0
                return status
        raise RigTimeout(f"{self._link.port} gave no status report within {_ANSWER_S:g} s", port=self._link.port)

    def _ask(self, line: bytes, timeout_s: float = _ANSWER_S) -> list[str]:
        """Send a line and give what came before its `ok`; raises RigRefused for `error:`."""
        self._refuse_rebooted()
        self._link.write(line)
        said: list[str] = []
        for answer in self._lines(timeout_s):
            if answer == b"ok":
                return said
            text = answer.decode("ascii", "replace")
            if text.startswith("error:"):
                raise self._refused(line, text)
            self._refuse_rebooted()
            if not text.startswith("<"):
                said.append(text)
        raise RigTimeout(f"{self._link.port} did not end its answer to {line!r}", port=self._link.port, sent=line)

    def _lines(self, timeout_s: float) -> Iterator[bytes]:
        """Give lines until a total deadline, then end; alarms and banners in between are noted."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            line = self._link.read_line(left).strip()
            if line.startswith(b"ALARM:") and line[6:].isdigit():
                self._alarm = self._cause = int(line[6:9])
            elif line.startswith(b"Grbl "):
                self._rebooted = line.decode("ascii", "replace")
                yield line
            elif line:
                yield line

    def _refuse_rebooted(self) -> None:
        if self._rebooted:
            sentence = f"{self._device.name} restarted by itself ({self._rebooted!r}); check its supply, connect again"
            raise RigIdentityWrong(sentence, port=self._link.port)

    def _refused(self, line: bytes, answer: str) -> RigRefused:
        digits = answer.removeprefix("error:")
        why = ERRORS.get(int(digits), "unknown code") if digits.isdigit() else "unknown code"
        sent = line.decode("ascii", "replace").strip()
        return RigRefused(f"{self._device.name} refused {sent}: {answer}: {why}", port=self._link.port, sent=line)

    def _parsed(self, line: bytes) -> Status:
        text = line.decode("ascii", "replace")
        state, *parts = text.strip("<>").split("|")
        fields = dict(part.partition(":")[::2] for part in parts)
        try:
            numbers = {
                key: tuple(map(float, fields[key].split(",")))
                for key in ("MPos", "WPos", "WCO", "FS", "F")
                if key in fields
            }
        except ValueError:
            numbers = {}
        if not text.endswith(">") or not ({"MPos", "WPos"} & numbers.keys()) or not ({"FS", "F"} & numbers.keys()):
            sentence = f"{self._link.port}: {text[:60]!r} is no status report of Grbl 1.1"
            raise RigGarbled(sentence, port=self._link.port, got=line)
        self._offset = numbers.get("WCO", self._offset)
        position = numbers.get("MPos", ())
        if not position and self._offset is not None:
            position = tuple(work + offset for work, offset in zip(numbers["WPos"], self._offset, strict=False))
        feed = numbers.get("FS", numbers.get("F", (math.nan,)))[0]
        return Status(state, position, feed, fields.get("Pn", ""))

    def _version(self, lines: list[str]) -> Identity:
        for line in lines:
            if line.startswith("[VER:1.1") and line.endswith("]"):
                version, _, given = line[5:-1].partition(":")
                return Identity("Grbl", "controller", version, given)
        sentence = f"{self._link.port} says {' '.join(lines)[:60]!r}, which is no Grbl of version 1.1"
        raise RigIdentityWrong(sentence, port=self._link.port)

    def _settings(self, lines: list[str]) -> dict[int, float]:
        settings = {}
        for line in lines:
            number, _, value = line.removeprefix("$").partition("=")
            with suppress(ValueError):
                settings[int(number)] = float(value.split(" ")[0])
        return settings

    def _compare(self, settings: dict[int, float], startup: list[str]) -> None:
        """Refuse a controller that would not do what the profile says."""
        wrong = []
        if settings.get(13) != 0:
            wrong.append("it reports inches ($13), and the profile is in mm")
        if any(line.startswith("$N") and line.partition("=")[2] for line in startup):
            wrong.append(
                "it has startup lines ($N), which could move it after each reset; delete them with $N0= and $N1="
            )
        if self._options.homing and (settings.get(22) != 1 or settings.get(20) != 1):
            wrong.append("the profile says homing, which needs $22=1 and soft limits $20=1")
        for name, axis in self._options.axes.items():
            number = _LETTERS.index(axis.letter)
            low, high = axis.travel
            travel, rate = settings.get(130 + number, 0.0), settings.get(110 + number, 0.0)
            acceleration = settings.get(120 + number, 0.0)
            outside = settings.get(20) == 1 and not ((-travel <= low and high <= 0) or (low >= 0 and high <= travel))
            if high - low > travel or outside:
                wrong.append(f"{name} travels {low:g} to {high:g}, and ${130 + number} allows {travel:g}")
            if axis.speed * 60 > rate * 1.0001:
                wrong.append(f"{name} goes {axis.speed:g} {axis.unit}/s, and ${110 + number} allows {rate / 60:g}")
            if acceleration < axis.acceleration * 0.9999:
                said = f"${120 + number} is {acceleration:g}, so that stopping takes longer than the profile's"
                wrong.append(f"{name}: {said} {axis.acceleration:g}")
        if wrong:
            raise RigIdentityWrong(f"{self._device.name}: {'; '.join(wrong)}", port=self._link.port)


class GrblWriter(GrblReader):
    """See RigWriter."""

    def set(self, channel: str, value: float) -> None:
        """Jog an axis to a machine position at the profile's speed; returns when the controller has taken it.

        Moves that come while one runs are queued by the controller.
        """
        axis = self._options.axes.get(channel)
        if axis is None:
            raise RigRefused(f"{self._device.name} has no axis {channel!r}", port=self._link.port)
        low, high = axis.travel
        if not low <= value <= high:  # NaN too
            sentence = f"{self._device.name}.{channel}: {value:g} {axis.unit} is outside {low:g} to {high:g}"
            raise RigRefused(sentence, port=self._link.port)
        state = self._status().state
        if state == "Alarm":
            raise RigRefused(
                f"{self._device.name} is locked: {self._alarm_said()}; home or unlock it", port=self._link.port
            )
        if state not in ("Idle", "Jog"):
            raise RigRefused(f"{self._device.name} is in {state} and takes no move", port=self._link.port)
        self._ask(f"$J=G90G21{axis.letter.upper()}{value:.3f}F{axis.speed * 60:.1f}\n".encode())

    def perform(self, action: str, arguments: Mapping[str, float]) -> None:
        """Home or unlock; homing answers only at its end, so its start is seen in the status."""
        if action == _UNLOCK.name and not arguments:
            self._status()  # throws the late answer of a homing cycle away
            self._ask(b"$X\n")
            self._alarm = self._cause = 0
        elif action == _HOME.name and not arguments and self._options.homing:
            self._home()
        else:
            raise RigRefused(f"{self._device.name} has no action {action!r} with {arguments}", port=self._link.port)

    def stop(self, category: StopCategory) -> None:
        """Soft reset; category 2 is a feed hold, waited for until it stands."""
        if category is not StopCategory.RAMP_AND_HOLD:
            self._reset()
            return
        deadline = time.monotonic() + _STOPPED_S
        self._link.write(HOLD)
        self._link.discard_input(_LATE_S)
        while (state := self._status().state) not in (*_STANDING, "Hold:0"):
            if state == "Home" or time.monotonic() > deadline:  # homing obeys nothing but a reset
                break
            self._link.discard_input(_LATE_S)
        if state not in _STANDING:
            self._reset()  # from Hold:0 it keeps the position

    def stop_bytes(self, category: StopCategory) -> StopBytes:
        """Give the real-time byte; it needs no line end and passes whatever is in the line buffer."""
        return StopBytes(HOLD if category is StopCategory.RAMP_AND_HOLD else RESET)

    def safe_state(self) -> None:
        """Soft reset: no motion, spindle and coolant off; raises RigBroken where no banner comes back."""
        self._reset()

    def keep_alive(self) -> None:
        """Do nothing: Grbl has nothing to feed."""

    def _reset(self) -> None:
        """Reset and wait for the banner: the version handshake at the same time."""
        self._link.write(RESET)
        for line in self._lines(_RESET_S):
            if line.startswith(b"Grbl 1.1"):
                break
            if line.startswith(b"Grbl "):
                raise RigIdentityWrong(f"{self._link.port} says {line!r}, no Grbl 1.1", port=self._link.port, got=line)
        else:
            raise RigTimeout(f"{self._link.port} showed no banner after a soft reset", port=self._link.port)
        self._link.discard_input(_LATE_S)
        self._rebooted, self._alarm = "", 0
        state = self._status().state
        if state not in (*_STANDING, "Sleep") and not state.startswith("Door"):
            raise RigRefused(f"{self._device.name} is in {state} after a soft reset", port=self._link.port)

    def _home(self) -> None:
        self._refuse_rebooted()
        self._link.write(b"$H\n")
        deadline = time.monotonic() + _ANSWER_S
        while time.monotonic() < deadline:
            self._link.write(STATUS)
            for line in self._lines(_ANSWER_S):
                if line == b"ok" or line.startswith(b"<Home"):
                    return
                if line.startswith(b"error:"):
                    raise self._refused(b"$H", line.decode("ascii", "replace"))
                if line.startswith(b"<"):
                    break
            if self._alarm:
                raise RigRefused(f"{self._device.name} cannot home: {self._alarm_said()}", port=self._link.port)
        raise RigTimeout(f"{self._device.name} did not begin to home", port=self._link.port)

    def _alarm_said(self) -> str:
        if not self._cause:
            return "it has not been homed, or told its alarm to somebody else"
        return f"ALARM:{self._cause}: {ALARMS.get(self._cause, 'a code that the interface does not have')}"
