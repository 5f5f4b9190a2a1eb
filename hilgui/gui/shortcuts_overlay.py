"""The overlay of `?`: every key, grouped by where it works."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, GAP_L, GAP_S, mark

Keys = list[tuple[str, str]]

_DIM = QColor(0, 0, 0, 150)
_MARGIN = 32
_LEAST_WIDTH = 860
_HEAD_ROWS = 2  # a heading and the gap before it, in rows
_ROWS_OF_TWO = 36


class ShortcutsOverlay(QWidget):
    """Covers the window until Esc, `?` or a click; `groups` are (title, keys with their meaning)."""

    def __init__(self, groups: list[tuple[str, Keys]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Keyboard shortcuts"))
        self._before = parent.window().focusWidget()
        card = QFrame(self)
        mark(card, surface="panel")
        title = Label(self.tr("Keyboard shortcuts"), card)
        mark(title, tone="heading")
        inside = QWidget(card)
        columns = QHBoxLayout(inside)
        columns.setContentsMargins(0, 0, GAP, 0)
        columns.setSpacing(GAP_L + GAP)
        for side in _columns(groups):
            column = QVBoxLayout()
            column.setSpacing(GAP_L)
            for name, keys in side:
                column.addLayout(self._group(name, keys, inside))
            column.addStretch(1)
            columns.addLayout(column, 1)
        scroll = QScrollArea(card)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP)
        layout.addWidget(title)
        layout.addWidget(scroll, 1)
        self._card, self._inside, self._head = card, inside, title
        self.setGeometry(parent.rect())
        self.show()
        self.raise_()
        self.setFocus()

    def event(self, event: QEvent) -> bool:
        """Keep every key for this overlay: no shortcut of the window works behind it."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the card in the middle, as large as its text needs and the window allows."""
        wanted = self._inside.sizeHint()
        frame = QSize(4 * GAP_L, 3 * GAP_L + GAP + self._head.sizeHint().height())
        wanted = (wanted + frame).expandedTo(QSize(_LEAST_WIDTH, 0))
        size = wanted.boundedTo(self.size() - QSize(2 * _MARGIN, 2 * _MARGIN))
        box = QRect(QPoint(0, 0), size)
        box.moveCenter(self.rect().center())
        self._card.setGeometry(box)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dim the window behind."""
        QPainter(self).fillRect(event.rect(), _DIM)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Esc and `?`; other keys do nothing while this is open."""
        if event.key() in {Qt.Key.Key_Escape, Qt.Key.Key_Question, Qt.Key.Key_Return}:
            self.dismiss()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close on a click beside the card."""
        self.dismiss()

    def dismiss(self) -> None:
        """Go away and give the focus back."""
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()
        self.deleteLater()

    def _group(self, name: str, keys: Keys, parent: QWidget) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GAP_L)
        grid.setVerticalSpacing(GAP_S)
        head = Label(name, parent)
        mark(head, tone="section")
        grid.addWidget(head, 0, 0, 1, 2)
        for row, (combination, meaning) in enumerate(keys, start=1):
            key = Label(combination, parent)
            mark(key, tone="key")
            words = Label(meaning, parent)
            words.setWordWrap(True)
            grid.addWidget(key, row, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            grid.addWidget(words, row, 1)
        grid.setColumnMinimumWidth(0, 110)
        grid.setColumnStretch(1, 1)
        return grid


def _columns(groups: list[tuple[str, Keys]]) -> list[list[tuple[str, Keys]]]:
    """Share the groups between columns of about the same height; a long group goes on in the next column."""
    rows = sum(len(keys) + _HEAD_ROWS for _, keys in groups)
    count = 2 if rows < _ROWS_OF_TWO else 3
    room = -(-rows // count) + 1
    columns: list[list[tuple[str, Keys]]] = [[]]
    left = room
    for name, keys in groups:
        while keys:
            if left <= _HEAD_ROWS + 1 and len(columns) < count:
                columns.append([])
                left = room
            taken = keys if len(columns) == count else keys[: max(left - _HEAD_ROWS, 1)]
            columns[-1].append((name, taken))
            left -= len(taken) + _HEAD_ROWS
            keys = keys[len(taken) :]
    return columns
