"""One measured guarantee: what `hilgui rig selftest` prints and docs/safety.md shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One guarantee with its measured figure."""

    guarantee: str
    limit: str
    measured: str
    n: int
    holds: bool
    shown_by: str
