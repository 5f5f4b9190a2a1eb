"""A small picture with words below it that can be pressed to see it large."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from hilgui.gui.label import as_tip
from hilgui.gui.theme import GAP_S, SMALL_PT, Theme, sans

_LINE = 15  # px of a line of words
_LINES = 2
_WIDE = 200


class StillTile(QWidget):
    """Fills its width with the picture, keeps its sides' ratio; Enter, Space or a click choose it."""

    chosen = Signal(object)  # what `show_still` was given

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image: QImage | None = None
        self._small = QImage()  # as large as it is painted
        self._words = ""
        self._name: object = None
        self._ratio = 9 / 16
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setMinimumWidth(60)
        theme.changed.connect(self.update)

    def show_still(self, image: QImage | None, words: str, name: object) -> None:
        """Show a picture; `name` comes back when it is chosen."""
        self._image, self._words, self._name = image, words, name
        self._small = QImage()
        if image is not None and image.width():
            self._ratio = image.height() / image.width()
        self.setAccessibleName(words)
        self.setToolTip(as_tip(words))
        self.updateGeometry()
        self.update()

    def heightForWidth(self, width: int) -> int:
        """Give the height of the picture and two lines."""
        return round(width * self._ratio) + GAP_S + _LINES * _LINE

    def hasHeightForWidth(self) -> bool:
        """Say that the height follows the width."""
        return True

    def sizeHint(self) -> QSize:
        """Propose a small picture."""
        return QSize(_WIDE, self.heightForWidth(_WIDE))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint picture and words."""
        painter = QPainter(self)
        place = QRect(0, 0, self.width(), round(self.width() * self._ratio))
        painter.fillRect(place, self._theme.colour("picture"))
        if self._image is not None:
            size = place.size() * self.devicePixelRatioF()
            if self._small.size() != size:
                mode = Qt.TransformationMode.SmoothTransformation
                self._small = self._image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
            painter.drawImage(place, self._small)
        if self.hasFocus():
            painter.setPen(self._theme.colour("accent"))
            painter.drawRect(place.adjusted(0, 0, -1, -1))
        painter.setPen(self._theme.colour("text_soft"))
        painter.setFont(sans(SMALL_PT))
        below = QRect(0, place.bottom() + GAP_S, self.width(), _LINES * _LINE)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignLeft) | int(Qt.TextFlag.TextWordWrap), self._words)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(self._name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose it."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self._name)
        else:
            super().keyPressEvent(event)
