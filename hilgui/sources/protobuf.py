"""Just enough protobuf to read the flat messages of Foxglove, by the definition that the bag itself carries."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

_DOUBLE, _STRING, _BYTES = 1, 9, 12
_REPEATED = 3


@lru_cache(maxsize=64)
def field_numbers(schema: bytes, message_type: str) -> dict[int, tuple[str, int, bool]]:
    """Give name, type and "is repeated" by field number, from a FileDescriptorSet; raises ValueError."""
    package, _, name = message_type.rpartition(".")
    for file in _all(schema, 1):
        if _text(file, 2) != package:
            continue
        for message in _all(file, 4):
            if _text(message, 1) == name:
                return {
                    _number(field, 3): (_text(field, 1), _number(field, 5), _number(field, 4) == _REPEATED)
                    for field in _all(message, 2)
                }
    raise ValueError(f"the bag does not define {message_type}")


def read_fields(data: bytes, fields: dict[int, tuple[str, int, bool]]) -> dict[str, Any]:
    """Read numbers, texts, bytes and lists of doubles; messages inside are left out. Raises ValueError."""
    found: dict[str, Any] = {}
    for number, value in _walk(data):
        name, kind, is_repeated = fields.get(number, ("", 0, False))
        if not name:
            continue
        if kind == _DOUBLE:
            packed = value if isinstance(value, bytes) else struct.pack("<Q", value)
            numbers = struct.unpack(f"<{len(packed) // 8}d", packed)
            found[name] = [*found.get(name, []), *numbers] if is_repeated else numbers[0]
        elif kind == _STRING and isinstance(value, bytes):
            found[name] = value.decode("utf-8", "replace")
        elif kind == _BYTES or isinstance(value, int):
            found[name] = value
    # What has its default value is not written at all.
    for name, kind, is_repeated in fields.values():
        found.setdefault(name, [] if is_repeated else {_STRING: "", _BYTES: b""}.get(kind, 0))
    return found


def _walk(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                value, at = _varint(data, at)
                yield key >> 3, value
            case 1:
                yield key >> 3, struct.unpack_from("<Q", data, at)[0]
                at += 8
            case 2:
                size, at = _varint(data, at)
                if at + size > len(data):
                    raise ValueError("a field reaches beyond its message")
                yield key >> 3, data[at : at + size]
                at += size
            case 5:
                yield key >> 3, struct.unpack_from("<I", data, at)[0]
                at += 4
            case kind:
                raise ValueError(f"wire type {kind} is not known")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        value |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return value, at
    raise ValueError("a number has no end")


def _all(data: bytes, number: int) -> list[bytes]:
    return [value for found, value in _walk(data) if found == number and isinstance(value, bytes)]


def _text(data: bytes, number: int) -> str:
    found = _all(data, number)
    return found[-1].decode("utf-8", "replace") if found else ""


def _number(data: bytes, number: int) -> int:
    return next((value for found, value in _walk(data) if found == number and isinstance(value, int)), 0)
