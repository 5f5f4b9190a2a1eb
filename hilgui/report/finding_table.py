"""What the table of findings asks the index: on a thread, or in the process beside the screen while a drive plays."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hilgui.report.protocol import Progress
from hilgui.store import is_run, run_folders
from hilgui.triage import FindingRow, FindingsIndex, Query

PAGE = 128  # rows that are fetched together

FACETS = {
    "kind": "kinds",
    "severity": "severities",
    "label": "labels",
    "role": "roles",
    "state": "states",
    "suspect": "suspects",
    "suspect_model": "suspect_models",
    "drive": "drives",
}
"""Columns that are counted, and the filter of a query that each belongs to."""

Pages = dict[int, list[FindingRow | None]]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the index said to one question; plain, it travels between processes."""

    query: Query
    ids: array[int]
    counts: dict[str, dict[str, int]]  # by column: value → findings, with the filters of the other columns
    tags: tuple[str, ...]
    conditions: tuple[str, ...]
    total: int  # findings without any filter, in the same runs
    problems: dict[Path, str]
    pages: Pages = field(default_factory=dict)  # by number: the rows around those that are in sight


@dataclass(frozen=True, slots=True)
class AskIndex:
    """Ask which findings pass; first take over decisions, and look for new and changed runs where it is wished."""

    home: Path
    runs: Path
    query: Query = field(default_factory=Query)
    extra: tuple[Path, ...] = ()  # runs that lie elsewhere
    changed: tuple[tuple[Path, tuple[int, ...]], ...] = ()  # decisions that the index does not know yet
    looks: bool = False
    near: tuple[int, ...] = ()  # ids whose pages come along

    def __call__(self, kept: dict[str, Any], tell: Progress) -> Answer:
        """Ask the index; raises StoreBroken."""
        query = self.query
        with closing(FindingsIndex(self.home)) as index:
            for folder, numbers in self.changed:
                index.note_change(folder, numbers)
            if self.looks:
                index.refresh(dict.fromkeys([*run_folders(self.runs), *filter(is_run, self.extra)]))
            counts = {column: index.counts(column, query.without(filter_)) for column, filter_ in FACETS.items()}
            ids = index.ids(query)
            return Answer(
                query=query,
                ids=ids,
                counts=counts,
                tags=tuple(index.tags()),
                conditions=tuple(index.conditions()),
                total=sum(index.counts("kind", Query(runs=query.runs)).values()),
                problems=index.problems(),
                pages=self._pages(index, ids),
            )

    def _pages(self, index: FindingsIndex, ids: array[int]) -> Pages:
        wanted = set(self.near)
        places = [place for place, id_ in enumerate(ids) if id_ in wanted] if wanted else []
        return {number: page_of(index, ids, number) for number in {place // PAGE for place in places}}


def rows_of(home: Path, ids: Sequence[int]) -> Iterator[FindingRow]:
    """Read findings of the index, however many; on whichever thread asks for them. Raises StoreBroken."""
    with closing(FindingsIndex(home)) as index:
        for start in range(0, len(ids), PAGE):
            yield from index.rows(ids[start : start + PAGE])


def page_of(index: FindingsIndex, ids: Sequence[int], number: int) -> list[FindingRow | None]:
    """Fetch a page of rows; None for a finding that is gone since the answer."""
    wanted = ids[number * PAGE : (number + 1) * PAGE]
    found = {row.id: row for row in index.rows(wanted)}
    return [found.get(id_) for id_ in wanted]
