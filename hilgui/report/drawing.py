"""A drawing as plain marks, so that one chart is drawn once and rendered twice: as SVG and into a PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[Point, ...]
    colour: str  # a name of `colours`
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A filled rectangle; `hint` appears under the mouse where there is one."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A line of text; `y` is its base line."""

    x: float
    y: float
    text: str
    colour: str = "text_soft"
    size: float = 11.0
    anchor: Anchor = "start"
    is_bold: bool = False


Mark = Stroke | Block | Word


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks in their order on a plane of so many units; y points down."""

    width: float
    height: float
    label: str  # for those who cannot see it
    marks: tuple[Mark, ...]


def line(
    x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1.0, dash: Sequence[float] = ()
) -> Stroke:
    """Make a straight line."""
    return Stroke(((x1, y1), (x2, y2)), colour, width, tuple(dash))
