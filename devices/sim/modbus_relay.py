"""A simulated Modbus RTU board: relays with real contacts, inputs, registers, a watchdog."""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping
from typing import ClassVar

from devices.rigs import modbus_frame as frames
from devices.rigs.modbus_frame import LONGEST, Function
from devices.rigs.modbus_map import Point, board_of
from devices.sim.port import PortSimulator
from hilgui.rigs import DeviceSpec

MAKER, PRODUCT, REVISION = "hilgui", "relay board", "1.0"
_CELLS = 10_000
_PATIENCE_S = 0.05  # silence after which a half frame is forgotten
_RELAYS = {
    "address": 7,
    "points": [  # °C in tenths, V in thousandths, hours in two registers
        {"name": "power", "coil": 0, "confirmed_by": 0},
        {"name": "lamp", "coil": 1, "confirmed_by": 1},
        {"name": "door", "discrete_input": 8},
        {
            "name": "temperature", "input_register": 0, "type": "int16", "scale": 0.1, "unit": "°C",
            "low": -40, "high": 150,
        },
        {
            "name": "level", "holding_register": 20, "scale": 0.001, "unit": "V", "low": 0, "high": 10,
            "safe": 0, "writable": True,
        },
        {"name": "hours", "input_register": 2, "type": "uint32", "unit": "h", "low": 0, "high": 1e9},
    ],
    "watchdog": {"timeout_register": 100, "register_ms": 10, "timeout_ms": 200, "feed_register": 101},
}  # fmt: skip


class _Refusal(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ModbusRelaySimulator(PortSimulator):
    """See RigSimulator; `weld`, `set_input`, `set_register`, `fail_with` and `garble` inject what can go wrong."""

    examples: ClassVar[tuple[DeviceSpec, ...]] = (DeviceSpec("relays", "modbus", _RELAYS),)

    def __init__(self, device: DeviceSpec) -> None:
        super().__init__(device)
        self._board = board_of(device)
        self._coils = [False] * _CELLS
        self._inputs = [False] * _CELLS
        self._holding = [0] * _CELLS
        self._input_registers = [0] * _CELLS
        self._welded: dict[int, bool] = {}
        self._buffer = bytearray()
        self._heard_s = self._fed_s = time.monotonic()
        self._exception = 0
        self._is_garbled = False
        self._fell_s: float | None = None
        self._tables: Mapping[int, list[bool] | list[int]] = {
            1: self._coils, 2: self._inputs, 3: self._holding, 4: self._input_registers
        }  # fmt: skip
        if (watchdog := self._board.wish.watchdog) is not None:
            self._holding[watchdog.timeout_register] = round(watchdog.timeout_ms / watchdog.register_ms)
        self._fall_safe()

    def outputs(self) -> Mapping[str, float]:
        """Give the contacts and output registers as they are."""
        with self.lock:
            return {
                point.channel.name: self._output(point) for point in self._board.points if point.channel.is_writable
            }

    def fell_safe_at(self) -> float | None:
        """Give the monotonic second at which the watchdog acted last, None before."""
        return self._fell_s

    def weld(self, channel: str) -> None:
        """Weld a contact: it stays closed whatever the coil does."""
        with self.lock:
            self._welded[self._point(channel).address] = True
            self._follow()

    def set_input(self, address: int, is_on: bool) -> None:
        """Set a discrete input."""
        with self.lock:
            self._inputs[address] = is_on

    def set_register(self, table: int, address: int, value: int) -> None:
        """Set a holding (3) or input (4) register."""
        with self.lock:
            (self._holding if table == 3 else self._input_registers)[address] = value

    def fail_with(self, code: int) -> None:
        """Answer everything with this exception, 0: with nothing out of the way."""
        self._exception = code

    def garble(self, is_garbled: bool = True) -> None:
        """Send wrong checksums."""
        self._is_garbled = is_garbled

    def hear(self, data: bytes) -> None:
        """Collect bytes and answer whole frames; what is none is skipped, as silence would part it on a real wire."""
        self._heard_s = time.monotonic()
        self._buffer += data
        while len(self._buffer) >= 4:
            length = frames.request_length(bytes(self._buffer))
            if length is None:
                return
            if length and len(self._buffer) < length:
                if not self._hunt():
                    return
                continue
            frame = bytes(self._buffer[:length])
            if length and frames.is_whole(frame):
                del self._buffer[:length]
                self._serve_frame(frame)
            elif not self._hunt():
                del self._buffer[0]
        del self._buffer[: -LONGEST - 1]

    def pass_time(self, now_s: float) -> None:
        """Let the watchdog run."""
        if now_s - self._heard_s > _PATIENCE_S:
            self._buffer.clear()
        watchdog = self._board.wish.watchdog
        if watchdog is None:
            return
        timeout_s = self._holding[watchdog.timeout_register] * watchdog.register_ms / 1000
        if timeout_s and now_s - self._fed_s > timeout_s and not self._is_safe():
            self._fall_safe()
            self._fell_s = now_s

    def _hunt(self) -> bool:
        """Look for a whole frame of this board behind a broken one, and drop what is before it."""
        for at in range(1, len(self._buffer) - 3):
            tail = bytes(self._buffer[at:])
            length = frames.request_length(tail)
            if tail[0] == self._board.wish.address and length and frames.is_whole(tail[:length]):
                del self._buffer[:at]
                return True
        return False

    def _serve_frame(self, frame: bytes) -> None:
        if frame[0] != self._board.wish.address:
            return
        watchdog = self._board.wish.watchdog
        if watchdog is not None and watchdog.feed_register is None:
            self._fed_s = time.monotonic()
        try:
            if self._exception:
                raise _Refusal(self._exception)
            body = bytes([frame[1]]) + self._answer(frame[1], frame[2:-2])
        except _Refusal as refusal:
            body = bytes([frame[1] | 0x80, refusal.code])
        answer = frames.framed(frame[0], body)
        self.say(answer[:-1] + bytes([answer[-1] ^ 1]) if self._is_garbled else answer)

    def _answer(self, function: int, data: bytes) -> bytes:
        if function == Function.REPORT_SERVER_ID:
            text = f"{MAKER} {PRODUCT} {REVISION}".encode()
            return bytes([len(text) + 1]) + text + b"\xff"
        if function == Function.DEVICE_ID:
            parts = [text.encode() for text in (MAKER, PRODUCT, REVISION)]
            objects = b"".join(bytes([number, len(part)]) + part for number, part in enumerate(parts))
            return b"\x0e\x01\x01\x00\x00" + bytes([len(parts)]) + objects
        address, number = struct.unpack(">HH", data[:4])
        if function in frames.READS:
            return self._read(function, address, number)
        if function == Function.WRITE_COIL:
            if number not in (0, 0xFF00):
                raise _Refusal(3)
            self._write_coils(address, [bool(number)])
        elif function == Function.WRITE_REGISTER:
            self._write_registers(address, [number])
        elif function == Function.WRITE_COILS:
            if not 0 < number <= 1968 or len(data) != 5 + (number + 7) // 8:
                raise _Refusal(3)
            self._write_coils(address, list(frames.unpacked(data[5:], number)))
        elif function == Function.WRITE_REGISTERS:
            if not 0 < number <= 123 or len(data) != 5 + 2 * number:
                raise _Refusal(3)
            self._write_registers(address, list(struct.unpack(f">{number}H", data[5:])))
        else:
            raise _Refusal(1)
        return data[:4]

    def _read(self, function: int, address: int, count: int) -> bytes:
        is_bits = function in (1, 2)
        if not 0 < count <= (2000 if is_bits else 125):
            raise _Refusal(3)
        if address + count > _CELLS:
            raise _Refusal(2)
        cells = self._tables[function][address : address + count]
        data = frames.packed([bool(cell) for cell in cells]) if is_bits else struct.pack(f">{count}H", *cells)
        return bytes([len(data)]) + data

    def _write_coils(self, address: int, states: list[bool]) -> None:
        if address + len(states) > _CELLS:
            raise _Refusal(2)
        self._coils[address : address + len(states)] = states
        self._fed_s = time.monotonic()
        self._follow()

    def _write_registers(self, address: int, words: list[int]) -> None:
        if address + len(words) > _CELLS:
            raise _Refusal(2)
        self._holding[address : address + len(words)] = words
        watchdog = self._board.wish.watchdog
        if watchdog is not None and watchdog.feed_register in range(address, address + len(words)):
            self._fed_s = time.monotonic()

    def _follow(self) -> None:
        """Let the contacts follow their coils, and the confirming inputs the contacts."""
        for point in self._board.points:
            if point.confirmed_by is not None:
                self._inputs[point.confirmed_by] = bool(self._output(point))

    def _output(self, point: Point) -> float:
        if point.table is Function.READ_COILS:
            return float(self._welded.get(point.address, self._coils[point.address]))
        return point.value(self._holding[point.address : point.address + point.words])

    def _is_safe(self) -> bool:
        return all(self._coils[point.address] == bool(point.channel.safe) for point in self._board.coils)

    def _fall_safe(self) -> None:
        for point in self._board.coils:
            self._coils[point.address] = bool(point.channel.safe)
        self._follow()

    def _point(self, channel: str) -> Point:
        point = self._board.point(channel)
        if point is None:
            raise KeyError(channel)
        return point
