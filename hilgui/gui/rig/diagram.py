"""The arming states drawn: the current one lit, the moves that are allowed now with their names."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from hilgui.gui.rig.moves import MOVES, PLACES, Move, moves_from
from hilgui.gui.theme import SMALL_PT, Theme, sans
from hilgui.rigs.arming import State

TONES = {State.ARMED: "warning", State.HOLD: "warning", State.STOPPING: "missed", State.LATCHED: "missed"}
_SAFE_TONE = {State.SAFE: "good"}
_BOX = (84.0, 28.0)
_MARGIN = 10.0
_TOP = 24.0  # px above the first row, for words
_APART = 5.0  # px between an arrow and the one back
_HEAD = 6.0


class StateDiagram(QWidget):
    """Seven boxes and their arrows; nothing here can be clicked."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._state: State | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.show_state(None)

    def show_state(self, state: State | None) -> None:
        """Light another state."""
        self._state = state
        moves = ", ".join(f"{move.words} → {move.end.name}" for move in self.allowed)
        now = self.tr("none") if state is None else state.name
        self.setAccessibleName(self.tr("Arming state: {0}; allowed: {1}").format(now, moves or self.tr("nothing")))
        self.setToolTip(moves)
        self.update()

    @property
    def allowed(self) -> tuple[Move, ...]:
        """Give the moves that are lit."""
        return () if self._state is None else moves_from(self._state)

    def sizeHint(self) -> QSize:
        """Ask for two rows."""
        return QSize(400, 186)

    def minimumSizeHint(self) -> QSize:
        """Four boxes side by side."""
        return QSize(372, 186)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw faint arrows first, lit ones over them, then the boxes, then the words."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(sans(SMALL_PT - 1))
        lit = self.allowed
        for move in MOVES:
            if move not in lit:
                self._draw_arrow(painter, move, QPen(self._theme.colour("line"), 1.2))
        for move in lit:
            pen = QPen(self._theme.colour("accent"), 1.8)
            if move.by_itself:
                pen.setStyle(Qt.PenStyle.DashLine)
            self._draw_arrow(painter, move, pen)
        for state in PLACES:
            self._draw_box(painter, state)
        self._draw_words(painter, lit)
        painter.end()

    def _centre(self, state: State) -> QPointF:
        column, row = PLACES[state]
        step = (self.width() - 2 * _MARGIN - _BOX[0]) / 3
        rows = (_TOP + _BOX[1] / 2, self.height() - 54.0)
        return QPointF(_MARGIN + _BOX[0] / 2 + column * step, rows[row])

    def _box(self, state: State) -> QRectF:
        centre = self._centre(state)
        return QRectF(centre.x() - _BOX[0] / 2, centre.y() - _BOX[1] / 2, *_BOX)

    def _draw_arrow(self, painter: QPainter, move: Move, pen: QPen) -> None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if (move.start, move.end) == (State.HOLD, State.STOPPING):
            self._draw_arc(painter, move, pen)
            return
        start, end = self._ends(move)
        painter.drawLine(start, end)
        _draw_head(painter, start, end, pen.color())

    def _draw_arc(self, painter: QPainter, move: Move, pen: QPen) -> None:
        """Pass beneath the box between."""
        start, end = self._centre(move.start), self._centre(move.end)
        low = QPointF(0, _BOX[1] / 2)
        path = QPainterPath(start + low)
        dip = QPointF(0, 26)
        path.cubicTo(start + low + dip, end + low + dip, end + low)
        painter.drawPath(path)
        _draw_head(painter, end + low + dip / 2 + QPointF(4, 0), end + low, pen.color())

    def _ends(self, move: Move) -> tuple[QPointF, QPointF]:
        """Give the visible ends of an arrow, beside the one that goes back."""
        start, end = self._centre(move.start), self._centre(move.end)
        along = end - start
        length = math.hypot(along.x(), along.y())
        aside = QPointF(-along.y(), along.x()) * (_APART / length)
        return _leave(self._box(move.start), start + aside, end + aside), _leave(
            self._box(move.end), end + aside, start + aside
        )

    def _draw_box(self, painter: QPainter, state: State) -> None:
        colours = self._theme.colour
        is_now = state is self._state
        tone = TONES.get(state) or _SAFE_TONE.get(state, "accent")
        fill = colours(tone) if is_now else colours("raised")
        painter.setBrush(fill)
        painter.setPen(QPen(fill if is_now else colours("line_strong"), 1))
        painter.drawRoundedRect(self._box(state), 5, 5)
        font = sans(SMALL_PT)
        font.setBold(is_now)
        painter.setFont(font)
        painter.setPen(_on(fill) if is_now else colours("text_soft"))
        painter.drawText(self._box(state), Qt.AlignmentFlag.AlignCenter, state.name)

    def _draw_words(self, painter: QPainter, moves: tuple[Move, ...]) -> None:
        painter.setFont(sans(SMALL_PT - 1))
        for move in moves:
            start, end = self._ends(move)
            is_slanted = PLACES[move.start][0] != PLACES[move.end][0]
            middle = start + (end - start) * (0.68 if is_slanted else 0.4)
            if PLACES[move.start][1] == PLACES[move.end][1]:  # between two boxes is no room
                way = -1 if end.x() > start.x() else 1
                middle = QPointF(middle.x(), self._centre(move.start).y() + way * (_BOX[1] / 2 + 9))
            if (move.start, move.end) == (State.HOLD, State.STOPPING):
                middle = (self._centre(move.start) + self._centre(move.end)) / 2 + QPointF(0, 40)
            room = painter.fontMetrics().size(0, move.words)
            box = QRectF(0, 0, room.width() + 6, room.height())
            box.moveCenter(middle)
            box.moveLeft(min(max(box.left(), 0.0), self.width() - box.width()))
            painter.fillRect(box, self._theme.colour("panel"))
            painter.setPen(self._theme.colour("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, move.words)


def _on(fill: QColor) -> QColor:
    return QColor("#15171a") if fill.lightnessF() > 0.5 else QColor("#ffffff")


def _leave(box: QRectF, inside: QPointF, outside: QPointF) -> QPointF:
    """Give where the line from `inside` leaves the box."""
    along = outside - inside
    shares = [1.0]
    if along.x():
        edge = box.right() if along.x() > 0 else box.left()
        shares.append((edge - inside.x()) / along.x())
    if along.y():
        edge = box.bottom() if along.y() > 0 else box.top()
        shares.append((edge - inside.y()) / along.y())
    return inside + along * min(share for share in shares if share >= 0)


def _draw_head(painter: QPainter, start: QPointF, end: QPointF, colour: QColor) -> None:
    angle = math.atan2(end.y() - start.y(), end.x() - start.x())
    path = QPainterPath(end)
    for side in (angle + math.pi - 0.45, angle + math.pi + 0.45):
        path.lineTo(end + QPointF(math.cos(side), math.sin(side)) * _HEAD)
    path.closeSubpath()
    painter.save()
    painter.setBrush(colour)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPath(path)
    painter.restore()
