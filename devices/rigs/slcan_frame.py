"""The lines of an slcan adaptor: CAN frames as text, answers, and how a stream of bytes is cut into them.

Source: Lawicel CANUSB manual, "commands". Written out here because python-can's slcan interface owns its port and
throws the adaptor's answers away, so that a refused frame would look sent; python-can is the peer of the tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

OK, REFUSED = b"\r", b"\a"
BIT_RATES: Mapping[int, bytes] = {
    10_000: b"S0", 20_000: b"S1", 50_000: b"S2", 100_000: b"S3", 125_000: b"S4",
    250_000: b"S5", 500_000: b"S6", 800_000: b"S7", 1_000_000: b"S8",
}  # fmt: skip
LONGEST = 40  # an extended frame of 8 bytes with a time stamp has 30 characters
_FRAME = re.compile(rb"(?:t([0-9A-F]{3})|T([0-9A-F]{8}))([0-8])((?:[0-9A-F]{2}){0,8})([0-9A-F]{4})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CanFrame:
    """One classic data frame."""

    number: int  # the identifier
    data: bytes
    is_extended: bool = False

    def line(self) -> bytes:
        """Give the command that sends it, with its end."""
        head = f"T{self.number:08X}" if self.is_extended else f"t{self.number:03X}"
        return f"{head}{len(self.data)}{self.data.hex().upper()}\r".encode()


def parsed(line: bytes) -> CanFrame | None:
    """Read a data frame out of a line without its end; None for anything else, remote frames too."""
    match = _FRAME.fullmatch(line)
    if match is None:
        return None
    count = int(match[3])
    digits = match[4] + (match[5] or b"")
    if len(digits) not in (2 * count, 2 * count + 4):
        return None
    number = int(match[1] or match[2], 16)
    is_extended = match[2] is not None
    if number > (0x1FFFFFFF if is_extended else 0x7FF):
        return None
    return CanFrame(number, bytes.fromhex(digits[: 2 * count].decode()), is_extended)


class Lines:
    """Cuts bytes into lines: text before CR, or a BEL, which is given as itself."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def clear(self) -> None:
        """Forget a half line."""
        self._pending.clear()

    @property
    def is_endless(self) -> bool:
        """Say whether more came without an end than any line has."""
        return len(self._pending) > LONGEST

    def cut(self, data: bytes) -> list[bytes]:
        """Give the lines that these bytes end."""
        lines = []
        for byte in data:
            if byte == OK[0]:
                lines.append(bytes(self._pending))
                self._pending.clear()
            elif byte == REFUSED[0]:
                lines.append(REFUSED)
                self._pending.clear()
            elif not self.is_endless:
                self._pending.append(byte)
        return lines
