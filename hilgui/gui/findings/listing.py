"""What the table lists: the index is asked, a run under way is followed, and whoever looks at a finding stays there."""

from __future__ import annotations

from array import array
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from hilgui.gui.findings.decision_desk import DecisionDesk
from hilgui.gui.findings.filter_bar import FilterBar
from hilgui.gui.findings.index_desk import IndexDesk
from hilgui.gui.findings.place import Place
from hilgui.gui.findings.table_model import FindingsTable
from hilgui.gui.findings.table_view import FindingsView
from hilgui.gui.page import Bench
from hilgui.report.finding_table import Answer
from hilgui.report.story_cards import StoryCard

_FOLLOWS_MS = 2000  # between two looks at a run under way


class Listing(QObject):
    """Puts what passes the filters, or belongs to a story, into the table; GUI thread only."""

    listed = Signal(object)  # Answer: the table shows it
    failed = Signal(str, str)  # sentence, details

    def __init__(
        self, bench: Bench, filters: FilterBar, table: FindingsView, model: FindingsTable, writes: DecisionDesk,
        parent: QWidget,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._bench = bench
        self._filters = filters
        self._table = table
        self._model = model
        self._writes = writes
        self._page = parent
        self._desk = IndexDesk(bench.settings.home, bench.settings.runs, self)
        self._story: StoryCard | None = None
        self._wanted_id: int | None = None  # the finding to go to, and its row where it is no longer listed
        self._wanted_row = 0
        self._is_following = False
        self._follows = QTimer(self)
        self._desk.answered.connect(self._on_answer)
        self._desk.followed.connect(self._on_followed)
        self._desk.failed.connect(self.failed)
        self._follows.timeout.connect(self.follow)
        self._follows.start(_FOLLOWS_MS)

    @property
    def is_busy(self) -> bool:
        """Say whether the index is being asked."""
        return self._desk.is_busy

    def ask(self) -> None:
        """List what passes the filters now."""
        self._is_following = False
        self._keep_place()
        self._desk.ask(self._filters.query, extra=self._extra())

    def look(self) -> None:
        """Look for what is new, without leaving the place."""
        self._is_following = True
        self._desk.ask(self._filters.query, looks=True, extra=self._extra())

    def follow(self) -> None:
        """Look for what is new in a run under way, where the page is in sight; beside the screen once that can be."""
        if self._page.isVisible() and self._bench.bridge.is_busy and not (self.is_busy or self._writes.is_busy):
            near = Place.of(self._table, self._model).ids
            if not self._desk.follow(self._filters.query, self._extra(), near):
                self.look()

    def list_story(self, card: StoryCard | None) -> None:
        """List the findings of a story, its worst first; None lists all again."""
        self._story = card
        self._wanted_id, self._wanted_row = -1, 0
        self._is_following = False
        self._desk.ask(self._filters.query, extra=self._extra())

    def note_decision(self, touched: list[tuple[Path, tuple[int, ...]]]) -> None:
        """Tell the index what was decided, by folder and numbers of findings."""
        for folder, numbers in touched:
            self._keep_place()
            self._desk.note_change(self._filters.query, folder, numbers, self._extra())

    def close(self, timeout_s: float) -> None:
        """Let threads end; for the end of the application."""
        self._follows.stop()
        self._desk.close(timeout_s)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _extra(self) -> tuple[Path, ...]:
        """Give the run that is open on Replay: it may lie outside the folder of runs."""
        return () if self._bench.run.folder is None else (self._bench.run.folder,)

    def _keep_place(self) -> None:
        index = self._table.currentIndex()
        if index.isValid():
            self._wanted_id, self._wanted_row = self._model.id_at(index.row()), index.row()

    def _on_followed(self, answer: Answer) -> None:
        if not self.is_busy and answer.query == self._filters.query:
            self._is_following = True
            self._on_answer(answer)

    def _on_answer(self, answer: Answer) -> None:
        if self._is_following and self._writes.is_busy:
            return  # what is decided now is newer; an answer comes after it
        if self._wanted_id is None:
            self._keep_place()
        wanted, row = self._wanted_id, self._wanted_row
        self._wanted_id = None
        is_back = self._put(answer)
        self._is_following = False
        self.listed.emit(answer)
        if self._model.ids and not is_back:
            found = None if wanted is None else self._model.row_of(wanted)
            self._table.go_to(min(row, len(self._model.ids) - 1) if found is None else found)

    def _put(self, answer: Answer) -> bool:
        """Fill the table; say whether whoever follows a run still stands where they stood."""
        story, ids = self._story, answer.ids
        if story is not None:
            ids = array("q", [each for each in ids if each in story.ids])
        pages = answer.pages if story is None else None  # those of a story are others
        place = Place.of(self._table, self._model) if self._is_following else None
        if place is not None and ids == self._model.ids:
            self._model.renew(pages)
            return bool(ids)
        self._model.set_ids(ids, pages)
        return place is not None and place.restore(self._table, self._model)
