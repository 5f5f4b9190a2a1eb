"""The heat map: one widget, one paintEvent; every field can be reached by key, pointed at and clicked."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from hilgui.gui.label import as_tip
from hilgui.gui.linked_table import Cell
from hilgui.gui.replay.ink import readable_on
from hilgui.gui.theme import BODY_PT, GAP, SMALL_PT, Theme, sans

_NAMES_PX, _LEAST_PX, _MOST_PX, _ROW_PX, _HEAD_PX = 128, 34, 72, 24, 42
_FEW = 4  # columns that leave room for long names
_STEPS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class HeatView(QWidget):
    """Shows rows of cells in blocks, one a model; a deeper shade is a greater loss.

    A row's first cell is its name, the others belong to the blocks in turn. Blocks stand beside each other, and one
    below the other where there is no room for that.
    """

    asked = Signal(object)  # the link of a field

    def __init__(self, theme: Theme, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.titles: tuple[str, ...] = ()
        self.rows: list[tuple[Cell, ...]] = []
        self._blocks: tuple[tuple[str, str, int], ...] = ()
        self._current: tuple[int, int] | None = None
        self._names_px = _NAMES_PX
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def put(
        self, titles: Sequence[str], rows: Sequence[Sequence[Cell]], blocks: Sequence[tuple[str, str, int]]
    ) -> None:
        """Show other rows; `blocks` are words, colour and number of columns of each model."""
        self.titles, self.rows, self._blocks = tuple(titles), [tuple(row) for row in rows], tuple(blocks)
        if self._current is not None and not self._is_field(self._current):
            self._current = None
        metrics = QFontMetrics(sans(SMALL_PT))
        longest = max((metrics.horizontalAdvance(row[0].text) for row in self.rows if row), default=0)
        is_narrow = sum(columns for _, _, columns in self._blocks) <= _FEW
        self._names_px = min(longest + GAP + 2, 2 * _NAMES_PX if is_narrow else _NAMES_PX)
        self.setMinimumWidth(self.sizeHint().width())
        self._fit_height()
        self.update()

    @property
    def text(self) -> str:
        """Give everything, separated by tabs."""
        return "\n".join("\t".join(line) for line in (self.titles, *([cell.text for cell in row] for row in self.rows)))

    def copy(self) -> None:
        """Copy the text."""
        QGuiApplication.clipboard().setText(self.text)

    def choose(self, row: int, column: int) -> None:
        """Mark a field and ask for what is behind it; column 1 is the first behind the name."""
        if self._is_field((row, column)):
            self._current = (row, column)
            self.setAccessibleDescription(self.rows[row][column].tip)
            self.update()
            if self.rows[row][column].link is not None:
                self.asked.emit(self.rows[row][column].link)

    def field_rect(self, row: int, column: int) -> QRect:
        """Say where a field lies."""
        width = self._width()
        x, y, first = self._names_px, _HEAD_PX, 1
        for _, _, columns in self._blocks:
            if column < first + columns:
                break
            if self.is_stacked:
                y += self._band()
            else:
                x += columns * width + GAP
            first += columns
        return QRect(x + (column - first) * width, y + row * _ROW_PX, width - 2, _ROW_PX - 2)

    @property
    def is_stacked(self) -> bool:
        """Say whether the blocks stand one below the other."""
        return len(self._blocks) > 1 and self.width() < self._least(sum(columns for _, _, columns in self._blocks))

    def tip_at(self, point: QPoint) -> str:
        """Say what is under a point: a field, or a name, which may be cut."""
        found, row = self._at(point), self._row_at(point)
        if found is not None:
            return self.rows[found[0]][found[1]].tip
        if row is None or point.x() >= self._names_px:
            return ""
        name = self.rows[row][0]
        return f"{name.text}: {name.tip}" if name.tip else name.text

    # -- Qt -----------------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Ask for the narrowest fields that hold a number."""
        return QSize(self._least(max((columns for _, _, columns in self._blocks), default=0)), self._band())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the blocks beside or below each other."""
        super().resizeEvent(event)
        self._fit_height()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw heads, names and fields."""
        painter = QPainter(self)
        first = 1
        for words, colour, columns in self._blocks:
            left, right = self.field_rect(0, first), self.field_rect(0, first + columns - 1)
            is_last = self.is_stacked or first + columns == len(self.titles)
            painter.setFont(sans(BODY_PT))
            painter.setPen(self._theme.colour(colour))
            top = left.top() - _HEAD_PX
            end = self.width() if is_last else right.right()
            head = QRect(left.left(), top, end - left.left(), _HEAD_PX // 2)
            painter.drawText(head, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), words)
            painter.setFont(sans(SMALL_PT))
            painter.setPen(self._theme.colour("text_soft"))
            for column in range(first, first + columns):
                place = self.field_rect(0, column)
                title = QRect(place.left() - 4, top + _HEAD_PX // 2, place.width() + 8, _HEAD_PX // 2)
                name = self.titles[column]
                name = name.split(" ", 1)[-1] if len(self._blocks) > 1 else name  # without the letter of the model
                painter.drawText(title, Qt.AlignmentFlag.AlignCenter, name)
            first += columns
        for number, row in enumerate(self.rows):
            self._paint_row(painter, number, row)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the field under the cursor."""
        found = self._at(event.position().toPoint())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.choose(*found)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show a hand over what leads somewhere."""
        found = self._at(event.position().toPoint())
        has_link = found is not None and self.rows[found[0]][found[1]].link is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if has_link else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from field to field; Enter asks for the frames behind it again."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None and event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        row, column = self._current or (0, 1)
        if step is not None and self._current is not None:
            row, column = row + step[0], column + step[1]
        self.choose(row, column)

    def event(self, event: QEvent) -> bool:
        """Tell what a field says."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), as_tip(self.tip_at(event.pos())), self)
            return True
        return super().event(event)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _width(self) -> int:
        counts = [columns for _, _, columns in self._blocks] or [1]
        columns = max(counts) if self.is_stacked else sum(counts)
        gaps = 0 if self.is_stacked else GAP * (len(counts) - 1)
        return min(max((self.width() - self._names_px - gaps) // max(columns, 1), _LEAST_PX), _MOST_PX)

    def _least(self, columns: int) -> int:
        """Give the width at which so many fields hold their numbers."""
        gaps = GAP * max(len(self._blocks) - 1, 0)
        return self._names_px + columns * _LEAST_PX + gaps

    def _band(self) -> int:
        """Give the height of one block."""
        return _HEAD_PX + len(self.rows) * _ROW_PX + 4

    def _fit_height(self) -> None:
        height = self._band() * (len(self._blocks) if self.is_stacked else 1)
        if height != self.height():
            self.setFixedHeight(height)

    def _is_field(self, place: tuple[int, int]) -> bool:
        return 0 <= place[0] < len(self.rows) and 1 <= place[1] < len(self.rows[place[0]])

    def _row_at(self, point: QPoint) -> int | None:
        y = point.y() % self._band() if self.is_stacked else point.y()
        row = (y - _HEAD_PX) // _ROW_PX
        return row if 0 <= row < len(self.rows) else None

    def _at(self, point: QPoint) -> tuple[int, int] | None:
        row = self._row_at(point)
        if row is None:
            return None
        columns = range(1, len(self.rows[row]))
        return next(((row, column) for column in columns if self.field_rect(row, column).contains(point)), None)

    def _paint_row(self, painter: QPainter, number: int, row: tuple[Cell, ...]) -> None:
        painter.setFont(sans(SMALL_PT))
        painter.setPen(self._theme.colour("text"))
        for block in range(len(self._blocks) if self.is_stacked else 1):
            y = block * self._band() + _HEAD_PX + number * _ROW_PX
            name = QRect(0, y, self._names_px - GAP, _ROW_PX - 2)
            words = painter.fontMetrics().elidedText(row[0].text, Qt.TextElideMode.ElideRight, name.width())
            painter.drawText(name, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), words)
        for column in range(1, len(row)):
            cell, place = row[column], self.field_rect(number, column)
            if cell.is_number and cell.text:
                fill = self._shaded(cell)
                if fill is not None:
                    painter.fillRect(place, fill)
                painter.setPen(self._theme.colour("text") if fill is None else readable_on(fill))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, cell.text)
            if (number, column) == self._current:
                painter.setPen(QPen(self._theme.colour("accent" if self.hasFocus() else "text_soft"), 2))
                painter.drawRect(place.adjusted(0, 0, -1, -1))

    def _shaded(self, cell: Cell) -> QColor | None:
        """Mix the colour of the model into that of the panel; None for what is no field of the map."""
        if cell.shade < 0:
            return None
        paper, ink = self._theme.colour("raised"), self._theme.colour(cell.behind)
        share = min(cell.shade, 1.0)
        mixed = [
            round(a + (b - a) * share)
            for a, b in zip(paper.getRgb()[:3], ink.getRgb()[:3], strict=True)  # type: ignore[index]  # a tuple of four
        ]
        return QColor(*mixed)
