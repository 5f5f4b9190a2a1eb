"""A minute of one channel, as small as a word."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from hilgui.gui.theme import Theme

SPAN_S = 60.0


class Sparkline(QWidget):
    """Draws the newest values against time; a gap stays a gap."""

    def __init__(self, theme: Theme, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._points: Sequence[tuple[float, float]] = ()
        self._now_s = 0.0
        self.setAccessibleName(self.tr("The last minute of {0}").format(name))
        theme.changed.connect(self.update)

    def show_points(self, points: Sequence[tuple[float, float]], now_s: float) -> None:
        """Take (seconds, value), both on one clock, the newest last."""
        self._points, self._now_s = points, now_s
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for a strip."""
        return QSize(110, 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw one line; a constant lies in the middle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        finite = [(at, value) for at, value in self._points if math.isfinite(value)]
        if finite:
            low, high = min(value for _, value in finite), max(value for _, value in finite)
            span = high - low
            room = self.height() - 6
            line = QPolygonF()
            for at, value in finite:
                x = self.width() * (1 - (self._now_s - at) / SPAN_S)
                y = self.height() - 3 - (room * (value - low) / span if span else room / 2)
                line.append(QPointF(x, y))
            painter.setPen(QPen(self._theme.colour("baseline"), 1.4))
            painter.drawPolyline(line)
        painter.end()
