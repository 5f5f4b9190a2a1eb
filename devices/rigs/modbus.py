"""Driver of Modbus RTU boards with relays and inputs; the register map comes from the rig profile."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from typing import ClassVar

from devices.rigs import modbus_frame as frames
from devices.rigs.modbus_frame import EXCEPTIONS, READ_DEVICE_ID, READS, Function
from devices.rigs.modbus_map import Point, board_of
from hilgui.errors import RigGarbled, RigIdentityWrong, RigRefused
from hilgui.rigs import (
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

_LATE_S = 0.03
_BITS = (Function.READ_COILS, Function.READ_DISCRETE_INPUTS)
_ASK_DEVICE_ID = bytes([Function.DEVICE_ID]) + READ_DEVICE_ID
_ASK_SERVER_ID = bytes([Function.REPORT_SERVER_ID])


class ModbusDriver:
    """See RigDriver."""

    name: ClassVar[str] = "modbus"

    def facts(self, device: DeviceSpec) -> RigFacts:
        """Say what the map has; the dead-man is the board's own watchdog."""
        board = board_of(device)
        watchdog = board.wish.watchdog
        dead_man = (
            DeadMan(DeadManKind.NONE, 0.0, "relays stay as they are")
            if watchdog is None
            else DeadMan(DeadManKind.DEVICE, watchdog.timeout_ms, "the board's watchdog drops its relays")
        )
        stops = {
            StopCategory.CUT_POWER: "all relays to their safe state in one frame",
            StopCategory.RAMP_AND_HOLD: "relays stay as they are",
        }
        return RigFacts(tuple(point.channel for point in board.points), dead_man, stops)

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """Let whole frames through that read, from this board."""
        if not frames.is_whole(sent) or sent[0] != board_of(device).wish.address:
            return False
        is_read = sent[1] in READS and len(sent) == 8
        return is_read or sent[1:-2] in (_ASK_DEVICE_ID, _ASK_SERVER_ID)

    def reader(self, device: DeviceSpec, link: Link) -> ModbusReader:
        """Make the read-only half."""
        return ModbusReader(device, link)

    def writer(self, device: DeviceSpec, link: Link) -> ModbusWriter:
        """Make the half that can actuate."""
        return ModbusWriter(device, link)


class ModbusReader:
    """See RigReader."""

    def __init__(self, device: DeviceSpec, link: Link) -> None:
        self._device = device
        self._link = link
        self._board = board_of(device)
        self._gap_s = self._board.wish.gap_ms / 1000

    def identify(self) -> Identity:
        """Ask for maker, product and revision (function 43/14 or 17), and look whether the watchdog is set."""
        if self._board.wish.identify == "device_id":
            found = _device_id(self._transact(_ASK_DEVICE_ID))
        else:
            said = self._transact(_ASK_SERVER_ID)[1:].decode("latin-1")
            found = Identity("Modbus", "".join(filter(str.isprintable, said)).strip() or "server", "")
        if self._device.identity not in str(found):
            wanted = self._device.identity
            sentence = f"{self._link.port} is {found}, not the {wanted!r} of the profile; is the cable right?"
            raise RigIdentityWrong(sentence, port=self._link.port)
        watchdog = self._board.wish.watchdog
        if watchdog is not None:
            raw = self._registers(Function.READ_HOLDING_REGISTERS, watchdog.timeout_register, 1)[0]
            is_ms = raw * watchdog.register_ms
            if not 0 < is_ms <= watchdog.timeout_ms:
                told = f"the watchdog of {self._device.name} is set to {is_ms:g} ms"
                sentence = f"{told}, and the profile says {watchdog.timeout_ms:g} ms; set it on the board"
                raise RigIdentityWrong(sentence, port=self._link.port)
        return found

    def read(self, channel: str) -> Reading:
        """Read one channel."""
        point = self._board.point(channel)
        if point is None:
            raise RigRefused(f"{self._device.name} has no channel {channel!r}", port=self._link.port)
        table, address = point.source
        raw = self._raw(table, address, point.words)
        return self._reading(point, raw)

    def signals(self) -> tuple[Reading, ...]:
        """Read every point; neighbours in one request. A confirmed relay shows its contact, not its coil."""
        raw: dict[tuple[Function, int], int] = {}
        for table, address, count in self._board.spans():
            found = self._raw(table, address, count)
            raw.update({(table, address + index): value for index, value in enumerate(found)})
        readings = []
        for point in self._board.points:
            table, address = point.source
            readings.append(self._reading(point, [raw[table, address + index] for index in range(point.words)]))
        return tuple(readings)

    def close(self) -> None:
        """Let go; it owns nothing."""

    def _reading(self, point: Point, raw: list[int]) -> Reading:
        return Reading(point.channel.name, point.value(raw), point.channel.unit, time.monotonic_ns())

    def _raw(self, table: Function, address: int, count: int) -> list[int]:
        if table not in _BITS:
            return self._registers(table, address, count)
        data = self._transact(frames.read(table, address, count))[1:]
        if len(data) != (count + 7) // 8:
            raise self._garbled("an answer of another length", data)
        return [int(bit) for bit in frames.unpacked(data, count)]

    def _registers(self, table: Function, address: int, count: int) -> list[int]:
        data = self._transact(frames.read(table, address, count))[1:]
        if len(data) != 2 * count:
            raise self._garbled("an answer of another length", data)
        return list(struct.unpack(f">{count}H", data))

    def _transact(self, body: bytes) -> bytes:
        """Send a request and give the data of its answer; silence of 3.5 characters parts it from what came before."""
        self._link.discard_input(self._gap_s)
        self._link.write(frames.framed(self._board.wish.address, body))
        frame = self._link.read_exactly(2)
        if frame[0] != self._board.wish.address or frame[1] & 0x7F != body[0]:
            raise self._garbled("an answer of another board or to another question", frame)
        frame += self._rest(frame[1])
        if not frames.is_whole(frame):
            raise self._garbled("a wrong checksum", frame)
        if frame[1] & 0x80:
            words = EXCEPTIONS.get(frame[2], "a code that the standard does not have")
            sentence = f"{self._device.name} refused function {body[0]}: exception {frame[2]}: {words}"
            raise RigRefused(sentence, port=self._link.port, sent=body, got=frame)
        return frame[2:-2]

    def _rest(self, function: int) -> bytes:
        """Read the rest of an answer, its length told by its head."""
        if function & 0x80:
            return self._link.read_exactly(3)
        if function in READS or function == Function.REPORT_SERVER_ID:
            count = self._link.read_exactly(1)
            return count + self._link.read_exactly(count[0] + 2)
        if function != Function.DEVICE_ID:
            return self._link.read_exactly(6)
        data = self._link.read_exactly(6)
        for _ in range(min(data[5], 32)):
            head = self._link.read_exactly(2)
            data += head + self._link.read_exactly(head[1])
        return data + self._link.read_exactly(2)

    def _garbled(self, what: str, got: bytes) -> RigGarbled:
        sentence = f"{self._device.name} sent {what}; check baud rate, wiring and termination"
        return RigGarbled(sentence, port=self._link.port, got=got)


class ModbusWriter(ModbusReader):
    """See RigWriter."""

    def set(self, channel: str, value: float) -> None:
        """Set a coil or a register and wait for the board's echo."""
        point = self._board.point(channel)
        if point is None or not point.channel.is_writable:
            raise RigRefused(f"{self._device.name} has no channel {channel!r} to set", port=self._link.port)
        self._refuse_outside(point.channel, value)
        if point.table is not Function.READ_COILS:
            self._order(frames.write_registers(point.address, point.raw(value)))
        elif value in (0.0, 1.0):
            self._order(struct.pack(">BHH", Function.WRITE_COIL, point.address, 0xFF00 if value else 0))
        else:
            raise RigRefused(f"{self._device.name}.{channel} is a relay: 0 or 1, not {value:g}", port=self._link.port)

    def perform(self, action: str, arguments: Mapping[str, float]) -> None:
        """Refuse: a board of relays has no actions."""
        raise RigRefused(f"{self._device.name} has no action {action!r}", port=self._link.port)

    def stop(self, category: StopCategory) -> None:
        """Drop all relays; in category 2 they stay."""
        self._link.discard_input(_LATE_S)
        if category is not StopCategory.RAMP_AND_HOLD and (body := self._off()):
            self._order(body)

    def stop_bytes(self, category: StopCategory) -> StopBytes:
        """Give the frame that drops all relays; silence before it ends a half-sent one."""
        body = b"" if category is StopCategory.RAMP_AND_HOLD else self._off()
        return StopBytes(frames.framed(self._board.wish.address, body) if body else b"", self._gap_s)

    def safe_state(self) -> None:
        """Drop all relays, then put registers to their safe values; the supervisor reads back."""
        if body := self._off():
            self._order(body)
        for point in self._board.points:
            if point.table is Function.READ_HOLDING_REGISTERS and point.channel.is_writable:
                if point.channel.safe is not None:
                    self._order(frames.write_registers(point.address, point.raw(point.channel.safe)))

    def keep_alive(self) -> None:
        """Feed the watchdog: its register, or any request where the board takes that for a sign of life."""
        watchdog = self._board.wish.watchdog
        if watchdog is None:
            return
        if watchdog.feed_register is None:
            self._registers(Function.READ_HOLDING_REGISTERS, watchdog.timeout_register, 1)
        else:
            self._order(frames.write_registers(watchdog.feed_register, (watchdog.feed_value,)))

    def _off(self) -> bytes:
        coils = self._board.coils
        if not coils:
            return b""
        return frames.write_coils(coils[0].address, [bool(point.channel.safe) for point in coils])

    def _order(self, body: bytes) -> None:
        echo = self._transact(body)
        if echo != body[1:5]:
            raise self._garbled(f"an echo that is not what was written ({body[1:5].hex()})", echo)

    def _refuse_outside(self, channel: Channel, value: float) -> None:
        if not channel.low <= value <= channel.high:  # NaN too
            said = f"{value:g} {channel.unit}".strip()
            sentence = f"{self._device.name}.{channel.name}: {said} is outside {channel.low:g} to {channel.high:g}"
            raise RigRefused(sentence, port=self._link.port)


def _device_id(data: bytes) -> Identity:
    """Read vendor, product and revision out of an answer to function 43/14."""
    objects: dict[int, str] = {}
    at = 6
    while at + 2 <= len(data):
        number, length = data[at], data[at + 1]
        text = data[at + 2 : at + 2 + length].decode("latin-1")
        objects[number] = "".join(filter(str.isprintable, text))
        at += 2 + length
    return Identity(objects.get(0, "unknown maker"), objects.get(1, ""), objects.get(2, ""))
