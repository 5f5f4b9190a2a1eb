"""The charts of a report: forest of differences, precision over recall, findings over the drive."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hilgui.report.drawing import Block, Drawing, Mark, Stroke, Word, line
from hilgui.report.svg import nice_ticks

WIDTH = 720.0
_DASHES = {"candidate": (5.0, 2.5)}  # as on the screen: the candidate is dashed


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row of a forest: a difference with its interval, in the direction in which right is better."""

    name: str
    value: float
    low: float
    high: float
    words: str  # at the right: figures in their own unit
    colour: str
    margin: float | None = None  # how much loss is allowed; a positive number


def forest(rows: Sequence[Estimate], *, in_margins: bool) -> Drawing:
    """Draw differences with intervals; `in_margins`: each in units of its margin, so that all share one limit at −1.

    A row without margin is then scaled to its own interval. What does not fit ends in an arrow.
    """
    left, right, step, top = 190.0, WIDTH - 190.0, 26.0, 22.0
    scaled = [_scaled(row) if in_margins else row for row in rows]
    reach = max(
        (abs(end) for row in scaled for end in (row.low, row.high, row.value) if math.isfinite(end)), default=1.0
    )
    reach = min(max(reach * 1.1, 1.3), 4.0) if in_margins else (reach * 1.1 or 1.0)
    bottom = top + step * len(rows)

    def at(value: float) -> float:
        return left + (min(max(value, -reach), reach) + reach) / (2 * reach) * (right - left)

    marks: list[Mark] = [
        Word(left, 12, "← worse", "text_faint"),
        Word(right, 12, "better →", "text_faint", anchor="end"),
        line(at(0), top - 4, at(0), bottom, "text_soft"),
    ]
    if in_margins and any(row.margin is not None for row in rows):
        marks += [
            line(at(-1), top - 4, at(-1), bottom, "missed", 1.2, (3, 3)),
            Word(at(-1) + 4, bottom + 14, "margin", "missed", anchor="end"),
            Word(at(0) - 4, bottom + 14, "no change", "text_faint"),
        ]
    elif not in_margins:
        for tick in nice_ticks(-reach, reach, 6):
            marks.append(Word(at(tick), bottom + 14, f"{tick:+g}" if tick else "0", "text_faint", 10, "middle"))
    for place, row in enumerate(scaled):
        y = top + step * (place + 0.5)
        marks += [
            Word(left - 12, y + 4, row.name, "text", 11, "end"),
            Word(right + 12, y + 4, row.words, "text_soft", 10),
        ]
        if math.isfinite(row.low) and math.isfinite(row.high):
            marks.append(line(at(row.low), y, at(row.high), y, row.colour, 2.2))
            marks += _ends(row, y, reach, at(row.low), at(row.high))
        if abs(row.value) <= reach:
            marks.append(Block(at(row.value) - 4, y - 4, 8, 8, row.colour, row.words))
    return Drawing(WIDTH, bottom + 22, "Differences with their intervals", tuple(marks))


def precision_recall(name: str, curves: Sequence[tuple[str, Sequence[float], Sequence[float]]]) -> Drawing:
    """Draw precision over recall of one class: (colour, recalls, precisions) of each model."""
    side, left, top = 180.0, 34.0, 22.0
    marks: list[Mark] = [Word(left, 13, name, "text", 11, is_bold=True)]
    for tick in (0.0, 0.5, 1.0):
        x, y = left + tick * side, top + (1 - tick) * side
        marks += [
            line(x, top, x, top + side, "line", 0.7),
            line(left, y, left + side, y, "line", 0.7),
            Word(x, top + side + 12, f"{tick:g}", "text_faint", 9, "middle"),
            Word(left - 5, y + 3, f"{tick:g}", "text_faint", 9, "end"),
        ]
    for colour, recalls, precisions in curves:
        points = tuple(
            (left + recall * side, top + (1 - precision) * side)
            for recall, precision in zip(recalls, precisions, strict=True)
            if math.isfinite(recall) and math.isfinite(precision)
        )
        if len(points) > 1:
            marks.append(Stroke(points, colour, 1.6, _DASHES.get(colour, ())))
    marks.append(Word(left + side / 2, top + side + 24, "recall (precision upwards)", "text_faint", 9, "middle"))
    return Drawing(left + side + 10, top + side + 30, f"Precision over recall: {name}", tuple(marks))


@dataclass(frozen=True, slots=True)
class Lane:
    """Stretches of the drive that have something in common: (first, last, hint)."""

    name: str
    colour: str
    spans: tuple[tuple[float, float, str], ...]


def timeline(lanes: Sequence[Lane], first: float, last: float, unit: str) -> Drawing:
    """Draw when what happened, a lane a kind; `first` and `last` are the ends of the drive."""
    left, right, step, top = 200.0, WIDTH - 46.0, 19.0, 4.0
    span = (last - first) or 1.0
    bottom = top + step * len(lanes)

    def at(value: float) -> float:
        return left + (value - first) / span * (right - left)

    marks: list[Mark] = []
    for place, lane in enumerate(lanes):
        y = top + step * place
        marks.append(Block(left, y + 3, right - left, step - 6, "panel"))
        marks.append(Word(left - 10, y + 13, lane.name, "text", 10.5, "end"))
        marks.append(Word(right + 8, y + 13, f"{len(lane.spans):,}", "text_soft", 10))
        marks += [
            Block(at(begin), y + 3, max(at(end) - at(begin), 1.8), step - 6, lane.colour, hint)
            for begin, end, hint in lane.spans
        ]
    for tick in nice_ticks(first, first + span, 8):
        marks.append(line(at(tick), top, at(tick), bottom, "line_strong", 0.5))
        marks.append(Word(at(tick), bottom + 13, f"{tick:g}", "text_faint", 9.5, "middle"))
    marks.append(Word(right + 8, bottom + 13, unit, "text_faint", 9.5))
    return Drawing(WIDTH, bottom + 20, "Findings over the drive", tuple(marks))


def _scaled(row: Estimate) -> Estimate:
    scale = row.margin or max((abs(end) for end in (row.low, row.high, row.value) if math.isfinite(end)), default=0.0)
    scale = scale or 1.0
    return Estimate(row.name, row.value / scale, row.low / scale, row.high / scale, row.words, row.colour, row.margin)


def _ends(row: Estimate, y: float, reach: float, low: float, high: float) -> list[Mark]:
    """Close an interval with a tick, or an arrow where it goes on outside."""
    marks: list[Mark] = []
    for end, x, way in ((row.low, low, 1), (row.high, high, -1)):
        if (row.high < -reach and way < 0) or (row.low > reach and way > 0):
            continue  # all of it is outside: one arrow says so
        if abs(end) <= reach:
            marks.append(line(x, y - 4, x, y + 4, row.colour, 1.4))
        else:
            marks.append(Stroke(((x + 6 * way, y - 5), (x, y), (x + 6 * way, y + 5)), row.colour, 1.6))
    return marks
