"""Numbers with their nouns: 1 frame, 1,204 frames."""

from __future__ import annotations


def number_of(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun; `many` where the plural is more than an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
