"""The forest plot of a decision: one row a gate, its difference with the interval, the zero line and the margin.

Gates have different units, so each row has its own scale: worse lies left, better right, the margin always at the same
place. What the row is in figures stands beside it in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from hilgui.errors import BenchBroken
from hilgui.gui.theme import BODY_PT, GAP, GAP_L, SMALL_PT, Theme, sans
from hilgui.records import GateResult, GateVerdict

LOOKS = {
    GateVerdict.PASSED: ("good", "✓"),
    GateVerdict.HARM: ("missed", "✕"),
    GateVerdict.WORSE: ("phantom", "▼"),
    GateVerdict.UNPROVEN: ("warning", "?"),
    GateVerdict.MISSING: ("text_faint", "–"),
}
"""Colour and sign of a verdict; neither speaks alone, the word stands beside them."""

_ROW, _HEAD, _FOOT = 40, 24, 22
_NAME, _WORDS = 190, 250  # px of the columns beside the plot
_NAME_WIDE, _IS_WIDE = 280, 1000  # px of the names where the plot is so wide
_REACH = 3.0  # margins on each side that are shown
_SHARP = 2.0


class Forest(QWidget):
    """Painted as a whole; a row that is clicked, or chosen with Enter, asks for what is behind it."""

    asked = Signal(object)  # GateResult

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._gates: tuple[GateResult, ...] = ()
        self._spread: dict[str, tuple[float, ...]] = {}
        self._current = -1
        self.shows_drives = False
        self.setAccessibleName(self.tr("Forest plot of the gates"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(_NAME + _WORDS + 160)
        theme.changed.connect(self.update)

    def put(self, gates: Sequence[GateResult], spread: dict[str, tuple[float, ...]]) -> None:
        """Show other gates; `spread` are the differences of the drives by metric."""
        self._gates, self._spread, self._current = tuple(gates), spread, -1
        self.setFixedHeight(_HEAD + _FOOT + _ROW * max(len(gates), 1))
        self.setAccessibleDescription("; ".join(f"{one.id}: {said(one)}, {one.verdict.value}" for one in gates))
        self.update()

    def show_drives(self, is_shown: bool) -> None:
        """Show each drive as a dot, or hide them."""
        self.shows_drives = is_shown
        self.update()

    def save(self, path: Path) -> None:
        """Save as PNG or SVG, by the ending of the name; raises BenchBroken where it cannot be written."""
        is_saved = self._save_svg(path) if path.suffix.lower() == ".svg" else self._picture().save(str(path), "PNG")
        if not is_saved or not path.is_file():
            raise BenchBroken(f"{path} cannot be written; is the disk full or the folder read-only?", path=path)

    def sizeHint(self) -> QSize:
        """Ask for room for every row."""
        return QSize(760, _HEAD + _FOOT + _ROW * max(len(self._gates), 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw head, rows and the words beside them."""
        painter = QPainter(self)
        self._paint(painter)
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Ask for the row that was clicked."""
        row = int((event.position().y() - _HEAD) // _ROW)
        if event.button() == Qt.MouseButton.LeftButton and 0 <= row < len(self._gates):
            self._choose(row)
            self.asked.emit(self._gates[row])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from row to row; Enter asks."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event.key() in steps and self._gates:
            self._choose(min(max(self._current + steps[Qt.Key(event.key())], 0), len(self._gates) - 1))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and 0 <= self._current < len(self._gates):
            self.asked.emit(self._gates[self._current])
        else:
            super().keyPressEvent(event)

    def _choose(self, row: int) -> None:
        self._current = row
        self.update()

    def _paint(self, painter: QPainter) -> None:
        colour = self._theme.colour
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), colour("panel"))
        name = _NAME_WIDE if self.width() >= _IS_WIDE else _NAME
        plot = QRectF(name, _HEAD, self.width() - name - _WORDS, _ROW * len(self._gates))
        painter.setFont(sans(SMALL_PT))
        painter.setPen(colour("text_soft"))
        middle = plot.center().x()
        centre = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(GAP_L, 0, name, _HEAD), centre, self.tr("gate"))
        left = QRectF(plot.left(), 0, middle - plot.left() - GAP, _HEAD)
        painter.drawText(left, centre | Qt.AlignmentFlag.AlignRight, self.tr("← candidate worse"))
        painter.drawText(QRectF(middle + GAP, 0, plot.width() / 2, _HEAD), centre, self.tr("candidate better →"))
        painter.drawText(QRectF(plot.right() + GAP_L, 0, _WORDS, _HEAD), centre, self.tr("difference (interval)"))
        for row, gate in enumerate(self._gates):
            self._paint_row(painter, gate, QRectF(plot.left(), _HEAD + row * _ROW, plot.width(), _ROW), row)
        painter.setPen(QPen(colour("text_soft"), 1.5))
        painter.drawLine(QPointF(middle, plot.top()), QPointF(middle, plot.bottom()))
        painter.setPen(colour("text_faint"))
        painter.setFont(sans(SMALL_PT - 1))
        foot = QRectF(GAP, plot.bottom(), self.width() - 2 * GAP, _FOOT)  # wider than the plot: nothing is cut off
        words = self.tr("solid line: no difference · dashed: margin (worse than that is harm)")
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_row(self, painter: QPainter, gate: GateResult, room: QRectF, row: int) -> None:
        colour = self._theme.colour
        ink, sign = LOOKS[gate.verdict]
        if row == self._current:
            painter.fillRect(QRectF(0, room.top(), self.width(), _ROW), colour("selected"))
        painter.setPen(colour("line"))
        painter.drawLine(QPointF(GAP, room.top()), QPointF(self.width() - GAP, room.top()))
        lines = ((gate.id, BODY_PT, "text"), (gate.metric + " · " + self._role(gate), SMALL_PT - 1, "text_faint"))
        self._two_lines(painter, QRectF(GAP_L, room.top(), room.left() - GAP_L - GAP, _ROW), lines)
        word = f"{sign} {self._word(gate)}"
        lines = ((said(gate), SMALL_PT, "text"), (word, SMALL_PT, ink))
        self._two_lines(painter, QRectF(room.right() + GAP_L, room.top(), _WORDS - GAP_L, _ROW), lines)
        unit = scale(gate)
        if gate.difference is None or gate.low is None or gate.high is None or unit <= 0:
            return
        turn = 1 if gate.better == "higher" else -1

        def place(value: float) -> float:
            share = max(-_REACH, min(_REACH, turn * value / unit)) / _REACH
            return room.center().x() + share * (room.width() / 2 - GAP)

        at = room.center().y()
        if gate.margin:
            painter.setPen(QPen(colour("missed"), 1.2, Qt.PenStyle.DashLine))
            edge = place(-turn * gate.margin)
            painter.drawLine(QPointF(edge, room.top() + 4), QPointF(edge, room.bottom() - 4))
        if self.shows_drives:
            self._dots(painter, gate, place, at)
        ends = sorted((place(gate.low), place(gate.high)))
        painter.setPen(QPen(colour(ink), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        painter.drawLine(QPointF(ends[0], at), QPointF(ends[1], at))
        painter.setPen(QPen(colour(ink), 1.5))
        for end, value in zip(ends, sorted((turn * gate.low, turn * gate.high)), strict=True):
            if abs(value) > _REACH * unit:
                self._arrow(painter, end, at, 1 if value > 0 else -1)
            else:
                painter.drawLine(QPointF(end, at - 5), QPointF(end, at + 5))
        if abs(gate.difference) > _REACH * unit:  # off the scale: the arrow says so, a diamond would say "here"
            painter.setBrush(Qt.BrushStyle.NoBrush)
            return
        painter.setBrush(colour(ink))
        diamond = place(gate.difference)
        painter.drawPolygon(QPolygonF([QPointF(diamond + x, at + y) for x, y in ((-6, 0), (0, -6), (6, 0), (0, 6))]))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _dots(self, painter: QPainter, gate: GateResult, place: object, at: float) -> None:
        assert callable(place)
        painter.setPen(QPen(self._theme.colour("text_faint"), 1))
        for number, value in enumerate(self._spread.get(gate.metric, ())):
            painter.drawEllipse(QPointF(place(value), at + (-13, -10, 10, 13)[number % 4]), 2.5, 2.5)

    def _arrow(self, painter: QPainter, x: float, y: float, way: int) -> None:
        painter.setBrush(painter.pen().color())
        painter.drawPolygon(QPolygonF([QPointF(x + way * 6, y), QPointF(x, y - 5), QPointF(x, y + 5)]))

    def _two_lines(self, painter: QPainter, room: QRectF, lines: tuple[tuple[str, float, str], ...]) -> None:
        for number, (text, size, ink) in enumerate(lines):
            painter.setFont(sans(size))
            painter.setPen(self._theme.colour(ink))
            line = QRectF(room.left(), room.top() + 4 + number * (_ROW - 8) / 2, room.width(), (_ROW - 8) / 2)
            short = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(line.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, short)

    def _role(self, gate: GateResult) -> str:
        return self.tr("not worse") if gate.role == "non_inferiority" else self.tr("better")

    def _word(self, gate: GateResult) -> str:
        if gate.drives_needed and gate.verdict is GateVerdict.UNPROVEN:
            return self.tr("{0}; {1} drives needed").format(gate.verdict.value, f"{gate.drives_needed:,}")
        return gate.verdict.value

    def _picture(self) -> QPixmap:
        pixmap = QPixmap(self.size() * _SHARP)
        pixmap.setDevicePixelRatio(_SHARP)
        self.render(pixmap)
        return pixmap

    def _save_svg(self, path: Path) -> bool:
        generator = QSvgGenerator()
        generator.setFileName(str(path))
        generator.setSize(self.size())
        generator.setViewBox(QRect(0, 0, self.width(), self.height()))
        generator.setTitle(self.accessibleName())
        painter = QPainter()
        if not painter.begin(generator):
            return False
        self._paint(painter)
        return painter.end()


def scale(gate: GateResult) -> float:
    """Give the difference that stands for one margin on the axis; a gate without one is scaled by its interval."""
    if gate.margin:
        return gate.margin
    return max(abs(gate.low or 0.0), abs(gate.high or 0.0)) / 2


def said(gate: GateResult) -> str:
    """Say a difference with its interval."""
    if gate.difference is None or gate.low is None or gate.high is None:
        return "–"
    unit = f" {gate.unit}" if gate.unit else ""
    return f"{gate.difference:+.3g}{unit} ({gate.low:+.3g} … {gate.high:+.3g})".replace("-", "−")
