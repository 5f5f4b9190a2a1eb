"""Numbers for narrow columns: .468 for 0.468."""

from __future__ import annotations

import math


def short(value: float | None, *, is_signed: bool = False) -> str:
    """Write a figure in few letters: .468, −.012, 5.24, 18.0, 1,803; `is_signed` writes a plus as well."""
    if value is None or math.isnan(value):
        return "–"
    size = abs(value)
    is_whole = size > 1 and size.is_integer()
    digits = 0 if is_whole or size >= 100 else 1 if size >= 9.995 else 2 if size > 1 else 3
    text = f"{size:,.{digits}f}"
    sign = "−" if value < 0 else "+" if is_signed and value > 0 else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def span(low: float, high: float, *, is_signed: bool = False) -> str:
    """Write both ends of an interval: .437 to .497 as .437–.497."""
    return f"{short(low, is_signed=is_signed)}–{short(high, is_signed=is_signed)}"
