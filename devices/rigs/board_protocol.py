r"""The line protocol of home-made boards: frames and their checksum. docs/board-protocol.md is the page.

    host   >SS BODY*CCCC\n       board   <SS BODY*CCCC\n       after a start   !BOOT …*CCCC\n

SS counts in hex, CCCC is the CRC-16/CCITT-FALSE of everything before the star.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass

PROTOCOL = 1
MODEL = "hilgui-board"
DEAD_MAN_MS = 250
PANELS = 4
FULL = 1000  # permille
PULSE_US = (10, 5000)  # the board does nothing else meanwhile, and its dead-man has 10 ms to spare
STOP_SEQ = 0xFF  # of the stop that goes over everything; others count from 0 to 254
LINE_LIMIT = 64  # of the board's buffer
REPEAT_S = 0.5  # a trigger with the sequence number of the last one is not fired again so soon

ERRORS = {
    1: "the checksum is wrong",
    2: "the command is unknown",
    3: "an argument is missing or outside its range",
    4: "the line is too long",
}
_FRAME = re.compile(rb"([<>!])(?:([0-9A-F]{2}) )?([\x20-\x29\x2b-\x7e]+)\*([0-9A-F]{4})")


@dataclass(frozen=True, slots=True)
class BoardFrame:
    """One line, its checksum right. `seq` is None in a boot banner."""

    mark: str  # ">" host, "<" board, "!" banner
    seq: int | None
    words: tuple[str, ...]


def crc16(data: bytes) -> int:
    """Give CRC-16/CCITT-FALSE: polynomial 0x1021, initial 0xFFFF, nothing reflected; of "123456789" it is 29B1."""
    return binascii.crc_hqx(data, 0xFFFF)


def frame(mark: str, seq: int | None, body: str) -> bytes:
    """Make one line. Refuses whatever could end or split it: ValueError."""
    if not re.fullmatch(r"[\x20-\x29\x2b-\x7e]+", body):
        raise ValueError(f"{body!r} holds a control character or a star")
    text = f"{mark}{'' if seq is None else f'{seq:02X} '}{body}".encode("ascii")
    return text + b"*%04X\n" % crc16(text)


def parse(line: bytes) -> BoardFrame | None:
    """Read one line without its end; None where form or checksum is wrong."""
    line = line.removesuffix(b"\r")
    found = _FRAME.fullmatch(line)
    if found is None or crc16(line[:-5]) != int(found[4], 16):
        return None
    mark, seq = found[1].decode(), int(found[2], 16) if found[2] else None
    if (mark == "!") != (seq is None):
        return None
    return BoardFrame(mark, seq, tuple(found[3].decode().split(" ")))


def duty_of(permille: int) -> int:
    """Give the 8-bit duty that the board makes of a permille; rounds half up, as the firmware does."""
    return (permille * 255 + FULL // 2) // FULL


def permille_of(duty: int) -> int:
    """Give what the board reports for a duty."""
    return (duty * FULL + 127) // 255
