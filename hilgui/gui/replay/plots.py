"""Latency and scores over the drive, on the same axis as the timeline."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from hilgui.gui.label import as_tip
from hilgui.gui.replay.axis import GUTTER, MARGIN, Axis
from hilgui.gui.replay.drive import Drive, RoleSeries
from hilgui.gui.replay.series import Series, column_edges
from hilgui.gui.theme import SMALL_PT, Theme, sans, set_up_plots
from hilgui.records import Role

_HEIGHT, _LEAST_HEIGHT = 68, 40
_NUMBER = 8  # px, half the height of a number at the axis and a little air
_BORDER = 4  # px above and below the curve together
_AXIS = 40  # px for the numbers at the axis; the rest of the gutter holds the choice


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that is plotted: per model, or of the frame alone."""

    title: str
    unit: str = ""
    per_model: Callable[[RoleSeries], Series] | None = None
    of_frame: Callable[[Drive], Series] | None = None

    def series(self, drive: Drive) -> list[tuple[str, Series]]:
        """Give the curves with the names of their colours."""
        if self.of_frame is not None:
            return [("text_soft", self.of_frame(drive))]
        assert self.per_model is not None
        return [(role.value, self.per_model(drive.roles[role])) for role in Role if role in drive.roles]


LATENCIES = (
    Quantity("latency", "ms", per_model=lambda series: series.latency_ms),
    Quantity("preprocess", "ms", per_model=lambda series: series.preprocess_ms),
    Quantity("run", "ms", per_model=lambda series: series.run_ms),
    Quantity("postprocess", "ms", per_model=lambda series: series.postprocess_ms),
)
SCORES = (
    Quantity("mean score", per_model=lambda series: series.score),
    Quantity("detections", per_model=lambda series: series.detections),
    Quantity("missed", per_model=lambda series: series.missed),
    Quantity("phantoms", per_model=lambda series: series.phantoms),
    Quantity("disagreement", of_frame=lambda drive: drive.disagreement),
    Quantity("brightness", of_frame=lambda drive: drive.brightness),
)

SIGNALS = (Quantity("signal", of_frame=lambda drive: Series()),)  # until a drive brings some


class DrivePlot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """One quantity over the rows in sight, reduced to minimum and maximum per pixel column; a click goes there."""

    sought = Signal(int)  # row

    def __init__(self, theme: Theme, quantities: tuple[Quantity, ...], parent: QWidget | None = None) -> None:
        set_up_plots(theme.colours)
        super().__init__(parent)
        self._theme = theme
        self._drive: Drive | None = None
        self._span = (0.0, 1.0)
        self._curves: list[pg.PlotCurveItem] = []
        self._scale: tuple[float, float, list[tuple[float, str]]] | None = None  # bottom, top, words at the axis
        self._quantities = quantities
        self._choice = QComboBox(self)
        self._cursor = pg.InfiniteLine(0.5, angle=90)
        self._build()
        theme.changed.connect(self._restyle)

    @property
    def quantity(self) -> Quantity:
        """Give what is plotted."""
        return self._quantities[self._choice.currentIndex()]

    @property
    def curves(self) -> list[pg.PlotCurveItem]:
        """Give the curves."""
        return self._curves

    def set_drive(self, drive: Drive | None) -> None:
        """Take another drive."""
        self._drive = drive
        self.renew()

    def set_quantities(self, quantities: tuple[Quantity, ...]) -> None:
        """Offer something else to plot."""
        self._quantities = quantities
        self._choice.blockSignals(True)
        self._choice.clear()
        self._choice.addItems([quantity.title for quantity in quantities])
        self._choice.view().setMinimumWidth(self._choice.view().sizeHintForColumn(0) + _AXIS)  # whole names in the list
        self._choice.blockSignals(False)
        self._name(self._choice.currentText())

    def set_span(self, first: float, last: float) -> None:
        """Show these rows."""
        self._span = (first, last)
        self.renew()

    def set_position(self, row: int) -> None:
        """Move the cursor."""
        self._cursor.setValue(row + 0.5)

    def renew(self) -> None:
        """Draw the rows in sight again."""
        drive = self._drive
        series = [] if drive is None or not len(drive) or self.isHidden() else self.quantity.series(drive)
        while len(self._curves) > len(series):
            self.removeItem(self._curves.pop())
        while len(self._curves) < len(series):
            curve = pg.PlotCurveItem(connect="finite", skipFiniteCheck=False)
            self.addItem(curve)
            self._curves.append(curve)
        width = Axis(self._span, self.width()).width
        tops, lows = [], []
        for curve, (colour, values) in zip(self._curves, series, strict=True):
            x, y = outline(values, self._span, width)
            curve.setPen(pg.mkPen(self._theme.colour(colour), width=1))
            curve.setData(x, y)
            tops.append(float(np.fmax.reduce(y, initial=0.0)))
            lows.append(float(np.fmin.reduce(y, initial=0.0)))
        self.setXRange(*self._span, padding=0)
        low = -_round_up(-min(lows)) if lows and min(lows) < 0 else 0.0  # a steering angle goes both ways
        top = _round_up(max(tops)) if tops and max(tops) > 0 else 0.0 if low else 1.0
        room = (top - low) * _NUMBER / max(self.height() - _BORDER - 2 * _NUMBER, 1)  # for both numbers at the axis
        words = [(low, f"{low:g} {self.quantity.unit}".rstrip()), (top, f"{top:g}")]
        if (
            scale := (low - room, top + room, words)
        ) != self._scale:  # panning rarely changes it; laying it out is slow
            self._scale = scale
            self.setYRange(low - room, top + room, padding=0)
            self.getPlotItem().getAxis("left").setTicks([words])

    def sizeHint(self) -> QSize:
        """Ask for a low plot."""
        return QSize(600, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Accept a very low one."""
        return QSize(300, _LEAST_HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Reduce to the new number of pixel columns."""
        super().resizeEvent(event)
        if hasattr(self, "_choice"):  # pyqtgraph resizes itself while it is made
            self.renew()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there; the other buttons are pyqtgraph's (the right one has the export)."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._seek(event)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)
        else:
            super().mouseMoveEvent(event)

    def _seek(self, event: QMouseEvent) -> None:
        drive = self._drive
        if drive is None or not len(drive):
            return
        row = Axis(self._span, self.width()).row_at(event.position().x())
        self.sought.emit(min(max(row, 0), len(drive) - 1))

    def _build(self) -> None:
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setFrameShape(self.Shape.NoFrame)
        item = self.getPlotItem()
        item.layout.setContentsMargins(GUTTER - _AXIS, 2, MARGIN, 2)
        item.hideAxis("bottom")
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        axis = item.getAxis("left")
        axis.setWidth(_AXIS)
        axis.setStyle(tickFont=sans(SMALL_PT - 1), tickLength=-4, maxTickLevel=0)
        item.getViewBox().setDefaultPadding(0)
        item.addItem(self._cursor, ignoreBounds=True)
        self._choice.setFont(sans(SMALL_PT - 0.5))
        self._choice.addItems([quantity.title for quantity in self._quantities])
        self._choice.setAccessibleName(self.tr("What is plotted"))
        self._choice.setGeometry(6, 6, GUTTER - _AXIS - 8, 26)
        self._choice.view().setTextElideMode(Qt.TextElideMode.ElideNone)
        self._choice.currentIndexChanged.connect(self.renew)
        self._choice.currentTextChanged.connect(self._name)
        self._name(self._choice.currentText())
        self._restyle()

    def _name(self, title: str) -> None:
        self.setAccessibleName(self.tr("Plot of {0}").format(title))
        self._choice.setToolTip(as_tip(title))  # a long name is cut in the gutter

    def _restyle(self) -> None:
        self.setBackground(self._theme.colour("panel"))
        axis = self.getPlotItem().getAxis("left")
        axis.setPen(self._theme.colour("line_strong"))
        axis.setTextPen(self._theme.colour("text_soft"))
        self._cursor.setPen(pg.mkPen(self._theme.colour("text"), width=1))
        self.renew()


class Plots(QWidget):
    """Plots one above the other, with the cursor of the picture; a third one where a bus log tells of the vehicle."""

    sought = Signal(int)  # row

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bus = DrivePlot(theme, SIGNALS, self)
        self._bus.hide()
        self.plots = (DrivePlot(theme, LATENCIES, self), DrivePlot(theme, SCORES, self), self._bus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        for plot in self.plots:
            layout.addWidget(plot)
            plot.sought.connect(self.sought)

    def set_drive(self, drive: Drive | None) -> None:
        """Take another drive."""
        told = () if drive is None else _of_bus(drive)
        self._bus.setVisible(bool(told))
        self._bus.set_quantities(told or SIGNALS)
        for plot in self.plots:
            plot.set_drive(drive)

    def set_span(self, first: float, last: float) -> None:
        """Show these rows."""
        for plot in self.plots:
            plot.set_span(first, last)

    def set_position(self, row: int) -> None:
        """Move the cursor."""
        for plot in self.plots:
            plot.set_position(row)

    def renew(self) -> None:
        """Draw again what is in sight."""
        for plot in self.plots:
            plot.renew()


def _signal(name: str, drive: Drive) -> Series:
    return drive.signals[name]


def _of_bus(drive: Drive) -> tuple[Quantity, ...]:
    """Make quantities of the signals of the bus, with the names that they have in the DBC."""
    short = [name.rpartition(".")[2] for name in drive.signals]
    titles = [one if short.count(one) == 1 else name for one, name in zip(short, drive.signals, strict=True)]
    return tuple(
        Quantity(title, drive.unit_of(name), of_frame=partial(_signal, name))
        for title, name in zip(titles, drive.signals, strict=True)
    )


def _round_up(top: float) -> float:
    """Give the next number that reads well at an axis: 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten."""
    power: float = 10.0 ** math.floor(math.log10(top))
    return next((step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8) if step * power >= top), 10 * power)


def outline(series: Series, span: tuple[float, float], width: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Reduce a series to a line of at most two points a pixel column; one point a row where rows are wide."""
    first, last = span
    if last - first <= width:
        begin, end = max(int(first) - 1, 0), min(int(last) + 2, len(series))
        return np.arange(begin, end, dtype=np.float64) + 0.5, series.values[begin:end]
    edges = column_edges(first, last, width, len(series))
    columns = series.columns(edges)
    y = np.empty(2 * len(columns.low), np.float32)
    y[0::2], y[1::2] = columns.low, columns.high
    middles = np.repeat(np.arange(len(columns.low), dtype=np.float64), 2) + 0.5
    x: NDArray[np.float64] = first + middles * ((last - first) / width)
    return x, y
