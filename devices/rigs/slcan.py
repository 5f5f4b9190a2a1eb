"""Driver of slcan CAN adaptors: signals by name from a DBC, cyclic messages, rest bus; listens only in shadow mode.

The reading half opens the adaptor with `L`: the controller then sends not even an acknowledge. Cyclic messages go out
on the device's own thread between its other work, and only while the supervisor keeps feeding: no thread can go on
sending when somebody is in doubt.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import ClassVar

from devices.rigs.can_map import BUS, REST_BUS, CanMap, Sent, map_of
from devices.rigs.slcan_frame import BIT_RATES, OK, REFUSED, Lines, parsed
from hilgui.errors import RigGarbled, RigIdentityWrong, RigRefused, RigTimeout
from hilgui.rigs import (
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

LISTEN_ONLY, NORMAL = b"L", b"O"
CLOSE, VERSION, SERIAL, FLAGS = b"C\r", b"V\r", b"N\r", b"F\r"
_ANSWERS = {b"V": (b"V", b"v"), b"N": (b"N",), b"F": (b"F",)}

_ANSWER_S = 0.25
_LATE_S = 0.03
_FED_S = 0.2  # cyclic messages stop by themselves so long after the last keep_alive
_FLAGS_S = 0.1
_MOUTHFUL = 64  # reads in a row before a busy bus has to let others work


class SlcanDriver:
    """See RigDriver."""

    name: ClassVar[str] = "slcan"

    def facts(self, device: DeviceSpec) -> RigFacts:
        """Say which signals are read and sent; the dead-man is the time-out of those who receive them."""
        book = map_of(device)
        timeout_ms = book.options.receiver_timeout_ms
        dead_man = (
            DeadMan(DeadManKind.DEVICE, timeout_ms, "the receivers fall back when the cyclic message is missing")
            if timeout_ms
            else DeadMan(DeadManKind.NONE, 0.0, "cyclic messages end, receivers do what they are made to")
        )
        stops = {
            StopCategory.CUT_POWER: "one frame with the safe value for each message, cyclic messages and rest bus end",
            StopCategory.RAMP_AND_HOLD: "values stay and go on being sent",
        }
        cycles = [sent.cycle_s for sent in (*book.sent.values(), *book.rest.values()) if sent.cycle_s is not None]
        return RigFacts(book.channels, dead_man, stops, (), min(0.05, max(0.01, min(cycles, default=0.1) / 2)))

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """Let through what opens the adaptor for listening and asks it about itself."""
        rate = BIT_RATES[map_of(device).options.bitrate] + OK
        return sent in (CLOSE, VERSION, SERIAL, FLAGS, LISTEN_ONLY + OK, rate)

    def reader(self, device: DeviceSpec, link: Link) -> SlcanReader:
        """Make the half that listens only."""
        return SlcanReader(device, link)

    def writer(self, device: DeviceSpec, link: Link) -> SlcanWriter:
        """Make the half that takes part in the bus."""
        return SlcanWriter(device, link)


class SlcanReader:
    """See RigReader."""

    mode: ClassVar[bytes] = LISTEN_ONLY

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        self._device = device
        self._link = link
        self._map: CanMap = map_of(device)
        self._lines = Lines()
        self._heard: dict[tuple[str, str], tuple[float, int]] = {}  # message and signal: value, monotonic ns
        self._flags_s = 0.0
        self._bus_state = 0
        self._is_open = False
        self._trouble = ""

    def identify(self) -> Identity:
        """Close the channel, ask for version and serial number, set the bit rate, open in this half's mode."""
        self._resynchronise(0.0)
        self._trouble, self._is_open = "", False
        self._ask(CLOSE)
        version, serial = self._ask(VERSION), self._ask(SERIAL)
        if version is None or not version.startswith(b"V"):
            sentence = f"{self._link.port} gives no version as an slcan adaptor does"
            raise RigIdentityWrong(sentence, port=self._link.port, got=version or b"")
        number = serial[1:].decode("ascii", "replace") if serial is not None and serial.startswith(b"N") else ""
        found = Identity("slcan", "CAN adaptor", version[1:].decode("ascii", "replace"), number)
        if self._device.identity not in str(found):
            wanted = self._device.identity
            sentence = f"{self._link.port} is {found}, not the {wanted!r} of the profile; is the cable right?"
            raise RigIdentityWrong(sentence, port=self._link.port)
        for command in (BIT_RATES[self._map.options.bitrate] + OK, self.mode + OK):
            if self._ask(command) is None:
                sentence = f"{self._device.name} refused {command[:-1].decode()}; is its channel in use?"
                raise RigIdentityWrong(sentence, port=self._link.port, sent=command)
        self._heard.clear()
        self._is_open, self._flags_s = True, 0.0
        return found

    def read(self, channel: str) -> Reading:
        """Read one channel: the newest value from the bus, NaN where that is too old."""
        for reading in self.signals():
            if reading.channel == channel:
                return reading
        raise RigRefused(f"{self._device.name} has no channel {channel!r}", port=self._link.port)

    def signals(self) -> tuple[Reading, ...]:
        """Take in what the bus brought and give all channels; `bus` is 0 (error active) to 3 (bus error or off)."""
        self._ready()
        for _ in range(_MOUTHFUL):
            data = self._link.read_some(0.0)
            for answer in self._take(data):
                self._notice(answer)
            if not data:
                break
        self._look_at_bus()
        now_ns = time.monotonic_ns()
        return tuple(
            Reading(channel.name, self._value(channel.name, now_ns), channel.unit, now_ns)
            for channel in self._map.channels
        )

    def close(self) -> None:
        """Let go; it owns nothing."""

    def _value(self, channel: str, now_ns: int) -> float:
        if channel == BUS:
            return float(self._bus_state)
        source = self._map.sources.get(channel)
        if source is None:
            return math.nan  # the rest bus, of which a listener knows nothing
        value, at_ns = self._heard.get((source.message, source.signal), (math.nan, 0))
        return value if now_ns - at_ns <= source.stale_s * 1e9 else math.nan

    def _ready(self) -> None:
        if self._trouble:
            raise RigIdentityWrong(self._trouble, port=self._link.port)
        if not self._is_open:
            self.identify()

    def _look_at_bus(self) -> None:
        """Ask for the error flags; a channel that is closed now means that the adaptor has restarted."""
        if time.monotonic() - self._flags_s < _FLAGS_S:
            return
        self._flags_s = time.monotonic()
        answer = self._ask(FLAGS)
        if answer is None:
            raise self._restarted()
        try:
            flags = int(answer[1:], 16)
        except ValueError:
            raise self._garbled(answer) from None
        self._bus_state = 3 if flags & 0x80 else 2 if flags & 0x20 else 1 if flags & 0x04 else 0

    def _ask(self, command: bytes) -> bytes | None:
        """Send a command and give its answer, None where the adaptor refuses; frames in between are taken in."""
        self._link.write(command)
        deadline = time.monotonic() + _ANSWER_S
        while (left := deadline - time.monotonic()) > 0:
            for answer in self._take(self._link.read_some(left)):
                if answer == REFUSED:
                    return None
                if answer[:1] in _ANSWERS.get(command[:1], (b"", b"z", b"Z")):
                    return answer
                self._notice(answer)
        sentence = f"{self._device.name} did not answer {command[:1].decode()} within {_ANSWER_S:g} s; is it powered?"
        raise RigTimeout(sentence, port=self._link.port, sent=command)

    def _take(self, data: bytes) -> list[bytes]:
        """Keep the values of frames; give the answers among the lines."""
        answers = []
        for line in self._lines.cut(data):
            if line[:1] not in (b"t", b"T", b"r", b"R"):
                if line[:1] not in (b"", b"\a", b"z", b"Z", b"V", b"v", b"N", b"F"):
                    raise self._garbled(line)
                answers.append(line)
            elif (frame := parsed(line)) is not None and (told := self._map.decode(frame)) is not None:
                message, values = told
                now_ns = time.monotonic_ns()
                self._heard.update({(message, signal): (value, now_ns) for signal, value in values.items()})
        if self._lines.is_endless:
            raise self._garbled(data)
        return answers

    def _notice(self, answer: bytes) -> None:
        """Look at an answer that nobody waits for: a version line is the banner of an adaptor that restarted."""
        if self._is_open and answer[:1] in _ANSWERS[b"V"]:
            raise self._restarted()

    def _restarted(self) -> RigIdentityWrong:
        self._trouble = f"{self._device.name} restarted by itself, its channel is closed; check its supply"
        return RigIdentityWrong(self._trouble, port=self._link.port)

    def _resynchronise(self, quiet_s: float) -> None:
        """Forget what came, and half of what was coming. A busy bus never falls silent, so this waits no longer."""
        self._lines.clear()
        self._link.discard_input(quiet_s)

    def _garbled(self, got: bytes) -> RigGarbled:
        sentence = f"{self._device.name} sent {got[:24]!r}, which is no line of an slcan adaptor; check the baud rate"
        return RigGarbled(sentence, port=self._link.port, got=got[:64])


class SlcanWriter(SlcanReader):
    """See RigWriter."""

    mode = NORMAL

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        super().__init__(device, link)
        self._values = {name: dict(sent.safe) for name, sent in self._map.sent.items()}
        self._told: dict[str, float] = {}  # channel, value that the adaptor has taken
        self._due: dict[str, float] = {}  # message, when it is to be sent next
        self._counts: dict[str, int] = {}
        self._fed_s = 0.0
        self._has_rest_bus = False

    def set(self, channel: str, value: float) -> None:
        """Send a signal, in its unit, with the others of its message; cyclic ones go on while fed."""
        known = next((each for each in self._map.channels if each.name == channel and each.is_writable), None)
        if known is None:
            raise RigRefused(f"{self._device.name} has no channel {channel!r} to set", port=self._link.port)
        if not known.low <= value <= known.high:  # NaN too
            said = f"{value:g} {known.unit}".strip()
            sentence = f"{self._device.name}.{channel}: {said} is outside {known.low:g} to {known.high:g}"
            raise RigRefused(sentence, port=self._link.port)
        self._ready()
        self._fed_s = time.monotonic()
        if channel == REST_BUS:
            self._switch_rest_bus(value != 0.0)
            return
        message, signal = self._map.targets[channel]
        sent = self._map.sent[message]
        values = {**self._values[message], signal: value}
        self._transmit(message, sent, values)
        self._values[message] = values
        self._told[channel] = value
        if sent.cycle_s is not None:
            self._due[message] = time.monotonic() + sent.cycle_s

    def perform(self, action: str, arguments: Mapping[str, float]) -> None:
        """Refuse: there are no actions."""
        raise RigRefused(f"{self._device.name} has no action {action!r}", port=self._link.port)

    def signals(self) -> tuple[Reading, ...]:
        """Read as the listener does, and send what is due."""
        readings = super().signals()
        self._pump()
        return readings

    def stop(self, category: StopCategory) -> None:
        """End cyclic messages and rest bus and send the safe values; category 2 leaves them."""
        self._resynchronise(0.0)
        if category is StopCategory.RAMP_AND_HOLD:
            return
        self._still()
        self._link.write(OK)  # ends what a STOP cut short; answered by CR or BEL
        self._wait_late()
        self.safe_state()

    def stop_bytes(self, category: StopCategory) -> StopBytes:
        """Give the safe frames as bytes; a half-sent line before them is ended first."""
        if category is StopCategory.RAMP_AND_HOLD:
            return StopBytes(b"")
        lines = [sent.frame(sent.safe, 0).line() for sent in self._map.sent.values()]
        return StopBytes(OK + b"".join(lines))

    def safe_state(self) -> None:
        """End cyclic messages and rest bus, send the safe values once; RigRefused where the bus does not take them."""
        self._still()
        self._ready()
        self._wait_late()
        for message, sent in self._map.sent.items():
            self._transmit(message, sent, sent.safe)
            self._values[message] = dict(sent.safe)
        self._told = {wish.name: wish.safe for wish in self._map.options.send}

    def keep_alive(self) -> None:
        """Go on sending: cyclic messages live only on this."""
        self._fed_s = time.monotonic()
        self._ready()
        self._pump()

    def _value(self, channel: str, now_ns: int) -> float:
        """Read back from the bus what is confirmed there, else what the adaptor has taken."""
        if channel == REST_BUS:
            return float(self._has_rest_bus)
        wish = next((wish for wish in self._map.options.send if wish.name == channel), None)
        if wish is not None and wish.confirmed_by is None:
            return self._told.get(channel, math.nan)
        return super()._value(channel, now_ns)

    def _switch_rest_bus(self, is_on: bool) -> None:
        self._has_rest_bus = is_on
        for message in self._map.rest:
            self._due.pop(message, None)
            if is_on:
                self._due[message] = 0.0
        self._pump()

    def _pump(self) -> None:
        """Send the cyclic messages that are due; end them when nobody feeds any more."""
        now_s = time.monotonic()
        if self._due and now_s - self._fed_s > _FED_S:
            self._still()
        for message, due_s in list(self._due.items()):
            if now_s < due_s:
                continue
            is_rest = message in self._map.rest
            sent = self._map.rest[message] if is_rest else self._map.sent[message]
            self._transmit(message, sent, sent.safe if is_rest else self._values[message])
            self._due[message] = max(due_s + (sent.cycle_s or 0.0), now_s)  # late ones are not made up for

    def _still(self) -> None:
        self._due.clear()
        self._has_rest_bus = False

    def _transmit(self, message: str, sent: Sent, values: Mapping[str, float]) -> None:
        self._counts[message] = count = self._counts.get(message, -1) + 1
        if self._ask(sent.frame(values, count).line()) is None:
            sentence = f"{self._device.name} refused to send {message}; is the bus off, open or without a partner?"
            raise RigRefused(sentence, port=self._link.port)

    def _wait_late(self) -> None:
        """Take in answers that may still come to what a STOP went over; frames are kept."""
        until = time.monotonic() + _LATE_S
        while (left := until - time.monotonic()) > 0:
            self._take(self._link.read_some(left))
