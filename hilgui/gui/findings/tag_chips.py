"""Tags as small chips in a cell: those that fit, then how many more there are."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from hilgui.gui.theme import GAP_S, Theme

_PAD = 5  # px beside the word
_ROUND = 4.0


class TagChips(QStyledItemDelegate):
    """Paints the words of a cell, separated by commas, as chips."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Leave the text to `paint`."""
        super().initStyleOption(option, index)
        option.text = ""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the cell, then its chips."""
        super().paint(painter, option, index)
        words = [word for word in str(index.data() or "").split(", ") if word]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics, room = option.fontMetrics, option.rect.adjusted(2, 0, -2, 0)
        height = metrics.height() + 2
        x, top = float(room.left()), room.center().y() - height / 2 + 1
        for place, word in enumerate(words):
            rest = len(words) - place - 1
            more = metrics.horizontalAdvance(f"+{rest}") + GAP_S if rest else 0
            most = room.right() - x - more - 2 * _PAD
            if place and most < metrics.horizontalAdvance(word):
                painter.setPen(self._theme.colour("text_faint"))
                painter.drawText(QRectF(x, top, 40, height), Qt.AlignmentFlag.AlignVCenter, f"+{rest + 1}")
                break
            shown = metrics.elidedText(word, Qt.TextElideMode.ElideRight, int(most))
            chip = QRectF(x, top, metrics.horizontalAdvance(shown) + 2 * _PAD, height)
            painter.setPen(self._theme.colour("line"))
            painter.setBrush(self._theme.colour("raised"))
            painter.drawRoundedRect(chip, _ROUND, _ROUND)
            painter.setPen(self._theme.colour("text_soft"))
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, shown)
            x = chip.right() + GAP_S
        painter.restore()
