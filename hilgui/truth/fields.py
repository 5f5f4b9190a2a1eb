"""Fields of JSON labels: typed, finite, and refused with the name of the entry."""

from __future__ import annotations

import math
from typing import Any

_MAX_NUMBER = 1e30


class Flaw(Exception):
    """A sentence about one entry, still without the name of the file."""


def rows(value: Any, where: str) -> list[dict[str, Any]]:
    """Take a list of objects."""
    if not isinstance(value, list):
        raise Flaw(f"{where} is not a list")
    for position, row in enumerate(value):
        if not isinstance(row, dict):
            raise Flaw(f"entry {position} of {where} is not an object in braces")
    return value


def part(row: dict[str, Any], field: str, where: str) -> dict[str, Any]:
    """Take a field that is an object in braces; absent or null is an empty one."""
    value = row.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Flaw(f"{where}: {field} is not an object in braces")
    return value


def text(row: dict[str, Any], field: str, where: str) -> str:
    """Take a field of text; absent or null is ""."""
    value = row.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Flaw(f"{where}: {field} {shown(value)} is not text")
    return value


def identity(row: dict[str, Any], field: str, where: str) -> int | str:
    """Take a field that must be a number or a text."""
    value = row.get(field)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Flaw(f"{where} has no {field}" if value is None else f"{where}: {field} {shown(value)} is not an id")
    return value


def number(row: dict[str, Any], field: str, where: str) -> float | None:
    """Take a finite number, None where it is absent or null."""
    value = row.get(field)
    return None if value is None else finite(value, f"{where}: {field}")


def finite(value: Any, where: str) -> float:
    """Take a finite number that single precision can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Flaw(f"{where} holds {shown(value)}, which is not a number")
    try:
        taken = float(value)
    except OverflowError:
        taken = math.inf
    if not abs(taken) <= _MAX_NUMBER:
        raise Flaw(f"{where} holds a number that is too large")
    return taken


def whole(row: dict[str, Any], field: str, where: str) -> int | None:
    """Take a whole number, None where it is absent or null."""
    taken = number(row, field, where)
    if taken is None:
        return None
    if taken != int(taken) or abs(taken) >= 2**53:
        raise Flaw(f"{where}: {field} {taken:g} is not a whole number")
    return int(taken)


def flag(row: dict[str, Any], field: str, where: str) -> bool:
    """Take 0, 1, false or true; absent is false."""
    value = row.get(field, 0)
    if isinstance(value, list | dict) or value not in (0, 1):
        raise Flaw(f"{where}: {field} is {shown(value)}; it is 0 or 1")
    return bool(value)


def size(row: dict[str, Any], field: str, where: str) -> int:
    """Take the width or height of a picture, 0 where it is absent or null."""
    taken = whole(row, field, where)
    if taken is not None and not 0 <= taken <= 10**6:
        raise Flaw(f"{where}: {field} {taken} is not the size of a picture")
    return taken or 0


def shown(value: Any) -> str:
    """Show a value in a sentence: short, and without walking into what may nest deeply."""
    return "a list or an object" if isinstance(value, list | dict) else f"{value!s:.40}"
