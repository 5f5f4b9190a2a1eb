"""The sign of a severity: three bars, readable without colour."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QPainter, QPixmap

from hilgui.gui.replay.ink import SEVERITY_COLOURS
from hilgui.gui.theme import Theme
from hilgui.records import Severity


class SeveritySigns(QObject):
    """Draws each sign once per theme."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._signs: dict[Severity, QPixmap] = {}
        theme.changed.connect(self._forget)

    def sign(self, severity: Severity) -> QPixmap:
        """Draw three bars, as many of them filled as the severity is high."""
        if severity not in self._signs:
            pixmap = QPixmap(32, 32)
            pixmap.setDevicePixelRatio(2.0)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            for bar in range(3):
                colour = self._theme.colour(SEVERITY_COLOURS[severity] if bar < severity else "line_strong")
                painter.fillRect(2 + bar * 5, 10 - bar * 4, 3, 4 + bar * 4, colour)
            painter.end()
            self._signs[severity] = pixmap
        return self._signs[severity]

    def _forget(self) -> None:
        self._signs.clear()
