"""The axis that timeline and plots share: rows of the drive along pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hilgui.gui.replay.drive import Drive, clock

GUTTER = 150  # px, lane titles and the choice of plots
MARGIN = 10  # px at the right
_TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


@dataclass(frozen=True, slots=True)
class Axis:
    """Rows from `span[0]` to `span[1]` over a widget of `widget_width` px."""

    span: tuple[float, float]
    widget_width: int

    @property
    def width(self) -> int:
        """Give the px between gutter and margin."""
        return max(self.widget_width - GUTTER - MARGIN, 1)

    @property
    def end(self) -> int:
        """Give the px where the margin begins."""
        return GUTTER + self.width

    def x_of(self, row: float) -> float:
        """Give where a row lies; its middle is at row + 0.5."""
        first, last = self.span
        return GUTTER + (row - first) / (last - first) * self.width

    def share_at(self, x: float) -> float:
        """Give how far along the axis a place is, 0..1."""
        return min(max((x - GUTTER) / self.width, 0.0), 1.0)

    def row_at(self, x: float) -> int:
        """Give the row at a place; it may lie outside the drive."""
        first, last = self.span
        return math.floor(first + (x - GUTTER) / self.width * (last - first))

    def holds(self, x: float) -> bool:
        """Say whether a place lies on the axis."""
        return GUTTER - 1 <= x <= self.end + 1

    def ticks(self, drive: Drive, label_px: int) -> list[tuple[int, str]]:
        """Choose rows with round times, or round numbers in an unordered set, so that labels do not touch."""
        first, last = self.span
        room = max(int(self.width / (label_px * 1.4)), 1)
        if not drive.has_time:
            step = _nice((last - first) / room)
            return [(row, f"#{row}") for row in range(-(-int(first) // step) * step, int(last), step)]
        period = drive.period_s
        step_s = next((step for step in _TICKS_S if step >= (last - first) * period / room), 14400)
        begin = drive.time_at(min(max(int(first), 0), len(drive) - 1))
        end = begin + (last - first) * period
        times = (np.arange(math.ceil(begin / step_s - 1e-9), math.floor(end / step_s + 1e-9) + 1) * step_s).tolist()
        known = drive.time_at(len(drive) - 1)
        rows = [
            drive.row_at_time(time_s) if time_s <= known else len(drive) - 1 + round((time_s - known) / period)
            for time_s in times
        ]
        return [(row, _short(time_s)) for row, time_s in zip(rows, times, strict=True) if first <= row < last]


def _nice(step: float) -> int:
    power: int = 10 ** max(math.floor(math.log10(max(step, 1))), 0)
    return next((factor * power for factor in (1, 2, 5) if factor * power >= step), 10 * power)


def _short(time_s: float) -> str:
    text = clock(time_s)
    return text.removesuffix(".000") if text.endswith(".000") else text.rstrip("0")
