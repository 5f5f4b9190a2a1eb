"""The runs of the library, sorted and filtered; a double click opens one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QStackedWidget,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.gui.errand import Errand, let_go
from hilgui.gui.keys import ALONE, bind
from hilgui.gui.label import Label
from hilgui.gui.library.runs_model import SORT_ROLE, LibraryModel, LibraryRow, read_rows
from hilgui.gui.page import Page
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import GAP, ROW, Theme, mark

_PATIENCE_S = 5.0
_WIDEST = 260  # px; longer names are cut with an ellipsis


class RunsView(Page):
    """Reads the folder of runs on an errand each time it is shown."""

    def __init__(
        self,
        theme: Theme,
        runs: Path,
        parent: QWidget,
        *,
        read: Callable[[Path], list[LibraryRow]] = read_rows,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._runs = runs
        self._read = read
        self._errand: Errand[list[LibraryRow]] | None = None
        self._is_fitted = False
        self._model = LibraryModel(theme, self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(SORT_ROLE)
        self._sorted.setFilterKeyColumn(-1)
        self._sorted.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._build()
        theme.changed.connect(self._draw_icons)

    @property
    def table(self) -> QTableView:
        """Give the table, for focus and tests."""
        return self._table

    @property
    def is_reading(self) -> bool:
        """Say whether the folder is being read."""
        return self._errand is not None

    def refresh(self) -> None:
        """Read the runs again; what is shown stays until the answer is there."""
        if self._errand is not None:
            self._errand.forget()
        self._count.setText(self.tr("reading…"))
        self._errand = Errand(self, "library", lambda: self._read(self._runs), self._show, self._say)

    def close_page(self) -> None:
        """Let the thread end; for the end of the application."""
        let_go(_PATIENCE_S, self._errand)
        self._errand = None

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys of this page."""
        return [
            ("Enter", self.tr("Open the selected run in Replay")),
            ("Ctrl+F", self.tr("Filter the runs")),
            ("Ctrl+C", self.tr("Copy the selected rows as text")),
            ("F5", self.tr("Read the folder again")),
        ]

    def showEvent(self, event: QShowEvent) -> None:
        """Read the runs when the page comes into sight."""
        super().showEvent(event)
        self._table.setFocus()

    def _build(self) -> None:
        self._count = Label(self)
        mark(self._count, tone="faint")
        self._filter = QLineEdit(self)
        self._filter.setPlaceholderText(self.tr("Filter by drive, model, verdict, run…"))
        self._filter.setClearButtonEnabled(True)
        self._filter.setAccessibleName(self.tr("Filter the runs"))
        self._filter.setFixedWidth(300)
        self._filter.textChanged.connect(self._sorted.setFilterFixedString)
        self._filter.textChanged.connect(self._count_rows)
        self._again = QToolButton(self)
        self._again.setToolTip(self.tr("Read the folder again (F5)"))
        self._again.setAccessibleName(self.tr("Read the folder again"))
        self._again.clicked.connect(self.refresh)
        self._table = self._make_table()
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._table)
        self._stack.addWidget(self._empty_page())
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(self._filter)
        head.addWidget(self._again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        for keys, action in (("F5", self.refresh), ("Ctrl+F", self._filter.setFocus)):
            bind(self, keys, action)
        self._draw_icons()

    def _make_table(self) -> QTableView:
        table = QTableView(self)
        table.setModel(self._sorted)
        table.setSortingEnabled(True)
        table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        table.setShowGrid(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setAccessibleName(self.tr("Runs"))
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW + 4)
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setStretchLastSection(True)
        table.doubleClicked.connect(self._open)
        for keys, action in (("Return", self._open_current), ("Enter", self._open_current), ("Ctrl+C", self._copy)):
            bind(table, keys, action, ALONE)
        return table

    def _empty_page(self) -> QWidget:
        page = QWidget(self)
        words = Label(self.tr("No runs yet"), page)
        mark(words, tone="heading")
        hint = Label(self.tr("Every replay is kept here, with its findings and figures."), page)
        mark(hint, tone="soft")
        demo = QPushButton(self.tr("Run the demo"), page)
        demo.setAutoDefault(True)
        demo.clicked.connect(self.demo_asked)
        layout = QVBoxLayout(page)
        layout.addStretch(1)
        for widget in (words, hint, demo):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        return page

    def _show(self, rows: list[LibraryRow]) -> None:
        self._errand = None
        selected = self._selected_folder()
        self._model.put(rows)
        self._stack.setCurrentIndex(0 if rows else 1)
        if rows and not self._is_fitted:
            self._fit_columns()
        self._select(selected)
        self._count_rows()

    def _fit_columns(self) -> None:
        """Give each column what it needs once; afterwards the operator's widths stay."""
        self._is_fitted = True
        for column in range(self._sorted.columnCount() - 1):
            self._table.resizeColumnToContents(column)
            self._table.setColumnWidth(column, min(self._table.columnWidth(column) + GAP, _WIDEST))

    def _say(self, sentence: str, details: str) -> None:
        self._errand = None
        self._count.clear()
        self.trouble.emit(sentence, details)

    def _count_rows(self) -> None:
        total, shown = self._model.rowCount(), self._sorted.rowCount()
        words = amount(total, self.tr("1 run"), self.tr("{0} runs"))
        if shown != total:
            words = self.tr("{0} of {1}").format(shown, words)
        self._count.setText(f"{words} · {self._runs}")

    def _selected_folder(self) -> Path | None:
        index = self._table.currentIndex()
        return self._folder(index) if index.isValid() else None

    def _folder(self, index: QModelIndex) -> Path:
        return self._model.row(self._sorted.mapToSource(index).row()).summary.folder

    def _select(self, folder: Path | None) -> None:
        for number in range(self._sorted.rowCount()):
            if folder is None or self._folder(self._sorted.index(number, 0)) == folder:
                self._table.selectRow(number)
                return

    def _open(self, index: QModelIndex) -> None:
        row = self._model.row(self._sorted.mapToSource(index).row())
        if row.summary.problem:
            self.message.emit("error", row.summary.problem)
            return
        self.open_run_asked.emit(row.summary.folder, None)

    def _open_current(self) -> None:
        if self._table.currentIndex().isValid():
            self._open(self._table.currentIndex())

    def _copy(self) -> None:
        columns = range(self._sorted.columnCount())
        display = Qt.ItemDataRole.DisplayRole
        lines = ["\t".join(str(self._sorted.headerData(each, Qt.Orientation.Horizontal, display)) for each in columns)]
        for index in sorted(self._table.selectionModel().selectedRows(), key=QModelIndex.row):
            cells = (self._sorted.data(index.siblingAtColumn(each), display) for each in columns)
            lines.append("\t".join(str(cell) for cell in cells))
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _draw_icons(self) -> None:
        self._again.setIcon(self._theme.icon("refresh"))
