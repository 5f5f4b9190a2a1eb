"""Numbers on the screen: .468 for 0.468, 1 frame and 2 frames."""

from __future__ import annotations

import math


def short(value: float | None, *, is_signed: bool = False) -> str:
    """Write a figure in few letters: .468, −.012, 5.24, 18.0, 1,803; `is_signed` writes a plus as well."""
    if value is None or math.isnan(value):
        return "–"
    return _written(value, _digits(abs(value), is_whole=float(value).is_integer()), is_signed=is_signed)


def span(low: float, high: float, *, is_signed: bool = False) -> str:
    """Write both ends of an interval with the digits of the larger one: .437–.497, 1–8, 896–3,065."""
    digits = _digits(max(abs(low), abs(high)), is_whole=float(low).is_integer() and float(high).is_integer())
    return "–".join(_written(end, digits, is_signed=is_signed) for end in (low, high))


def _digits(size: float, *, is_whole: bool) -> int:
    if (is_whole and size > 1) or size >= 100:
        return 0
    return 1 if size >= 9.995 else 2 if size > 1 else 3


def _written(value: float, digits: int, *, is_signed: bool) -> str:
    text = f"{abs(value):,.{digits}f}"
    sign = "−" if value < 0 else "+" if is_signed and value > 0 else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def amount(count: int, one: str, many: str) -> str:
    """Choose between two translated texts, such as "1 frame" and "{0} frames"; the count goes into the second."""
    return one if count == 1 else many.format(f"{count:,}")
