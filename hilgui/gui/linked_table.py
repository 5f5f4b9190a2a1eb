"""A table whose cells lead somewhere: figures to their frames, findings to their pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from hilgui.gui.keys import ALONE, bind
from hilgui.gui.label import as_tip
from hilgui.gui.theme import GAP, ROW, Theme, mark

Index = QModelIndex | QPersistentModelIndex

_WIDEST = 280  # px of a column that is fitted
_NARROWEST = 104  # px of a column of long words where room is short: a name is read whole
_LEFT_OVER = 64  # px of the last column, which says the least
_LONG = 16  # letters of a cell that may be cut off, and is told in its tip


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One cell; `link` is what a click on it asks for."""

    text: str = ""
    link: object = None
    colour: str = ""  # a name of `Colours`, for the text
    shade: float = 0.0  # 0..1 of the colour behind it
    behind: str = "accent"  # the colour behind it
    tip: str = ""
    is_number: bool = False
    icon: Callable[[], QIcon | None] | None = None  # asked when the cell is painted


def number(text: str, link: object = None, *, colour: str = "", tip: str = "") -> Cell:
    """Make a cell that holds a number."""
    return Cell(text, link, colour, tip=tip, is_number=True)


class _Model(QAbstractTableModel):
    """Rows of cells, replaced as a whole."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.titles: tuple[str, ...] = ()
        self.tips: tuple[str, ...] = ()  # of the titles
        self.rows: list[tuple[Cell, ...]] = []

    def put(self, titles: Sequence[str], rows: Sequence[Sequence[Cell]], tips: Sequence[str]) -> None:
        self.beginResetModel()
        self.titles, self.rows, self.tips = tuple(titles), [tuple(row) for row in rows], tuple(tips)
        self.endResetModel()

    def cell(self, index: Index) -> Cell:
        row = self.rows[index.row()]
        return row[index.column()] if index.column() < len(row) else Cell()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self.titles[section]
        if role == Qt.ItemDataRole.ToolTipRole and section < len(self.tips) and self.tips[section]:
            return as_tip(self.tips[section])
        if role == Qt.ItemDataRole.TextAlignmentRole and self.rows and section < len(self.rows[0]):
            side = Qt.AlignmentFlag.AlignRight if self.rows[0][section].is_number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cell = self.cell(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            tip = cell.tip or (cell.text if len(cell.text) > _LONG else "")
            return as_tip(tip) if tip else None
        if role == Qt.ItemDataRole.DecorationRole:
            return None if cell.icon is None else cell.icon()
        if role == Qt.ItemDataRole.ForegroundRole and cell.colour:
            return self._theme.colour(cell.colour)
        if role == Qt.ItemDataRole.BackgroundRole and cell.shade > 0:
            colour = QColor(self._theme.colour(cell.behind))
            colour.setAlphaF(min(cell.shade, 1.0) * 0.75)
            return colour
        if role == Qt.ItemDataRole.TextAlignmentRole and cell.is_number:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


class _Shading(QStyledItemDelegate):
    """Paints the colour behind a cell: where a style sheet says how cells look, Qt leaves it out."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        shade = index.data(Qt.ItemDataRole.BackgroundRole)
        if shade is not None:
            painter.fillRect(option.rect, shade)
        super().paint(painter, option, index)


class LinkedTable(QTableView):
    """Asks for the link of a cell that is clicked, or chosen with Enter; copies as text with Ctrl+C."""

    asked = Signal(object)  # the link of a cell

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Model(theme, self)
        self.setModel(self._model)
        self.setAccessibleName(name)
        mark(self, surface="dense")
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        head.setTextElideMode(Qt.TextElideMode.ElideRight)
        head.sectionResized.connect(self._on_resized)
        self.setItemDelegate(_Shading(self))
        self._wanted: list[int] = []  # px that each column asks for; empty once somebody chose widths
        self._is_fitting = False
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.clicked.connect(self._ask)
        self.entered.connect(self._point)
        theme.changed.connect(self.viewport().update)
        for keys, doer in (("Return", self._ask_current), ("Enter", self._ask_current), ("Ctrl+C", self.copy)):
            bind(self, keys, doer, ALONE)

    def put(self, titles: Sequence[str], rows: Sequence[Sequence[Cell]], tips: Sequence[str] = ()) -> None:
        """Show other rows; the place and the widths stay where the titles do. `tips` are those of the titles."""
        has_room = self._model.titles == tuple(titles) and _fits(_letters(rows), _letters(self._model.rows))
        place, top = self.currentIndex(), self.verticalScrollBar().value()
        where = (place.row(), place.column())
        self._model.put(titles, rows, tips)
        if not has_room:
            self.fit()
        elif rows:
            if place.isValid() and where[0] < len(rows):
                self.setCurrentIndex(self._model.index(*where))
            self.verticalScrollBar().setValue(top)

    def fit(self) -> None:
        """Give each column what it needs, within reason; where room is short, words are cut off before numbers."""
        self._wanted = [self._wish(column) for column in range(len(self._model.titles))]
        self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit again, unless somebody chose the widths."""
        super().resizeEvent(event)
        self._lay_out()

    def _wish(self, column: int) -> int:
        texts = {row[column].text: place for place, row in enumerate(self.rows) if column < len(row)}
        widest = texts.get(max(texts, key=self.fontMetrics().horizontalAdvance, default=""), 0)
        cell = self.sizeHintForIndex(self._model.index(widest, column)).width()  # of all rows Qt would ask each
        wish = max(cell, self.horizontalHeader().sectionSizeHint(column))
        if self.rows and column < len(self.rows[0]) and self.rows[0][column].icon is not None:
            wish = max(wish, self.iconSize().width() + 2 * GAP)  # it may come later
        return min(wish, _WIDEST)

    def _lay_out(self) -> None:
        if not self._wanted or self._is_fitting:
            return
        first = self.rows[0] if self.rows else ()
        are_words = [not cell.is_number and cell.icon is None for cell in first] or [True] * len(self._wanted)
        self.horizontalHeader().setStretchLastSection(are_words[-1])  # a number far from the others is not read
        self._is_fitting = True
        for column, width in enumerate(squeezed(self._wanted, are_words, self.viewport().width())):
            self.setColumnWidth(column, width)
        self._is_fitting = False

    def _on_resized(self, column: int, _before: int, _after: int) -> None:
        if not self._is_fitting and column < len(self._wanted) - 1:  # the last one stretches by itself
            self._wanted = []

    @property
    def titles(self) -> tuple[str, ...]:
        """Give the titles of the columns."""
        return self._model.titles

    @property
    def rows(self) -> list[tuple[Cell, ...]]:
        """Give what is shown."""
        return self._model.rows

    @property
    def text(self) -> str:
        """Give the chosen rows, or all where one cell or none is chosen, separated by tabs."""
        chosen = sorted({index.row() for index in self.selectedIndexes()})
        rows = self.rows if len(self.selectedIndexes()) < 2 else [self.rows[row] for row in chosen]
        return "\n".join("\t".join(words) for words in (self.titles, *([cell.text for cell in row] for row in rows)))

    def copy(self) -> None:
        """Copy the text."""
        QGuiApplication.clipboard().setText(self.text)

    def _ask_current(self) -> None:
        if self.currentIndex().isValid():
            self._ask(self.currentIndex())

    def _ask(self, index: QModelIndex) -> None:
        link = self._model.cell(index).link
        if link is not None:
            self.asked.emit(link)

    def _point(self, index: QModelIndex) -> None:
        has_link = self._model.cell(index).link is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if has_link else Qt.CursorShape.ArrowCursor)


def squeezed(wanted: Sequence[int], are_words: Sequence[bool], room: int) -> list[int]:
    """Give widths that fit: some air where there is room, else long words give way, the last column, then the widest.

    Where that is not enough the table scrolls, and nothing is narrowed.
    """
    last = len(wanted) - 1
    least = [
        min(width, (_LEFT_OVER if column == last else _NARROWEST) if are_words[column] else width)
        for column, width in enumerate(wanted)
    ]
    if sum(least) > room:
        return list(wanted)
    air = min(GAP, max(room - sum(wanted), 0) // max(len(wanted), 1))
    widths = [width + air for width in wanted]
    over = sum(widths) - room
    for column in sorted(range(len(widths)), key=lambda column: (column != last, -widths[column])):
        taken = min(max(over, 0), widths[column] - least[column])
        widths[column] -= taken
        over -= taken
    return widths


def _letters(rows: Sequence[Sequence[Cell]]) -> list[int]:
    """Count the letters of the longest cell of each column."""
    return [max(map(len, column)) for column in zip(*([cell.text for cell in row] for row in rows), strict=False)]


def _fits(wanted: Sequence[int], room: Sequence[int]) -> bool:
    return len(room) >= len(wanted) and all(one <= other for one, other in zip(wanted, room, strict=False))
