"""The Findings page: filters, the table, the clip beside it, and triage by single keys."""

from __future__ import annotations

import shlex
from array import array
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.findings.clip_view import ClipView
from hilgui.gui.findings.decision_desk import DecisionDesk
from hilgui.gui.findings.decisions import Decisions
from hilgui.gui.findings.empty import EmptyFindings
from hilgui.gui.findings.explanation_panel import ExplanationPanel
from hilgui.gui.findings.filter_bar import FilterBar
from hilgui.gui.findings.list_file import ask_where, save_list
from hilgui.gui.findings.listing import Listing
from hilgui.gui.findings.stories_view import StoriesView
from hilgui.gui.findings.table_model import ORDERS, Column, FindingsTable, words_of
from hilgui.gui.findings.table_view import FindingsView
from hilgui.gui.findings.thumbnails import SIZE
from hilgui.gui.findings.triage_panel import TriagePanel
from hilgui.gui.findings.words import STATES, counted
from hilgui.gui.keys import ALONE, bind
from hilgui.gui.label import Label
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.short_numbers import amount
from hilgui.gui.side_desk import SideDesk
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_L, ROW, mark
from hilgui.records.triage import TriageChange, TriageState
from hilgui.report.finding_table import PAGE, Answer, rows_of
from hilgui.report.story_cards import AskStories, StoryCard
from hilgui.triage import FindingRow, Query

if TYPE_CHECKING:
    from hilgui.report.dataset import Exported

_PATIENCE_S = 5.0
_MOST_CHOSEN = 5000  # findings that are copied, saved or exported together


class FindingsPage(BenchPage):
    """Shows what the index knows; every decision goes through the journals of the runs."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._decisions = Decisions(bench.settings)
        self._writes = DecisionDesk(self._decisions, self)
        self.filters = FilterBar(bench.theme, self)
        self.model = FindingsTable(bench.theme, bench.settings.home, self)
        self.table = FindingsView(bench.theme, self)
        self.listing = Listing(bench, self.filters, self.table, self.model, self._writes, self)
        self.clip = ClipView(bench.theme, self)
        self.panel = TriagePanel(bench.theme, self)
        self.explanation = ExplanationPanel(bench.theme, bench.settings, self)
        self.sheets = QTabWidget(self)
        self.empty = EmptyFindings(bench.theme, self)
        self.stories = StoriesView(bench.theme, self.model.thumbnails, self)
        self._side = SideDesk(self)
        self._reading: Errand[list[FindingRow]] | None = None
        self._told_query: Query | None = None
        self._count = Label(self)
        self._command = Label(self)
        self._stack = QStackedWidget(self)
        self._build()
        self._bind_keys()
        self._connect()
        self._show_pictures(bench.memory.text("findings/pictures") != "no")

    # -- what the window asks ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look for new runs and decisions of others; what is shown stays until the answer is there."""
        self.listing.look()
        focus = QApplication.focusWidget()
        if focus is None or not self.isAncestorOf(focus):  # else somebody may be writing a note
            self.table.setFocus()

    def close_page(self) -> None:
        """Let threads end."""
        self._bench.memory.put("findings/pictures", "yes" if self._has_pictures else "no")
        self.clip.rest()
        let_go(_PATIENCE_S, self._reading)
        self._side.close(_PATIENCE_S)
        self.explanation.close_panel(_PATIENCE_S)
        self._writes.close(_PATIENCE_S)
        self.listing.close(_PATIENCE_S)
        self.model.close()

    # -- what the operator does ---------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Say whether the index is being asked, or a decision written."""
        is_asking = self.listing.is_busy or self._is_reading or self._side.is_busy
        return is_asking or self._writes.is_busy or self.explanation.is_busy

    @property
    def _is_reading(self) -> bool:
        return self._reading is not None and self._reading.is_under_way

    @property
    def current(self) -> FindingRow | None:
        """Give the finding that is looked at."""
        return self.model.finding(self.table.currentIndex().row())

    @property
    def chosen_ids(self) -> array[int]:
        """Name the findings that a decision is about."""
        ids = array("q")
        for first, last in self.table.spans:
            ids.extend(self.model.ids[first : last + 1])
        return ids

    @property
    def chosen(self) -> list[FindingRow]:
        """Give the first of the findings that a decision is about, as many as a page holds."""
        rows = (row for first, last in self.table.spans for row in range(first, last + 1))
        return [found for row in islice(rows, PAGE) if (found := self.model.finding(row)) is not None]

    def decide(self, **given: object) -> None:
        """Decide about what is chosen, have it written down, go on to the next where the filter hides it now."""
        ids, rows = self.chosen_ids, self.chosen
        if not rows:
            return
        try:
            standing = self._decisions.preview(rows, **given)
        except HilguiError as failure:
            self.message.emit("error", str(failure))
            return
        self.model.show_decision(standing)
        self._show_current()
        self._writes.decide(rows if len(ids) <= PAGE else rows_of(self._bench.settings.home, ids), **given)
        self._undo.setEnabled(True)

    def undo(self) -> None:
        """Take back the newest decision."""
        self._writes.undo()

    def toggle_stories(self) -> None:
        """Show stories instead of single findings, or the other way round."""
        self._show_stories(self._views.currentWidget() is self.table)

    def open_story(self, card: StoryCard | None) -> None:
        """List the findings of a story; None lists all again."""
        self.filters.show_story("" if card is None else card.title)
        self._show_stories(False)
        self.listing.list_story(card)
        self.table.setFocus()

    def copy(self) -> None:
        """Copy the chosen rows as text."""
        self._with_chosen(lambda rows: QGuiApplication.clipboard().setText(self.model.text_of(rows)))

    def save_list(self, path: Path | None = None) -> None:
        """Save the chosen rows as CSV or JSON Lines, with what people made of them; asks where."""
        path = path or ask_where(self, self.tr)
        if path is not None:
            self._with_chosen(lambda rows: self.message.emit(*save_list(rows, path, self.tr)))

    @property
    def command(self) -> str:
        """Give the command that lists what the table lists."""
        query = self.filters.query
        runs = [str(run) for run in query.runs] or ["all"]
        told = ["--stories"] if self._views.currentWidget() is self.stories else []
        return shlex.join(["hilgui", "findings", *runs, *query.arguments(), *told])

    def open_on_replay(self) -> None:
        """Show the worst frame of the current finding on the Replay page."""
        row = self.current
        if row is not None:
            self.open_run_asked.emit(row.folder, row.finding.worst_seq)

    def show_alike(self) -> None:
        """Show the findings whose picture looks like that of the current one."""
        row = self.current
        text = "" if row is None else row.finding.crop_hash or row.finding.frame_hash
        if text:
            self.filters.set_like(int(text, 16))
        elif row is not None:
            self.message.emit("info", self.tr("No picture of this finding was kept to compare with."))

    def explain(self) -> None:
        """Work out why the current finding happened, beside the triage."""
        self.sheets.setCurrentWidget(self.explanation)
        self.explanation.explain()

    def export(self) -> None:
        """Ask how the chosen findings shall become a data set."""
        if not self.chosen_ids:
            self.message.emit("info", self.tr("Choose the findings to export; Ctrl+A chooses all."))
            return
        self._with_chosen(self._ask_export)

    def _ask_export(self, rows: list[FindingRow]) -> None:
        from hilgui.gui.findings.export_dialog import ExportDialog  # brings every writer of labels along

        self.dialog = ExportDialog(rows, self._bench.settings, self)
        self.dialog.exported.connect(self._on_exported)
        self.dialog.finished.connect(self.dialog.deleteLater)
        self.dialog.open()

    def _on_exported(self, done: Exported) -> None:
        pictures = amount(done.pictures, self.tr("1 picture"), self.tr("{0} pictures"))
        words = self.tr("{0} exported to {1}, {2} with labels.")
        self.message.emit("info", words.format(pictures, done.out, done.labelled))
        for sentence in done.lost:
            self.message.emit("warning", sentence)

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        title = Label(self.tr("Findings"), self)
        mark(title, tone="heading")
        mark(self._count, tone="faint")
        mark(self._command, tone="mono")
        self._command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._command.setMinimumWidth(100)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(title)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(self.filters.text)
        tools = [
            self._tool(icon, words, keys, doer)
            for icon, words, keys, doer in (
                ("layers", self.tr("Stories: what many findings come down to"), "G", self.toggle_stories),
                ("undo", self.tr("Take back the newest decision"), "U", self.undo),
                ("eye", self.tr("Small pictures, or dense rows"), "V", self._toggle_pictures),
                ("copy", self.tr("Copy the chosen rows as text"), "Ctrl+C", self.copy),
                ("terminal", self.tr("Copy the command that lists the same"), "Ctrl+Shift+C", self.copy_command),
                ("export", self.tr("Export the chosen findings as a data set"), "E", self.export),
            )
        ]
        on_replay = self.tr("Show the worst frame on Replay")
        tools.append(self._button("replay", on_replay, self.tr("Enter"), self.open_on_replay))
        self._keys.append((self.tr("Enter"), on_replay))
        for tool in tools:
            head.addWidget(tool)
        self._as_stories, self._undo, self._as_pictures = tools[:3]
        self._undo.setEnabled(False)
        self._as_pictures.setCheckable(True)
        self._as_stories.setCheckable(True)
        self.table.set_up(self.model, self.tr("Findings"))
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        self._views = QStackedWidget(left)
        self._views.addWidget(self.table)
        self._views.addWidget(self.stories)
        column.addWidget(self._views, 1)
        column.addWidget(self._command)
        self.sheets.setDocumentMode(True)
        self.sheets.addTab(self.panel, self.tr("Triage"))
        self.sheets.addTab(self.explanation, self.tr("Explanation"))
        right = splitter(Qt.Orientation.Vertical, self.clip, self.sheets, stretch=(1, 0))
        right.setSizes([300, 330])
        both = splitter(Qt.Orientation.Horizontal, left, right, stretch=(3, 2))
        both.setSizes([780, 460])
        self._stack.addWidget(both)
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(self.filters)
        layout.addWidget(self._stack, 1)

    def _bind_keys(self) -> None:
        for entry in STATES:
            self._bind(entry.key, entry.words, partial(self.decide, state=entry.state))
        panel = self.panel
        for keys, words, doer in (
            ("N", self.tr("Write a note; Enter keeps it"), panel.note.setFocus),
            ("T", self.tr("Write tags; Enter keeps them"), panel.tags.setFocus),
            ("A", self.tr("Give it to somebody; Enter keeps it"), panel.assignee.setFocus),
            ("Space", self.tr("Play or pause the clip"), self.clip.toggle),
            ("Left", self.tr("One frame back"), lambda: self.clip.step(-1)),
            ("Right", self.tr("One frame on"), lambda: self.clip.step(1)),
            ("W", self.tr("Stand at the worst frame"), self.clip.go_to_worst),
            ("S", self.tr("Findings whose picture looks like this one"), self.show_alike),
            ("X", self.tr("Explain it: why it was missed, or shown"), self.explain),
            ("R", self.tr("The open run only, or all runs"), self._toggle_scope),
            ("O", self.tr("Only what is open, or everything"), self._toggle_open),
            ("/", self.tr("Search findings"), self.filters.text.setFocus),
            ("Ctrl+Backspace", self.tr("Take every filter away"), self.filters.take_all_away),
            ("Ctrl+S", self.tr("Save the chosen rows as CSV or JSON Lines"), self.save_list),
            ("F5", self.tr("Look for new runs"), self.refresh),
        ):
            self._bind(keys, words, doer)
        for keys in ("Return", "Enter"):  # of the table alone: in a field it keeps what was typed
            bind(self.table, keys, self.open_on_replay, ALONE)
        bind(self, "Escape", self.table.setFocus)

    def _connect(self) -> None:
        self.filters.changed.connect(self.listing.ask)
        self.listing.listed.connect(self._on_listed)
        self.listing.failed.connect(self.trouble)
        self._side.failed.connect(self.trouble)
        self.explanation.failed.connect(self.trouble)
        self.explanation.picture_chosen.connect(self.clip.show_still)
        self.stories.opened.connect(self.open_story)
        self.filters.story.clicked.connect(lambda _=False: self.open_story(None))
        self._writes.written.connect(self._on_written)
        self._writes.failed.connect(self._on_write_failed)
        self._writes.history_came.connect(self._on_history)
        self._writes.nothing_to_undo.connect(
            lambda: self.message.emit("info", self.tr("There is nothing to take back in this session."))
        )
        self.table.selectionModel().currentRowChanged.connect(self._on_current)
        self.table.selectionModel().selectionChanged.connect(lambda _on, _off: self._show_current())
        self.table.doubleClicked.connect(lambda _index: self.open_on_replay())
        self.table.horizontalHeader().sectionClicked.connect(self._on_title)
        self.panel.state_chosen.connect(lambda state: self.decide(state=state))
        self.panel.note_given.connect(lambda note: self._give("note", note))
        self.panel.tags_given.connect(lambda tags: self._give("tags", tags))
        self.panel.assignee_given.connect(lambda who: self._give("assignee", who))
        self.empty.demo_asked.connect(self.demo_asked)
        self.empty.clear_asked.connect(self.filters.take_all_away)
        self._bench.run.changed.connect(self._on_run)
        self._on_run()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _with_chosen(self, doer: Callable[[list[FindingRow]], object]) -> None:
        """Hand over what is chosen: at once where it is little, else when a thread has read it."""
        ids, home = self.chosen_ids, self._bench.settings.home
        if len(ids) <= PAGE:
            doer(self.chosen)
            return
        if len(ids) > _MOST_CHOSEN:
            words = self.tr("{0} findings are chosen; only the first {1} are taken.")
            self.message.emit("warning", words.format(f"{len(ids):,}", f"{_MOST_CHOSEN:,}"))
        if not self._is_reading:
            rows = rows_of(home, ids[:_MOST_CHOSEN])
            self._reading = Errand(self, "chosen findings", lambda: list(rows), doer, self.trouble.emit)

    def _give(self, name: str, value: object) -> None:
        self.table.setFocus()  # first: a field with the focus keeps what is typed in it
        self.decide(**{name: value})

    def _on_listed(self, answer: Answer) -> None:
        is_empty = not self.model.ids
        self._tell_stories(answer.query)
        self.filters.offer(answer)
        self.filters.show_is_filtered(answer.query)
        self._say_count(answer, len(self.model.ids))
        self.table.fit_words(words_of(answer))
        self.table.say_nothing(Column.DRIVE, len(answer.query.drives or answer.counts["drive"]) <= 1)
        self.table.say_nothing(Column.TAGS, not answer.tags)
        self._command.setText(self.command)
        self._stack.setCurrentIndex(1 if is_empty else 0)
        self.empty.show_reason(has_findings=answer.total > 0)
        for folder, problem in answer.problems.items():
            self.message.emit("warning", self.tr("{0} is left out: {1}").format(folder.name, problem))
        if is_empty:
            self.clip.show_finding(None)
            self.panel.show_finding(None, 0)
            self.explanation.show_finding(None)

    def _on_written(self, touched: list[tuple[Path, tuple[int, ...]]]) -> None:
        self.listing.note_decision(touched)
        self._undo.setEnabled(self._decisions.can_undo)

    def _on_write_failed(self, sentence: str) -> None:
        self.message.emit("error", sentence)
        self.listing.ask()  # what was shown before it was written is not so

    def _on_history(self, id_: int, changes: tuple[TriageChange, ...]) -> None:
        row = self.current
        if row is not None and row.id == id_:
            self.panel.show_history(changes)

    def _on_current(self, current: QModelIndex, before: QModelIndex) -> None:
        row = self.model.finding(current.row())
        shown = self.clip.finding_id
        if row is None or row.id != shown:
            self.clip.show_finding(row)
        self.explanation.show_finding(row)

    def _show_current(self) -> None:
        row = self.current
        self.panel.show_finding(row, sum(last - first + 1 for first, last in self.table.spans))
        if row is not None:
            self._writes.ask_history(row)

    def _show_stories(self, is_on: bool) -> None:
        self._views.setCurrentIndex(1 if is_on else 0)
        self._as_stories.setChecked(is_on)
        (self.stories if is_on else self.table).setFocus()
        if is_on:
            self._told_query = None  # what came meanwhile belongs to them, too
            self._tell_stories(self.filters.query)
        self._command.setText(self.command)

    def _tell_stories(self, query: Query) -> None:
        """Ask for the stories of what passes, where they are in sight and were not asked for."""
        if self._views.currentWidget() is self.stories and self._told_query != query:
            self._told_query = query
            self._side.ask("stories", AskStories(self._bench.settings.home, query), self.stories.show_cards)

    def _say_count(self, answer: Answer, shown: int) -> None:
        still = answer.counts["state"].get(TriageState.OPEN.value, 0)
        self._count.setText(counted(self.tr, shown, answer.total, still))

    def _on_title(self, column: int) -> None:
        order = ORDERS.get(Column(column))
        head = self.table.horizontalHeader()
        if order is None:
            return
        query = self.filters.query
        is_descending = order == query.order and not query.descending
        direction = Qt.SortOrder.DescendingOrder if is_descending else Qt.SortOrder.AscendingOrder
        head.setSortIndicator(column, direction)
        self.filters.set_order(order, is_descending)

    def _on_run(self) -> None:
        self.filters.set_run(self._bench.run.folder)

    def _toggle_scope(self) -> None:
        if self.filters.scope.isEnabled():
            self.filters.scope.toggle()

    def _toggle_open(self) -> None:
        is_on = self.filters.query.states == (TriageState.OPEN,)
        self.filters.set_states(() if is_on else (TriageState.OPEN,))

    def _toggle_pictures(self) -> None:
        self._show_pictures(not self._has_pictures)

    def _show_pictures(self, has_pictures: bool) -> None:
        self._has_pictures = has_pictures
        self._as_pictures.setChecked(has_pictures)
        self.model.show_pictures(has_pictures)
        self.table.say_nothing(Column.PICTURE, not has_pictures)
        self.table.verticalHeader().setDefaultSectionSize(SIZE[1] + 6 if has_pictures else ROW + 2)
        if self.table.currentIndex().isValid():
            self.table.scrollTo(self.table.currentIndex())
