"""Which frame is shown, as bright and dark cells: drive, frame number and time, guarded against misreading.

64 bits, each a pair of cells of which exactly one is bright, so that a bit is a difference and needs no threshold. Two
frames that a rolling or long exposure mixes leave pairs without a difference; copies above each other tell apart what
only the upper or the lower rows show.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

BITS = 64

_NUMBER, _TIME, _DRIVE, _CHECK, _AGAIN = 18, 18, 12, 12, 4
NUMBERS = 1 << _NUMBER  # frame numbers begin again there
_TIMES, _DRIVES = 1 << _TIME, 1 << _DRIVE
_POLYNOMIAL = 0x80F  # CRC-12, x^12 + x^11 + x^3 + x^2 + x + 1
_UNMIXED = 0.85  # quantile of the differences: the bits of the drive, a fifth of all, are the same in any two frames
_CLEAR = 0.7  # of the usual difference of a pair; below, more than 15 % of another frame are in it
_STRONG = 0.35  # of the contrast of the screen; below, the cells are not resolved

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FrameCode:
    """What the cells say; each value counts within its bits and begins again at 0."""

    drive: int  # 12 bits of the recording's content hash
    number: int  # of the recorded frame
    shown_ms: int  # monotonic clock of the machine that shows, in milliseconds


class Sight(StrEnum):
    """What the camera saw of the frame code."""

    CLEAN = "clean"
    MIXED = "mixed"  # two frames in one picture
    UNREADABLE = "unreadable"  # too blurred, too dark, covered


def drive_number(sha256: str) -> int:
    """Give the short name of a recording from its content."""
    return int(sha256[:3], 16)


def make_code(drive: int, number: int, shown_ns: int) -> FrameCode:
    """Cut the values to their bits."""
    return FrameCode(drive % _DRIVES, number % NUMBERS, shown_ns // 1_000_000 % _TIMES)


def shown_at_ns(code: FrameCode, now_ns: int) -> int:
    """Give when the frame was shown on the clock that `now_ns` is on: the latest such time, up to 262 s ago."""
    age_ms = (now_ns // 1_000_000 - code.shown_ms) % _TIMES
    return (now_ns // 1_000_000 - age_ms) * 1_000_000


def bits_of(code: FrameCode) -> Bools:
    """Write a code: number, time, drive, check sum, and the lowest bits of the number again, lowest bit first.

    The lowest bit of the number differs between neighbours and stands in the first and the last row, so a seam
    between two frames has no place to hide.
    """
    told = [*_bits(code.number, _NUMBER), *_bits(code.shown_ms, _TIME), *_bits(code.drive, _DRIVE)]
    return np.array([*told, *_bits(_check_sum(told), _CHECK), *_bits(code.number, _AGAIN)], np.bool_)


def code_of(bits: Bools) -> FrameCode | None:
    """Read a code; None where check sum or repetition is wrong."""
    number, time, drive, check, again = np.split(bits, np.cumsum([_NUMBER, _TIME, _DRIVE, _CHECK]))
    told = [bool(bit) for bit in bits[: _NUMBER + _TIME + _DRIVE]]
    if _value(check) != _check_sum(told) or not np.array_equal(again, number[:_AGAIN]):
        return None
    return FrameCode(_value(drive), _value(number), _value(time))


def read_copies(
    differences: NDArray[np.float64], contrast: float, *, is_sharp: bool = True
) -> tuple[Sight, FrameCode | None]:
    """Read all copies of a picture.

    `differences` is (heights, 2 sides, 64): brightness of the first cell of a pair minus that of the second;
    `contrast` is white minus black as the camera sees them. Clean is a picture in which every height is read on one
    side at least, the uppermost and the lowest on both, and all that is read says the same: on a screen that is turned
    a seam runs aslant and may cut a corner of the picture, which only the copy beside that corner shows. A blur over
    whole cells (not `is_sharp`) weakens pairs as a mixture does, so it is not called one.
    """
    copies = [[_read(side, contrast) for side in height] for height in differences]
    said = {code for height in copies for code, _ in height if code is not None}
    if len(said) > 1:
        return Sight.MIXED, None
    unread = [height for height in copies if all(code is None for code, _ in height)]
    unread += [[copy] for height in (copies[0], copies[-1]) for copy in height if copy[0] is None]
    if not unread:
        return Sight.CLEAN, next(iter(said))
    is_torn = all(any(is_strong for code, is_strong in height if code is None) for height in unread)
    return (Sight.MIXED if is_sharp and is_torn else Sight.UNREADABLE), None


def _read(differences: NDArray[np.float64], contrast: float) -> tuple[FrameCode | None, bool]:
    """Read one copy, and say whether its cells are resolved."""
    sizes = np.abs(differences)
    usual = float(np.quantile(sizes, _UNMIXED))
    if usual < max(_STRONG * contrast, 1.0):
        return None, False
    if sizes.min() < _CLEAR * usual:
        return None, True
    return code_of(differences > 0), True


def _bits(value: int, count: int) -> list[bool]:
    return [bool(value >> place & 1) for place in range(count)]


def _value(bits: Bools) -> int:
    return sum(1 << place for place, bit in enumerate(bits) if bit)


def _check_sum(bits: list[bool]) -> int:
    rest = (1 << _CHECK) - 1
    for bit in bits:
        carry = bool(rest >> (_CHECK - 1)) ^ bit
        rest = (rest << 1) % (1 << _CHECK)
        if carry:
            rest ^= _POLYNOMIAL
    return rest
