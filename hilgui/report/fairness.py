"""Fairness of coverage: how differently objects of one class are found, by group of a condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hilgui.errors import CallWrong
from hilgui.evaluation.disparity import Disparity
from hilgui.evaluation.slice_tags import MOST_VALUES
from hilgui.evaluation.slices import SliceRows
from hilgui.records import Role
from hilgui.report.protocol import Progress, silent
from hilgui.report.slices import LEAST_ROWS, fed_slicers, gap_of
from hilgui.store import RunReader

SCHEMA = "hilgui/fairness.v1"
PEOPLE = ("person", "pedestrian", "rider", "cyclist")
EVERYTHING = "all"


@dataclass(frozen=True, slots=True)
class Fairness:
    """The groups of one condition, for one model and one class."""

    role: Role
    label: str  # class, or "all"
    dimension: str  # "height", "day_part"
    disparity: Disparity

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {"model": self.role.value, "class": self.label, "group": self.dimension, **self.disparity.as_json()}


def fairness_of(
    readers: Sequence[RunReader],
    *,
    classes: Sequence[str] = (),
    dimensions: Sequence[str] = (),
    least: int = LEAST_ROWS,
    progress: Progress = silent,
    tell: Callable[[str], object] = lambda note: None,
) -> list[Fairness]:
    """Compare recall between groups; of `classes`, else of people where the labels have any, else of everything.

    Without `dimensions`: every one that has two groups or more. `tell` hears which attributes are no groups. Raises
    CallWrong where a class or a condition is not there, and as `slice_runs` does.
    """
    slicers = fed_slicers(readers, progress=progress, with_ap=False, with_tags=True)
    found: list[Fairness] = []
    left_out = sorted({name for slicer in slicers.values() for name in slicer.left_out})
    if left_out:
        tell(f"no groups, as they have more than {MOST_VALUES} values: {', '.join(left_out)}")
    for role, slicer in slicers.items():
        rows = slicer.rows()
        known = rows.dimensions
        for name in dimensions:
            if name not in known:
                raise CallWrong(f"there is no group {name!r} in these runs; there are {', '.join(known) or 'none'}")
        for label in _classes(rows, classes):
            mine = _of_class(rows, label)
            for column, dimension in enumerate(known):
                if dimension == "class" and label != EVERYTHING:
                    continue
                if dimension not in (dimensions or known) or not len(mine.matched):
                    continue
                gap = gap_of(mine, column, least)
                if dimensions or len(gap.counts) > 1:
                    found.append(Fairness(role, label, dimension, gap))
    return found


def _classes(rows: SliceRows, wanted: Sequence[str]) -> list[str]:
    named = rows.values[rows.dimensions.index("class")] if "class" in rows.dimensions else ()
    for label in wanted:
        if label != EVERYTHING and label not in named:
            raise CallWrong(f"no label is of class {label!r}; there are {', '.join(named) or 'none'}")
    return list(wanted) or [label for label in PEOPLE if label in named] or [EVERYTHING]


def _of_class(rows: SliceRows, label: str) -> SliceRows:
    if label == EVERYTHING:
        return rows
    column = rows.dimensions.index("class")
    return rows.where(np.asarray(rows.codes[:, column] == rows.values[column].index(label), np.bool_))
