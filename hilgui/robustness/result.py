"""The result document: what an attempt to break a model found, whoever made it: corruptions, attacks, audit, drift.

One folder holds one `result.json` and the pictures that it names. Page, command line and reports read nothing else, so
whoever writes one is shown. docs/robustness.md tells how.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from hilgui.documents import read_stored
from hilgui.evaluation.figure import Interval
from hilgui.records import Role

SCHEMA = "hilgui/robustness.v1"

CORRUPTIONS, ATTACKS, AUDIT, DRIFT = "corruptions", "attacks", "audit", "drift"
KINDS = (CORRUPTIONS, ATTACKS, AUDIT, DRIFT)


@dataclass(frozen=True, slots=True)
class Shown:
    """One object on a picture of an example."""

    box: tuple[float, float, float, float]  # x1 y1 x2 y2, px of the picture
    label: str
    fate: str  # "found", "missed", "phantom"
    score: float | None = None  # None: missed


@dataclass(frozen=True, slots=True)
class Example:
    """A frame that fooled a model, clean and changed; pictures are paths inside the result's folder, "" for none."""

    drive: str
    seq: int
    words: str  # "3 of 5 objects lost, 1 phantom"
    clean: str
    changed: str
    clean_objects: tuple[Shown, ...] = ()
    changed_objects: tuple[Shown, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the heat map: what was done (row), how hard (column), to which model; `value` is the measure."""

    row: str
    column: str
    role: Role
    value: float | None
    interval: Interval | None = None
    count: int = 0  # truths, or pictures, that it rests on
    by_class: dict[str, float | None] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure over the whole: clean AP, mPC, rPC; `role` is None for candidate minus baseline."""

    name: str
    role: Role | None
    value: float | int | None  # a count is whole
    interval: Interval | None = None
    unit: str = ""
    better: str = "higher"


@dataclass(frozen=True, slots=True)
class Tipping:
    """How hard it has to be before the first critical object is lost."""

    row: str
    role: Role
    severity: float | None  # None: not lost at the hardest
    words: str  # which object, and how far the answer can be trusted
    is_monotone: bool = True  # False: found again at a harder setting, or lost before at a weaker one
    evaluations: int = 0
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A statement about the attempt itself, such as "noise hurts less than FGSM"; None: cannot be told."""

    name: str
    is_good: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One model."""

    role: Role
    name: str
    path: str
    sha256: str
    runs_on: str = ""
    part: str = ""  # what it is where no other stands beside it: "attacked model"


@dataclass(frozen=True, slots=True)
class Drive:
    """One recording, with the frames of it that were used."""

    name: str
    path: str
    sha256: str
    truth: str
    frames: int


@dataclass(frozen=True, slots=True)
class Result:
    """Everything; immutable, written anew as it grows, so that a cancelled attempt can go on."""

    kind: str  # one of KINDS
    id: str  # name of its folder
    created: str  # ISO 8601, UTC
    version: str
    title: str
    question: dict[str, Any]  # what was asked, with seed and hashes: the same question gives the same result
    command: tuple[str, ...]
    models: tuple[Subject, ...]
    drives: tuple[Drive, ...]
    measure: str  # what the cells hold: "AP .50:.95"
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[Cell, ...] = ()
    families: dict[str, str] = field(default_factory=dict)  # of the rows
    better: str = "higher"
    headlines: tuple[Headline, ...] = ()
    tippings: tuple[Tipping, ...] = ()
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    is_whole: bool = False
    schema: str = SCHEMA

    def cell(self, row: str, column: str, role: Role) -> Cell | None:
        """Find a cell, None where it was not measured."""
        return next((one for one in self.cells if (one.row, one.column, one.role) == (row, column, role)), None)

    @property
    def is_averaged(self) -> bool:
        """Say whether the columns are steps of one thing, so that their mean is a figure: severities are."""
        return self.kind == CORRUPTIONS

    @property
    def heads(self) -> tuple[str, ...]:
        """Name what `line` gives."""
        return (*self.columns, "mean") if self.is_averaged else self.columns

    def line(self, row: str, role: Role) -> list[float | None]:
        """Give the values of a row, and their mean where that is a figure; None for what was not measured."""
        cells = [self.cell(row, column, role) for column in self.columns]
        values = [None if cell is None else cell.value for cell in cells]
        return [*values, self.mean(row, role)] if self.is_averaged else values

    def mean(self, row: str, role: Role) -> float | None:
        """Average a row over its columns; None where one of them was not measured."""
        cells = [self.cell(row, column, role) for column in self.columns]
        values = [cell.value for cell in cells if cell is not None and cell.value is not None]
        return sum(values) / len(values) if values and len(values) == len(self.columns) else None

    def headline(self, name: str, role: Role | None) -> Headline | None:
        """Find a figure over the whole."""
        return next((one for one in self.headlines if (one.name, one.role) == (name, role)), None)

    def called(self, role: Role) -> str:
        """Say which part a model plays."""
        return next((one.part for one in self.models if one.role == role and one.part), role.value)

    @property
    def roles(self) -> tuple[Role, ...]:
        """Name the models, the baseline first."""
        return tuple(one.role for one in self.models)


_SHAPE = TypeAdapter(Result)


def to_json(result: Result) -> bytes:
    """Write a result as JSON."""
    return _SHAPE.dump_json(result, indent=1)


def from_json(content: bytes) -> Result:
    """Read what `to_json` wrote; raises ValueError with what is wrong first, and where."""
    result = read_stored(_SHAPE, content, SCHEMA)
    if not all(map(math.isfinite, _numbers(result))):
        raise ValueError("a figure or a box in it is not a number")
    return result


def _numbers(result: Result) -> Iterator[float]:
    """Give every number that a screen draws."""
    figures: list[Cell | Headline] = [*result.cells, *result.headlines]
    for one in figures:
        yield one.value or 0.0
        yield from () if one.interval is None else (one.interval.low, one.interval.high)
    yield from (tipping.severity or 0.0 for tipping in result.tippings)
    pictured: list[Cell | Tipping] = [*result.cells, *result.tippings]
    for example in (example for each in pictured for example in each.examples):
        for shown in (*example.clean_objects, *example.changed_objects):
            yield from (*shown.box, shown.score or 0.0)
