"""What a report says, without how it looks: one content, rendered as HTML and as PDF.

First page for the manager: the word, why, what next. Then sections for whoever wants to check it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hilgui.report.drawing import Drawing
from hilgui.report.words import Statement

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of texts; the columns in `numbers` stand at the right."""

    columns: tuple[str, ...]
    rows: Rows
    numbers: frozenset[int] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Charts:
    """Drawings beside each other where they fit."""

    drawings: tuple[Drawing, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG with what it shows."""

    jpeg: bytes
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures below each other."""

    pictures: tuple[Picture, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text as it is, line by line."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentences:
    """Plain sentences, one a line."""

    lines: tuple[str, ...]


Part = Table | Charts | Pictures | Facts | Verbatim | Sentences


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    word: str  # the decision or the verdict
    tone: str  # a name of `colours`: good, missed, warning
    lead: str  # the sentence for the manager
    why: tuple[Statement, ...]
    next_steps: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]  # a few numbers for the first page: name, value
    sections: tuple[Section, ...]
    footer: str  # what it was made from, by which version
    chart: Charts | None = None  # on the first page
