"""Modbus RTU frames: requests, answers, CRC, exceptions in words.

Source: MODBUS Application Protocol 1.1b3 and MODBUS over Serial Line 1.02. Written out here because pymodbus' client
owns its port, and its codec is no stable interface; pymodbus and mbpoll are the peers of the tests.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum

READ_DEVICE_ID = b"\x0e\x01\x00"  # MEI type 14, basic, from object 0
LONGEST = 256


class Function(IntEnum):
    """The function codes in use."""

    READ_COILS = 1
    READ_DISCRETE_INPUTS = 2
    READ_HOLDING_REGISTERS = 3
    READ_INPUT_REGISTERS = 4
    WRITE_COIL = 5
    WRITE_REGISTER = 6
    WRITE_COILS = 15
    WRITE_REGISTERS = 16
    REPORT_SERVER_ID = 17
    DEVICE_ID = 43


READS = frozenset({1, 2, 3, 4})
EXCEPTIONS: Mapping[int, str] = {
    1: "illegal function: the board does not know this function code",
    2: "illegal data address: the board has no such coil or register",
    3: "illegal data value: the board does not accept this value or count",
    4: "server device failure: the board broke down while doing it",
    5: "acknowledge: the board needs longer",
    6: "server device busy: try again",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target device failed to respond",
}


def crc16(data: bytes) -> int:
    """Give the CRC of a frame (reflected 0x8005, start 0xFFFF; Serial Line 1.02, 6.2.2)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def framed(unit: int, body: bytes) -> bytes:
    """Put the address before a body of function code and data, and the CRC after it."""
    frame = bytes([unit]) + body
    return frame + struct.pack("<H", crc16(frame))


def is_whole(frame: bytes) -> bool:
    """Say whether the CRC is right."""
    return len(frame) >= 4 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def read(function: Function, address: int, count: int) -> bytes:
    """Give the body of a read of coils, inputs or registers."""
    return struct.pack(">BHH", function, address, count)


def write_coils(address: int, states: Sequence[bool]) -> bytes:
    """Give the body that sets neighbouring coils at once."""
    return struct.pack(">BHHB", Function.WRITE_COILS, address, len(states), (len(states) + 7) // 8) + packed(states)


def write_registers(address: int, words: Sequence[int]) -> bytes:
    """Give the body that sets neighbouring registers, the single form where there is one."""
    if len(words) == 1:
        return struct.pack(">BHH", Function.WRITE_REGISTER, address, words[0])
    head = struct.pack(">BHHB", Function.WRITE_REGISTERS, address, len(words), 2 * len(words))
    return head + struct.pack(f">{len(words)}H", *words)


def packed(states: Sequence[bool]) -> bytes:
    """Give coil states as bytes, the first in the lowest bit."""
    data = bytearray((len(states) + 7) // 8)
    for index, state in enumerate(states):
        data[index // 8] |= bool(state) << index % 8
    return bytes(data)


def unpacked(data: bytes, count: int) -> tuple[bool, ...]:
    """Give coil states out of bytes."""
    return tuple(bool(data[index // 8] >> index % 8 & 1) for index in range(count))


def request_length(head: bytes) -> int | None:
    """Say how long the request is that begins so; None while that is open, 0 for an unknown function."""
    if len(head) < 2:
        return None
    match head[1]:
        case 1 | 2 | 3 | 4 | 5 | 6:
            return 8
        case 15 | 16:
            return 9 + head[6] if len(head) > 6 else None
        case 17:
            return 4
        case 43:
            return 7
    return 0
