"""Stories as cards: what many findings come down to, with the worst pictures; opening one lists its findings."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from hilgui.gui.findings.thumbnails import SIZE, Thumbnails
from hilgui.gui.keys import ALONE, bind
from hilgui.gui.label import as_tip
from hilgui.gui.severity_signs import SeveritySigns
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import BODY_PT, GAP, SMALL_PT, Theme, sans
from hilgui.report.story_cards import StoryCard

Index = QModelIndex | QPersistentModelIndex

_PICTURES = 3  # on one card
_HEIGHT = SIZE[1] + 4 * GAP
_CARD = Qt.ItemDataRole.UserRole


class _Model(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.cards: list[StoryCard] = []

    def put(self, cards: list[StoryCard]) -> None:
        self.beginResetModel()
        self.cards = cards
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.cards)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        card = self.cards[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{card.severity.label}: {card.title}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip("\n".join(card.drives[:20]))
        return card if role == _CARD else None


class _Painter(QStyledItemDelegate):
    """Paints one card: pictures, the sentence, the counts."""

    def __init__(self, theme: Theme, thumbnails: Thumbnails, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._thumbnails = thumbnails
        self._signs = SeveritySigns(theme, self)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(300, _HEIGHT + GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        card: StoryCard = index.data(_CARD)
        place: QRect = option.rect.adjusted(GAP, GAP // 2, -GAP, -GAP // 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.setPen(self._theme.colour("accent" if is_chosen else "line"))
        painter.setBrush(self._theme.colour("selected" if is_chosen else "raised"))
        painter.drawRoundedRect(place, 6, 6)
        left = place.left() + GAP
        for folder, finding in card.worst[:_PICTURES]:
            icon = self._thumbnails.of(folder, finding)
            where = QRect(left, place.top() + GAP, *SIZE)
            if icon is None:
                painter.fillRect(where, self._theme.colour("picture"))
            else:
                painter.drawPixmap(where, icon.pixmap(QSize(*SIZE)))
            left += SIZE[0] + GAP // 2
        left = place.left() + GAP + _PICTURES * (SIZE[0] + GAP // 2) + GAP
        painter.drawPixmap(left, place.top() + GAP + 2, self._signs.sign(card.severity))
        room = QRect(left + 24, place.top() + GAP - 2, place.right() - left - 24 - GAP, _HEIGHT // 2)
        painter.setFont(sans(BODY_PT, QFont.Weight.DemiBold))
        painter.setPen(self._theme.colour("text"))
        title = card.title[:1].upper() + card.title[1:]
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap), title)
        painter.setFont(sans(SMALL_PT))
        painter.setPen(self._theme.colour("text_soft"))
        drives = ", ".join(card.drives[:4])
        sights = amount(card.sights, self.tr("1 sight"), self.tr("{0} sights"))
        words = f"{card.severity.label} · {sights} · {drives}"
        below = QRect(room.left(), place.bottom() - GAP - 16, room.width(), 18)
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), words)
        painter.restore()


class StoriesView(QListView):
    """Asks for a story that is clicked, or chosen with Enter."""

    opened = Signal(object)  # StoryCard

    def __init__(self, theme: Theme, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = _Model(self)
        self.setModel(self._model)
        self.setItemDelegate(_Painter(theme, thumbnails, self))
        self.setAccessibleName(self.tr("Stories"))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.clicked.connect(self._open)
        thumbnails.came.connect(self.viewport().update)
        theme.changed.connect(self.viewport().update)
        for keys in ("Return", "Enter"):
            bind(self, keys, self._open_current, ALONE)

    @property
    def cards(self) -> list[StoryCard]:
        """Give what is shown."""
        return self._model.cards

    def show_cards(self, cards: list[StoryCard]) -> None:
        """Show other stories, the worst first."""
        self._model.put(cards)
        if cards:
            self.setCurrentIndex(self._model.index(0))

    def _open_current(self) -> None:
        self._open(self.currentIndex())

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self._model.cards[index.row()])
