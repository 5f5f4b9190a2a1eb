"""What the first bytes of an image say before it is decoded: its size, and when it was taken (EXIF)."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

_IFD_POINTER, _TAKEN, _TAKEN_FRACTION = 0x8769, 0x9003, 0x9291
_WIDTH, _HEIGHT = 0x0100, 0x0101
_MAX_ENTRIES = 512


def image_size(data: bytes) -> tuple[int, int] | None:
    """Give width and height as the header states them; None where the format or the header is not known."""
    try:
        if data[:8] == b"\x89PNG\r\n\x1a\n":
            return struct.unpack(">II", data[16:24])
        if data[:2] == b"BM":
            width, height = struct.unpack("<ii", data[18:26])
            return abs(width), abs(height)
        if data[:2] == b"\xff\xd8":
            return _jpeg_size(data)
        if data[:4] in (b"II*\0", b"MM\0*"):
            tags = _tiff_tags(data)
            return int(tags.get(_WIDTH, 0)), int(tags.get(_HEIGHT, 0))
        if data[:4] == b"RIFF" and data[12:16] == b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    except (struct.error, ValueError, IndexError):
        return None
    return None


def taken_at(data: bytes) -> datetime | None:
    """Read EXIF's DateTimeOriginal with its fraction, taken as UTC; None where there is none."""
    try:
        if data[:2] == b"\xff\xd8":
            tiff = next((body[6:] for kind, body in _jpeg_parts(data) if kind == 0xE1 and body[:6] == b"Exif\0\0"), b"")
        else:
            tiff = data
        if tiff[:4] not in (b"II*\0", b"MM\0*"):
            return None
        tags = _tiff_tags(tiff)
        pointer = tags.get(_IFD_POINTER)
        if isinstance(pointer, int):
            tags = tags | _tiff_tags(tiff, pointer)
        taken, fraction = tags.get(_TAKEN), tags.get(_TAKEN_FRACTION, "")
        if not isinstance(taken, str):
            return None
        when = datetime.strptime(taken, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        digits = str(fraction).strip()
        return when + timedelta(seconds=float(f"0.{digits}")) if digits.isdigit() else when
    except (struct.error, ValueError, IndexError):
        return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    for kind, body in _jpeg_parts(data):
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", body[1:5])
            return width, height
    return None


def _jpeg_parts(data: bytes) -> list[tuple[int, bytes]]:
    """List the marked parts before the picture itself."""
    parts, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        parts.append((data[at + 1], data[at + 4 : at + 2 + size]))
        at += 2 + max(size, 2)
    return parts


def _tiff_tags(data: bytes, at: int | None = None) -> dict[int, int | str]:
    """Read numbers and texts of one directory."""
    order = "<" if data[:2] == b"II" else ">"
    if at is None:
        (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    tags: dict[int, int | str] = {}
    for entry in range(min(count, _MAX_ENTRIES)):
        tag, kind, length, value = struct.unpack_from(f"{order}HHII", data, at + 2 + 12 * entry)
        if kind == 2 and length < 1024:
            start = value if length > 4 else at + 2 + 12 * entry + 8
            tags[tag] = data[start : start + length].split(b"\0")[0].decode("ascii", "replace")
        elif kind == 3 and length == 1:
            tags[tag] = struct.unpack_from(f"{order}H", data, at + 2 + 12 * entry + 8)[0]
        elif kind == 4 and length == 1:
            tags[tag] = value
    return tags
