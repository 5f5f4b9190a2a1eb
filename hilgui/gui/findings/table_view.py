"""How the table of findings looks: dense rows, whole rows chosen, columns that fit their room without scrolling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QItemSelectionModel, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from hilgui.gui.findings.table_model import Column, FindingsTable
from hilgui.gui.findings.tag_chips import TagChips
from hilgui.gui.findings.thumbnails import SIZE
from hilgui.gui.theme import Theme, mark

_WIDTHS = {
    Column.PICTURE: SIZE[0] + 12,
    Column.SEVERITY: 32,
    Column.KIND: 116,
    Column.CLASS: 66,
    Column.MODEL: 82,
    Column.SUSPECT: 82,
    Column.STATE: 84,
    Column.TIME: 70,
    Column.FRAMES: 62,
    Column.DRIVE: 130,
    Column.TAGS: 90,
}
"""px of the columns, where their words ask for no more."""
_AIR = 14  # px beside the words of a cell
_BESIDE = {Column.STATE: 22}  # px of what stands before the words
_WIDEST = 190  # px of a column of words
_WHY = 150  # px that the reason has at least; cut off, and whole in its tip
_GIVE_WAY = (Column.FRAMES, Column.SUSPECT, Column.DRIVE, Column.TAGS, Column.MODEL)
"""Columns that are left out where room is short, the first one first: the panel beside the table tells them all."""


class FindingsView(QTableView):
    """Shows what a triager decides by; what says the same in every row, or has no room, is left out."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._widths = dict(_WIDTHS)
        self._chosen: set[Column] = set()  # columns whose width somebody chose
        self._says_nothing: frozenset[Column] = frozenset({Column.PICTURE})
        self._is_fitting = False
        self._chips = TagChips(theme, self)

    def set_up(self, model: FindingsTable, name: str) -> None:
        """Take the model and the manners of this table; once."""
        self.setModel(model)
        mark(self, surface="dense")
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(*SIZE))
        self.setAccessibleName(name)
        self.setItemDelegateForColumn(Column.TAGS, self._chips)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        head.setSectionsClickable(True)
        head.setSortIndicatorShown(True)
        head.setSortIndicator(Column.SEVERITY, Qt.SortOrder.AscendingOrder)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.sectionResized.connect(self._on_resized)
        # Whether a whole column is chosen, Qt asks of every row each time it paints a title: seconds for 100,000.
        head.setSelectionModel(QItemSelectionModel(model, head))
        self._fit()

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Give the chosen rows as first and last of each stretch: all of 100,000 are one."""
        return sorted({(chosen.top(), chosen.bottom()) for chosen in self.selectionModel().selection().toList()})

    def go_to(self, row: int) -> None:
        """Choose a row, alone, and bring it into sight."""
        index = self.model().index(row, Column.KIND)
        flags = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self.scrollTo(index)

    def fit_words(self, words: Mapping[Column, Iterable[str]]) -> None:
        """Widen columns to their words, within reason; widths that somebody chose stay."""
        before = dict(self._widths)
        advance = self.fontMetrics().horizontalAdvance
        for column, mine in words.items():
            if column not in self._chosen:
                widest = max(map(advance, mine), default=0) + _BESIDE.get(column, 0) + _AIR
                self._widths[column] = max(self._widths[column], min(widest, _WIDEST))
        if self._widths != before:
            self._fit()

    def say_nothing(self, column: Column, is_so: bool) -> None:
        """Leave a column out, or not: all rows say the same there, or nobody wants to see it."""
        before = self._says_nothing
        self._says_nothing = before | {column} if is_so else before - {column}
        if self._says_nothing != before:
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self.model() is None or self._is_fitting:
            return
        shown = [column for column in self._widths if column not in self._says_nothing]
        over = sum(self._widths[column] for column in shown) + _WHY - self.viewport().width()
        left_out = set(self._says_nothing)
        for column in _GIVE_WAY:
            if over > 0 and column not in left_out:
                left_out.add(column)
                over -= self._widths[column]
        self._is_fitting = True
        for column, width in self._widths.items():
            self.setColumnHidden(column, column in left_out)
            if column not in left_out:
                self.setColumnWidth(column, width)
        self._is_fitting = False

    def _on_resized(self, column: int, _before: int, after: int) -> None:
        """Keep the width that somebody chose."""
        if not self._is_fitting and after > 0 and column in self._widths:
            self._widths[Column(column)] = after
            self._chosen.add(Column(column))
