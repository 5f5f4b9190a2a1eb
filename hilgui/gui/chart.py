"""A plot of the evaluation pages: in the colours of the theme, saved as PNG or SVG, a click says where."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from numpy.typing import ArrayLike
from PySide6.QtCore import QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPixmap
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from hilgui.errors import BenchBroken
from hilgui.gui.theme import SMALL_PT, Theme, sans, set_up_plots

_ROOM = 0.04  # of the axis around what is drawn
_SHARP = 2.0  # pixels of a saved PNG for each on the screen
_LEAST = QSize(640, 400)  # of a saved plot


class Chart(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """Curves, bars with intervals, and one movable line; no zoom, for what is shown is a whole."""

    clicked = Signal(float, float)  # in the units of the axes
    moved = Signal(float)  # the line was moved there

    def __init__(self, theme: Theme, title: str, x: str, y: str, parent: QWidget | None = None) -> None:
        set_up_plots(theme.colours)
        super().__init__(parent)
        self._theme = theme
        self._title, self._labels = title, {"bottom": x, "left": y}
        self._drawn: list[tuple[pg.GraphicsObject, str, str]] = []  # item, colour, style
        self.setAccessibleName(title)
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumSize(180, 130)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        item.layout.setContentsMargins(6, 4, 12, 4)
        self._line = pg.InfiniteLine(0.5, angle=90, movable=True)
        self._line.sigPositionChanged.connect(lambda line: self.moved.emit(float(line.value())))
        self._line.hide()
        item.addItem(self._line, ignoreBounds=True)
        theme.changed.connect(self._restyle)
        self._restyle()

    def clear_curves(self) -> None:
        """Take everything away but the line."""
        for item, _, _ in self._drawn:
            self.removeItem(item)
        self._drawn.clear()

    def add_curve(self, x: ArrayLike, y: ArrayLike, colour: str, *, style: str = "solid") -> None:
        """Draw a curve in a colour of the theme; "dash" and "dot" tell curves of one colour apart, NaN breaks it."""
        curve = pg.PlotCurveItem(np.asarray(x, float), np.asarray(y, float), connect="finite", skipFiniteCheck=False)
        self._add(curve, colour, style)

    def add_points(self, x: ArrayLike, y: ArrayLike, colour: str, sizes: ArrayLike = 8.0) -> None:
        """Draw points."""
        size = np.broadcast_to(np.asarray(sizes, float), np.shape(x))
        self._add(pg.ScatterPlotItem(np.asarray(x, float), np.asarray(y, float), size=size), colour, "points")

    def add_bars(self, x: ArrayLike, heights: ArrayLike, colour: str, *, width: float) -> None:
        """Draw bars from 0."""
        item = pg.BarGraphItem(x=np.asarray(x, float), height=np.asarray(heights, float), width=width)
        self._add(item, colour, "bars")

    def add_interval(self, low: float, value: float, high: float, at: float, colour: str) -> None:
        """Draw a value with its interval, lying at a height: one row of a forest."""
        self.add_curve([low, high], [at, at], colour, style="thick")
        self.add_points([value], [at], colour, 9.0)

    def show_title(self, title: str) -> None:
        """Say what is drawn now."""
        self._title = title
        self.setAccessibleName(title)
        self._restyle()

    def show_ticks(self, names: Sequence[str], axis: str = "bottom") -> None:
        """Name whole places of an axis."""
        self.getPlotItem().getAxis(axis).setTicks([list(enumerate(names))])

    def show_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Show a part of the plane, with a little room around it."""
        for low, high, show in ((*x, self.setXRange), (*y, self.setYRange)):
            room = (high - low) * _ROOM or 1.0
            show(low - room, high + room, padding=0)

    def show_line(self, x: float | None) -> None:
        """Put the line somewhere, or away."""
        self._line.setVisible(x is not None)
        if x is not None:
            self._line.blockSignals(True)
            self._line.setValue(x)
            self._line.blockSignals(False)

    def save(self, path: Path) -> None:
        """Save as PNG or SVG, by the ending of the name; raises BenchBroken where it cannot be written."""
        before = self.size()
        self.resize(before.expandedTo(_LEAST))
        try:
            is_saved = self._save_svg(path) if path.suffix.lower() == ".svg" else self._sharp().save(str(path), "PNG")
        finally:
            self.resize(before)
        if not is_saved or not path.is_file():
            raise BenchBroken(f"{path} cannot be written; is the disk full or the folder read-only?", path=path)

    def sizeHint(self) -> QSize:
        """Ask for a wide plot."""
        return QSize(360, 240)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Say where somebody clicked."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton:
            where = self.getPlotItem().getViewBox().mapSceneToView(QPointF(event.position()))
            self.clicked.emit(float(where.x()), float(where.y()))

    def _sharp(self) -> QPixmap:
        pixmap = QPixmap(self.size() * _SHARP)
        pixmap.setDevicePixelRatio(_SHARP)
        QWidget.render(self, pixmap)
        return pixmap

    def _save_svg(self, path: Path) -> bool:
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(self.size())
        generator.setViewBox(QRect(0, 0, self.width(), self.height()))
        generator.setTitle(self._title)
        painter = QPainter()
        if not painter.begin(generator):
            return False
        self.render(painter)
        return painter.end()

    def _add(self, item: pg.GraphicsObject, colour: str, style: str) -> None:
        self._drawn.append((item, colour, style))
        self._paint(item, colour, style)
        self.addItem(item)

    def _paint(self, item: pg.GraphicsObject, colour: str, style: str) -> None:
        wanted = self._theme.colour(colour)
        if style in ("bars", "points"):
            item.setOpts(brush=wanted, pen=pg.mkPen(wanted)) if style == "bars" else item.setBrush(wanted)
            if style == "points":
                item.setPen(pg.mkPen(wanted))
            return
        lines = {"dash": Qt.PenStyle.DashLine, "dot": Qt.PenStyle.DotLine}
        pen = pg.mkPen(wanted, width=3 if style == "thick" else 1.5, style=lines.get(style, Qt.PenStyle.SolidLine))
        item.setPen(pen)

    def _restyle(self) -> None:
        self.setBackground(self._theme.colour("panel"))
        soft, faint = self._theme.colours.text_soft, self._theme.colours.text_faint
        item = self.getPlotItem()
        item.setTitle(html.escape(self._title), color=soft, size=f"{SMALL_PT:g}pt")
        for name, words in self._labels.items():
            axis = item.getAxis(name)
            axis.setPen(self._theme.colour("line_strong"))
            axis.setTextPen(self._theme.colour("text_soft"))
            axis.setStyle(tickFont=sans(SMALL_PT - 1))
            axis.setLabel(words or None, color=faint, **{"font-size": f"{SMALL_PT - 1:g}pt"})
        item.showGrid(x=True, y=True, alpha=0.12)
        self._line.setPen(pg.mkPen(self._theme.colour("text"), width=1))
        self._line.setHoverPen(pg.mkPen(self._theme.colour("accent"), width=3))
        for drawn in self._drawn:
            self._paint(*drawn)
