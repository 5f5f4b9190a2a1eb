"""A table whose cells lead somewhere: figures to their frames, findings to their pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from hilgui.gui.label import as_tip
from hilgui.gui.theme import GAP, ROW, Theme

Index = QModelIndex | QPersistentModelIndex

_WIDEST = 280  # px of a column that is fitted


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
        self.rows: list[tuple[Cell, ...]] = []

    def put(self, titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        self.beginResetModel()
        self.titles, self.rows = tuple(titles), [tuple(row) for row in rows]
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
        if role == Qt.ItemDataRole.TextAlignmentRole and self.rows and section < len(self.rows[0]):
            side = Qt.AlignmentFlag.AlignRight if self.rows[0][section].is_number else Qt.AlignmentFlag.AlignLeft
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cell = self.cell(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(cell.tip) if cell.tip else None
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


class LinkedTable(QTableView):
    """Asks for the link of a cell that is clicked, or chosen with Enter; copies as text with Ctrl+C."""

    asked = Signal(object)  # the link of a cell

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Model(theme, self)
        self.setModel(self._model)
        self.setAccessibleName(name)
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
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.clicked.connect(self._ask)
        self.entered.connect(self._point)
        theme.changed.connect(self.viewport().update)
        for keys, doer in (("Return", self._ask_current), ("Enter", self._ask_current), ("Ctrl+C", self.copy)):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(doer)

    def put(self, titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Show other rows; the place and the widths stay where the titles do."""
        has_room = self._model.titles == tuple(titles) and _fits(_letters(rows), _letters(self._model.rows))
        place, top = self.currentIndex(), self.verticalScrollBar().value()
        where = (place.row(), place.column())
        self._model.put(titles, rows)
        if not has_room:
            self.fit()
        elif rows:
            if place.isValid() and where[0] < len(rows):
                self.setCurrentIndex(self._model.index(*where))
            self.verticalScrollBar().setValue(top)

    def fit(self) -> None:
        """Give each column what it needs, within reason."""
        self.resizeColumnsToContents()
        for column in range(len(self._model.titles)):
            self.setColumnWidth(column, min(self.columnWidth(column) + GAP, _WIDEST))

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


def _letters(rows: Sequence[Sequence[Cell]]) -> list[int]:
    """Count the letters of the longest cell of each column."""
    return [max(map(len, column)) for column in zip(*([cell.text for cell in row] for row in rows), strict=False)]


def _fits(wanted: Sequence[int], room: Sequence[int]) -> bool:
    return len(room) >= len(wanted) and all(one <= other for one, other in zip(wanted, room, strict=False))
