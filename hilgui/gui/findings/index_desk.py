"""Asks the index in the background: the newest question wins, the screen never waits."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from hilgui.gui.errand import Errand
from hilgui.store import is_run, run_folders
from hilgui.triage import FindingsIndex, Query

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


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the index said to one question."""

    query: Query
    ids: array[int]
    counts: dict[str, dict[str, int]]  # by column: value → findings, with the filters of the other columns
    tags: tuple[str, ...]
    conditions: tuple[str, ...]
    total: int  # findings without any filter, in the same runs
    problems: dict[Path, str]


@dataclass(frozen=True, slots=True)
class _Question:
    query: Query = field(default_factory=Query)
    extra: tuple[Path, ...] = ()  # runs that lie elsewhere
    changed: tuple[tuple[Path, tuple[int, ...]], ...] = ()  # decisions that the index does not know yet
    looks: bool = False  # look for new and changed runs first


class IndexDesk(QObject):
    """One errand at a time; what is asked meanwhile is put together into the next one. GUI thread only."""

    answered = Signal(object)  # Answer
    failed = Signal(str, str)  # sentence, details
    busy_changed = Signal(bool)

    def __init__(self, home: Path, runs: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._home = home
        self._runs = runs
        self._errand: Errand[Answer] | None = None
        self._next: _Question | None = None
        self._asked = _Question()

    @property
    def is_busy(self) -> bool:
        """Say whether an answer is still to come."""
        return self._errand is not None

    def ask(self, query: Query, *, looks: bool = False, extra: Iterable[Path] = ()) -> None:
        """Ask which findings pass; `looks` reads new and changed runs first."""
        waiting = self._next or _Question()
        self._next = replace(waiting, query=query, looks=looks or waiting.looks, extra=tuple(extra))
        self._start()

    def note_change(self, query: Query, folder: Path, numbers: tuple[int, ...], extra: Iterable[Path] = ()) -> None:
        """Tell the index about a decision, then ask again."""
        waiting = self._next or _Question()
        changed = (*waiting.changed, (folder, numbers))
        self._next = replace(waiting, query=query, changed=changed, extra=tuple(extra))
        self._start()

    def close(self, timeout_s: float) -> None:
        """Let the errand end; for the end of the application."""
        self._next = None
        if self._errand is not None:
            self._errand.forget()
            self._errand.wait(timeout_s)
            self._errand = None

    def _start(self) -> None:
        if self._errand is not None or self._next is None:
            return
        question, self._next = self._next, None
        home, runs = self._home, self._runs
        self._errand = Errand(
            self, "findings", lambda: _answer(home, runs, question), self._on_answer, self._on_failure
        )
        self.busy_changed.emit(True)

    def _on_answer(self, answer: Answer) -> None:
        self._errand = None
        if self._next is None:
            self.busy_changed.emit(False)
            self.answered.emit(answer)
        self._start()

    def _on_failure(self, sentence: str, details: str) -> None:
        self._errand = None
        self.busy_changed.emit(False)
        self.failed.emit(sentence, details)
        self._start()


def _answer(home: Path, runs: Path, question: _Question) -> Answer:
    query = question.query
    with closing(FindingsIndex(home)) as index:
        for folder, numbers in question.changed:
            index.note_change(folder, numbers)
        if question.looks:
            index.refresh(dict.fromkeys([*run_folders(runs), *filter(is_run, question.extra)]))
        counts = {column: index.counts(column, query.without(filter_)) for column, filter_ in FACETS.items()}
        return Answer(
            query=query,
            ids=index.ids(query),
            counts=counts,
            tags=tuple(index.tags()),
            conditions=tuple(index.conditions()),
            total=sum(index.counts("kind", Query(runs=query.runs)).values()),
            problems=index.problems(),
        )
