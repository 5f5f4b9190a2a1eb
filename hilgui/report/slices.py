"""Slices of stored runs: each run a drive, with its conditions and its camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hilgui.errors import CallWrong
from hilgui.evaluation.accumulator import Subject
from hilgui.evaluation.clusters import DRIVE, FEWEST
from hilgui.evaluation.disparity import Disparity, disparity
from hilgui.evaluation.geometry import cameras_of
from hilgui.evaluation.slice_bins import UNKNOWN
from hilgui.evaluation.slice_figures import SliceFigures
from hilgui.evaluation.slice_search import Searched, SearchRule, search
from hilgui.evaluation.slices import Slicer, SliceRows
from hilgui.records import Role, RunHeader, Task
from hilgui.report.evaluate import Changes, Rejudged
from hilgui.report.protocol import Progress, silent
from hilgui.settings import stored_limits
from hilgui.sources.conditions import find_conditions
from hilgui.store import RunReader

SCHEMA = "hilgui/slices.v1"
LEAST_ROWS = 30  # truths of a group that is compared


@dataclass(frozen=True, slots=True, eq=False)
class Sliced:
    """Figures of every slice of one model, and what a search found."""

    role: Role
    figures: tuple[SliceFigures, ...]
    disparities: dict[str, Disparity]  # of recall, by dimension
    searched: Searched | None

    def as_json(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "slices": [each.as_json() for each in self.figures],
            "disparities": {name: each.as_json() for name, each in self.disparities.items()},
            "search": None if self.searched is None else self.searched.as_json(),
        }


def slice_runs(
    readers: Sequence[RunReader],
    *,
    with_search: bool = False,
    rule: SearchRule | None = None,
    threshold: float | None = None,
    progress: Progress = silent,
    with_tags: bool = False,
) -> list[Sliced]:
    """Slice stored runs together; raises CallWrong for runs of other models, and SourceBroken for a bad sidecar.

    The conditions of a drive come from its labels, else from `conditions.yaml` beside the recording. `with_tags`
    compares groups of what labels say of single objects too.
    """
    slicers = fed_slicers(readers, threshold=threshold, progress=progress, with_tags=with_tags)
    return [_sliced(role, slicer, rule if with_search else None, with_search) for role, slicer in slicers.items()]


def fed_slicers(
    readers: Sequence[RunReader],
    *,
    threshold: float | None = None,
    progress: Progress = silent,
    with_ap: bool = True,
    with_tags: bool = False,
) -> dict[Role, Slicer]:
    """Give every frame of the runs to a slicer of each detector; raises as `slice_runs` does."""
    head = _common(readers)
    changes = Changes(threshold=threshold)
    slicers = {
        role: Slicer(
            Subject(role, head.vocabulary, facts.threshold if threshold is None else threshold),
            with_ap=with_ap,
            with_tags=with_tags,
        )
        for role, facts in head.models.items()
        if facts.task == Task.DETECTION
    }
    total, done = sum(reader.ledger.evaluated for reader in readers), 0
    for reader in readers:
        source = reader.header.source
        told, stored = conditions_of(reader.header), stored_limits(reader.header.settings)
        limits = None if stored is None else stored.criticality
        for slicer in slicers.values():
            slicer.start_drive(reader.header.run_id, told, cameras_of(source), source.name, limits)
        for moment in Rejudged(reader, changes).moments():
            for slicer in slicers.values():
                slicer.add(moment)
            done += 1
            if done % 100 == 0 or done == total:
                progress(done, total)
    return slicers


def conditions_of(header: RunHeader) -> dict[str, str]:
    """Give the conditions of a drive: those of the labels before those beside the recording."""
    beside = find_conditions(Path(header.source.path))
    return beside if header.truth is None else beside | header.truth.conditions


def _sliced(role: Role, slicer: Slicer, rule: SearchRule | None, with_search: bool) -> Sliced:
    rows = slicer.rows()
    return Sliced(
        role,
        tuple(slicer.figures(with_intervals=True)),
        {name: gap_of(rows, column) for column, name in enumerate(rows.dimensions)} if len(rows.matched) else {},
        search(rows, rule) if with_search else None,
    )


def gap_of(rows: SliceRows, column: int, least: int = LEAST_ROWS) -> Disparity:
    """Compare groups of `least` truths in one dimension; what is not known is none, unless nothing is known."""
    values = rows.values[column]
    known = np.array([value != UNKNOWN for value in values], np.bool_)[rows.codes[:, column]]
    kept = rows.where(known) if known.any() else rows
    groups = [values[code] for code in kept.codes[:, column].tolist()]
    by_drive = len(set(kept.drives.tolist())) >= FEWEST
    return disparity(
        groups,
        kept.matched,
        kept.drives if by_drive else kept.clusters,
        least=least,
        unit=DRIVE if by_drive else "block",
    )


def _common(readers: Sequence[RunReader]) -> RunHeader:
    """Give the header that all runs share in models and classes."""
    if not readers:
        raise CallWrong("name at least one run")
    first = readers[0].header
    for reader in readers[1:]:
        header = reader.header
        if header.vocabulary != first.vocabulary:
            raise CallWrong(f"{header.run_id} judges other classes than {first.run_id}; slice them one by one")
        if {role: facts.sha256 for role, facts in header.models.items()} != {
            role: facts.sha256 for role, facts in first.models.items()
        }:
            raise CallWrong(f"{header.run_id} has other models than {first.run_id}; slice them one by one")
    if all(reader.header.truth is None for reader in readers):
        raise CallWrong("none of these runs has labels; slices need truth")
    return first
