"""Driver of home-made boards: light panel, LED, relay, trigger, photodiode; protocol in docs/board-protocol.md."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import ClassVar

from devices.rigs.board_protocol import (
    DEAD_MAN_MS,
    ERRORS,
    FULL,
    MODEL,
    PANELS,
    PROTOCOL,
    PULSE_US,
    STOP_SEQ,
    BoardFrame,
    frame,
    parse,
)
from hilgui.errors import ProfileBroken, RigGarbled, RigIdentityWrong, RigLost, RigRefused, RigTimeout
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

_PANEL_STEP = 0.25  # %, 8 bits of duty
_PANEL_NAMES = tuple(f"panel{n}" for n in range(PANELS))
SETTABLE = (
    *(
        Channel(name, "%", 0.0, 100.0, is_writable=True, is_hazardous=True, safe=0.0, tolerance=_PANEL_STEP)
        for name in _PANEL_NAMES
    ),
    Channel("led", "", 0.0, 1.0, is_writable=True, safe=0.0),
    Channel("relay", "", 0.0, 1.0, is_writable=True, is_hazardous=True, safe=0.0),
)
CHANNELS = (
    *SETTABLE,
    Channel("photodiode", "%", 0.0, 100.0),
    Channel("edges", "", 0.0, 65535.0),  # of the photodiode, rising, since the start; runs over
    Channel("edge_time", "s", 0.0, 4294.967295),  # of the newest edge, on the board's clock; runs over
    Channel("trigger_time", "s", 0.0, 4294.967295),  # of the newest trigger, on the same clock
    Channel("dead_man_trips", "", 0.0, 65535.0),
    Channel("uptime", "s", 0.0, 4294967.295),
)
TRIGGER = Action("trigger", "one pulse on the trigger output", is_hazardous=False, arguments=("width_us",))
STOPS = {
    StopCategory.CUT_POWER: "STOP, all outputs off at once, the relay drops",
    StopCategory.RAMP_THEN_CUT: "STOP, all outputs off at once; nothing here has inertia",
    StopCategory.RAMP_AND_HOLD: "outputs stay as they are, nothing here moves",
}
_SCALES = {"%": 0.1, "s": 1e-6}  # of what the board says, by unit
_WRITE_S = 0.05
_READ_S = 0.2
_TRIES = 2
_SPOILT = ("ERR", "1")
_LATE_S = 0.03  # answers to what a STOP went over may still come


class _LineSpoilt(RigGarbled):
    """One line that the wire spoilt; worth asking again."""


class BoardDriver:
    """See RigDriver."""

    name: ClassVar[str] = "board"

    def facts(self, device: DeviceSpec) -> RigFacts:
        """Say what the board has; it has no options."""
        if device.options:
            raise ProfileBroken(f"{device.name}: a board has no options, and not {min(device.options)}")
        says = "the firmware puts all outputs off and drops the relay"
        return RigFacts(CHANNELS, DeadMan(DeadManKind.DEVICE, DEAD_MAN_MS, says), STOPS, (TRIGGER,), poll_s=0.05)

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """Let the two questions through, one line with a right checksum at a time."""
        found = parse(sent[:-1]) if sent.endswith(b"\n") else None
        return found is not None and found.mark == ">" and found.words in (("ID?",), ("GET?",))

    def reader(self, device: DeviceSpec, link: Link) -> BoardReader:
        """Make the read-only half."""
        return BoardReader(device, link)

    def writer(self, device: DeviceSpec, link: Link) -> BoardWriter:
        """Make the half that can actuate."""
        return BoardWriter(device, link)


class BoardReader:
    """See RigReader."""

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        self._device = device
        self._link = link
        self._seq = 0

    def identify(self) -> Identity:
        """Ask what it is; an answer of another protocol version is another device."""
        self._link.discard_input()
        words = self._ask("ID?", may_have_started=True)
        if len(words) != 5 or words[:2] != ("ID", MODEL):
            raise self._wrong(f"says {' '.join(words)[:40]!r}, which is no {MODEL}")
        if words[2] != str(PROTOCOL):
            raise self._wrong(f"speaks version {words[2]} of the protocol, this driver {PROTOCOL}; flash the firmware")
        found = Identity("hilgui", MODEL, words[3], words[4])
        if self._device.identity not in str(found):
            raise self._wrong(f"is {found}, not the {self._device.identity!r} of the profile; is the cable right?")
        return found

    def read(self, channel: str) -> Reading:
        """Read one channel."""
        for reading in self.signals():
            if reading.channel == channel:
                return reading
        raise RigRefused(f"{self._device.name} has no channel {channel!r}", port=self._link.port)

    def signals(self) -> tuple[Reading, ...]:
        """Read all channels in one round trip."""
        words = self._ask("GET?")
        if len(words) != 1 + len(CHANNELS) or words[0] != "GET":
            raise RigGarbled(f"{self._link.port}: {' '.join(words)[:60]!r} is no answer to GET?", port=self._link.port)
        now_ns = time.monotonic_ns()
        return tuple(
            Reading(channel.name, _value(channel, word), channel.unit, now_ns)
            for channel, word in zip(CHANNELS, words[1:], strict=True)
        )

    def close(self) -> None:
        """Let go; it owns nothing."""

    def _ask(self, body: str, *, may_have_started: bool = False) -> tuple[str, ...]:
        """Send one command and give the words of its answer; asked once more where the wire spoilt it.

        That may be done with any command: all but the trigger change nothing when repeated, and the board knows a
        repeated trigger by its number.
        """
        self._seq = (self._seq + 1) % STOP_SEQ
        sent = frame(">", self._seq, body)
        spoilt: RigGarbled | RigTimeout | None = None
        for _ in range(_TRIES):
            self._link.write(sent, _WRITE_S)
            try:
                return self._answer(sent, may_have_started)
            except RigTimeout as failure:
                spoilt = failure
            except _LineSpoilt as failure:
                spoilt = failure
        assert spoilt is not None
        raise spoilt

    def _answer(self, sent: bytes, may_have_started: bool) -> tuple[str, ...]:
        deadline = time.monotonic() + _READ_S
        while True:
            line = self._link.read_line(max(0.0, deadline - time.monotonic()))
            found = parse(line)
            if found is None:
                sentence = f"{self._link.port} sent {line[:40]!r}, whose checksum is wrong; cable, or wrong baud rate?"
                raise _LineSpoilt(sentence, port=self._link.port, sent=sent, got=line[:40])
            if found.mark == "!" and not may_have_started:
                sentence = f"{self._device.name} has restarted ({' '.join(found.words)}): its outputs are off"
                raise RigLost(sentence, port=self._link.port, sent=sent, got=line)
            if found.words == _SPOILT:
                raise _LineSpoilt(f"{self._device.name} got a line with a wrong checksum", port=self._link.port)
            if found.mark == "<" and found.seq == self._seq:
                return self._judged(found, sent, line)

    def _judged(self, found: BoardFrame, sent: bytes, line: bytes) -> tuple[str, ...]:
        if found.words[0] != "ERR":
            return found.words
        code = int(found.words[1]) if len(found.words) == 2 and found.words[1].isdecimal() else 0
        why = ERRORS.get(code, f"error {' '.join(found.words[1:])}")
        sentence = f"{self._device.name} refused {sent.decode().strip()}: {why}"
        raise RigRefused(sentence, port=self._link.port, sent=sent, got=line)

    def _wrong(self, what: str) -> RigIdentityWrong:
        return RigIdentityWrong(f"{self._link.port} {what}", port=self._link.port)


class BoardWriter(BoardReader):
    """See RigWriter."""

    def set(self, channel: str, value: float) -> None:
        """Set one channel; feeds the dead-man too."""
        known = next((each for each in SETTABLE if each.name == channel), None)
        if known is None:
            raise RigRefused(f"{self._device.name} has no channel {channel!r} to set", port=self._link.port)
        if not known.low <= value <= known.high:  # NaN too
            sentence = (
                f"{self._device.name}.{channel}: {value:g} {known.unit} is outside {known.low:g} to {known.high:g}"
            )
            raise RigRefused(sentence, port=self._link.port)
        if known.unit == "" and value not in (0.0, 1.0):
            raise RigRefused(f"{self._device.name}.{channel} is a switch: 0 or 1, not {value:g}", port=self._link.port)
        number = round(value * FULL / 100) if known.unit == "%" else int(value)
        self._order(f"SET {channel} {number}")

    def perform(self, action: str, arguments: Mapping[str, float]) -> None:
        """Trigger: one pulse of `width_us`, 10 to 5000, 1000 if not said."""
        width_us = arguments.get("width_us", 1000.0)
        if action != TRIGGER.name or set(arguments) - {"width_us"}:
            raise RigRefused(f"{self._device.name} has no action {action!r} with {arguments}", port=self._link.port)
        if not PULSE_US[0] <= width_us <= PULSE_US[1]:  # NaN too
            sentence = f"{self._device.name}: a pulse of {width_us:g} µs is outside {PULSE_US[0]} to {PULSE_US[1]}"
            raise RigRefused(sentence, port=self._link.port)
        self._order(f"TRIG {round(width_us)}")

    def stop(self, category: StopCategory) -> None:
        """Stop, then throw away what answered to earlier things; in category 2 outputs stay."""
        self._link.write(self.stop_bytes(category).data)
        self._link.discard_input(_LATE_S)
        if category is not StopCategory.RAMP_AND_HOLD:
            self._order("STOP")

    def stop_bytes(self, category: StopCategory) -> StopBytes:
        """Give STOP as bytes; a half-sent line before it is ended first, and in category 2 nothing else is."""
        if category is StopCategory.RAMP_AND_HOLD:
            return StopBytes(b"\n")
        return StopBytes(b"\n" + frame(">", STOP_SEQ, "STOP"))

    def safe_state(self) -> None:
        """Put everything off."""
        self._link.discard_input()
        self._order("STOP")

    def keep_alive(self) -> None:
        """Feed the dead-man."""
        self._order("KA")

    def _order(self, body: str) -> None:
        words = self._ask(body)
        if words[0] != "OK":
            sentence = f"{self._link.port}: {' '.join(words)[:40]!r} is no answer to {body}"
            raise RigGarbled(sentence, port=self._link.port)


def _value(channel: Channel, word: str) -> float:
    """Give a value in its unit; NaN for "-", which a sensor without a value says, and for anything else."""
    if not word.isdecimal():
        return math.nan
    scale = 1e-3 if channel.name == "uptime" else _SCALES.get(channel.unit, 1.0)
    return int(word) * scale
