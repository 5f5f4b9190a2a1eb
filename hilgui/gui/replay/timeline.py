"""The whole drive at once: lanes of what went wrong, where the replay stands, and a click goes there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from hilgui.gui.label import as_tip
from hilgui.gui.replay.axis import GUTTER, MARGIN, Axis
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.lanes import FindingRows, Lane, lanes_of
from hilgui.gui.replay.timeline_picture import FOOT, LANE_GAP, RULER, Content, TimelinePicture, places_of, wanted_height
from hilgui.gui.replay.timeline_words import told
from hilgui.gui.theme import Theme

_SMALLEST_SPAN = 8.0  # rows
_CURSOR_HALF = 7  # px that its head reaches to either side, with its soft edge


class Timeline(QWidget):
    """Click or drag scrubs, the wheel zooms, Shift and drag marks a loop, Shift and wheel moves the range.

    The lanes are kept as one picture; moving the cursor does not draw them again.
    """

    sought = Signal(int)  # row
    loop_marked = Signal(int, int)  # rows
    finding_hit = Signal(object, int)  # Kind, row
    range_changed = Signal(float, float)  # rows

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._painted = TimelinePicture(theme)
        self._drive: Drive | None = None
        self._rows: FindingRows | None = None
        self._lanes: tuple[Lane, ...] = ()
        self._span = (0.0, 1.0)
        self._is_whole = True
        self._position = 0
        self._loop: tuple[int, int] | None = None
        self._bookmarks: tuple[int, ...] = ()
        self._picture: QPixmap | None = None
        self._hover: QPoint | None = None
        self._loop_start: int | None = None
        self._is_scrubbing = False
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(self.tr("Timeline"))
        self.setAccessibleDescription(
            self.tr("Misses, phantoms, findings, disagreement and latency over the whole drive; click to go there")
        )
        theme.changed.connect(self._redraw)

    # -- what it shows ------------------------------------------------------------------------------------------------

    def set_drive(self, drive: Drive | None) -> None:
        """Take another drive."""
        self._drive = drive
        self._position, self._loop, self._bookmarks = 0, None, ()
        self._is_whole = True
        self.grew()

    def grew(self) -> None:
        """Learn that the drive has more frames or other findings."""
        drive = self._drive
        self._rows = None if drive is None else FindingRows(drive)
        lanes = () if drive is None or self._rows is None else lanes_of(drive, self._rows.kinds)
        if lanes != self._lanes:
            self._lanes = lanes
            self.updateGeometry()
        if self._is_whole:
            self.show_all()
        self._redraw()

    def set_position(self, row: int) -> None:
        """Move the cursor; a zoomed range follows it."""
        before, self._position = self._position, row
        first, last = self._span
        if not self._is_whole and not self._is_scrubbing and not first <= row < last:
            start = row - (last - first) * 0.1 if row >= last else row - (last - first) * 0.9
            self._set_span(start, start + (last - first))
        for place in (before, row):  # only what the cursor leaves and covers
            self.update(round(self.x_of(place + 0.5)) - _CURSOR_HALF, 0, 2 * _CURSOR_HALF + 1, self.height())

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Mark the rows that repeat."""
        self._loop = loop
        self.update()

    def set_bookmarks(self, seqs: tuple[int, ...]) -> None:
        """Mark frame numbers."""
        self._bookmarks = seqs
        self.update()

    def show_all(self) -> None:
        """Show the whole drive."""
        self._is_whole = True
        self._set_span(0.0, float(max(self._extent, 1)))

    @property
    def span(self) -> tuple[float, float]:
        """Give the first row in sight and the end."""
        return self._span

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Give the lanes, from the top."""
        return self._lanes

    @property
    def tops(self) -> tuple[int, ...]:
        """Give where each lane begins, in px from the top."""
        return tuple(top for _, top, _ in self._places())

    @property
    def _extent(self) -> int:
        """Count the rows that there are or, while the run goes on, will be."""
        drive = self._drive
        if drive is None:
            return 0
        expected = drive.header.source.frames or 0
        return max(len(drive), expected) if drive.state == "running" else len(drive)

    def x_of(self, row: float) -> float:
        """Give where a row lies; its middle is at row + 0.5."""
        return self._axis.x_of(row)

    def row_at(self, x: float) -> int:
        """Give the row at a place, within the drive."""
        return min(max(self._axis.row_at(x), 0), max((len(self._drive) if self._drive else 0) - 1, 0))

    @property
    def _axis(self) -> Axis:
        return Axis(self._span, self.width())

    # -- Qt -----------------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Ask for the usual height of every lane."""
        return QSize(800, wanted_height(self._lanes))

    def minimumSizeHint(self) -> QSize:
        """Accept lanes that are a fifth lower."""
        return QSize(400, wanted_height(self._lanes, 0.8))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the lanes at the new size."""
        self._redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the kept picture of the lanes, then what moves."""
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != ratio:
            self._picture = self._painted.draw(self.size(), ratio, self._content)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        if self._drive is None or not len(self._drive):
            return
        self._paint_loop(painter)
        self._paint_bookmarks(painter)
        if self._hover is not None and self._hover.x() >= GUTTER and not self._is_scrubbing:
            painter.setPen(QPen(self._theme.colour("text_faint"), 1, Qt.PenStyle.DotLine))
            painter.drawLine(self._hover.x(), RULER, self._hover.x(), self.height() - FOOT)
        self._paint_cursor(painter)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go there; with Shift, begin to mark a loop."""
        if event.button() != Qt.MouseButton.LeftButton or self._drive is None or event.position().x() < GUTTER - 4:
            return
        row = self.row_at(event.position().x())
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._loop_start = row
            return
        self._is_scrubbing = True
        self.sought.emit(row)
        lane = self._lane_at(event.position().y())
        if lane is not None and lane.kind is not None:
            self.finding_hit.emit(lane.kind, row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub, widen the loop, or tell what is under the cursor."""
        place = event.position()
        self._hover = place.toPoint()
        row = self.row_at(place.x())
        if self._loop_start is not None:
            self.loop_marked.emit(self._loop_start, row)
        elif self._is_scrubbing:
            self.sought.emit(row)
        elif place.x() >= GUTTER:
            self._show_words(event.globalPosition().toPoint(), place)
        else:
            QToolTip.hideText()
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End scrubbing or marking."""
        self._is_scrubbing = False
        self._loop_start = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the whole drive again."""
        self.show_all()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the cursor; with Shift, or sideways, move the range."""
        steps = event.angleDelta()
        sideways = steps.x() or (steps.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self._move_span(-sideways / 120 * 0.15)
        else:
            self._zoom(steps.y() / 120, event.position().x())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with up and down, around the cursor."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._zoom(1.5 if event.key() == Qt.Key.Key_Up else -1.5, self.x_of(self._position + 0.5))
            return
        super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor any more."""
        self._hover = None
        self.update()

    # -- inside -------------------------------------------------------------------------------------------------------

    def _zoom(self, steps: float, x: float) -> None:
        first, last = self._span
        share = self._axis.share_at(x)
        at = first + share * (last - first)
        length = max((last - first) / 1.4**steps, min(_SMALLEST_SPAN, self._extent))
        if length >= self._extent:
            self.show_all()
            return
        self._is_whole = False
        self._set_span(at - share * length, at + (1 - share) * length)

    def _move_span(self, share: float) -> None:
        first, last = self._span
        step = share * (last - first)
        self._set_span(first + step, last + step)

    def _set_span(self, first: float, last: float) -> None:
        length = last - first
        first = min(max(first, 0.0), max(self._extent - length, 0.0))
        span = (first, first + length)
        if span != self._span:
            self._span = span
            self.range_changed.emit(*span)
            self._redraw()

    def _redraw(self) -> None:
        self._picture = None
        self.update()

    @property
    def _content(self) -> Content:
        return Content(self._drive, self._rows, self._lanes, self._span, 0 if self._is_whole else self._extent)

    def _places(self) -> list[tuple[Lane, int, int]]:
        return places_of(self._lanes, self.height())

    def _lane_at(self, y: float) -> Lane | None:
        return next((lane for lane, top, height in self._places() if top <= y < top + height + LANE_GAP), None)

    def _paint_loop(self, painter: QPainter) -> None:
        if self._loop is None:
            return
        left, right = self.x_of(self._loop[0]), self.x_of(self._loop[1] + 1)
        left, right = max(left, GUTTER), min(right, self.width() - MARGIN)
        if right <= left:
            return
        colour = QColor(self._theme.colour("accent"))
        painter.fillRect(QRectF(left, 1, right - left, 4), colour)
        colour.setAlpha(36)
        painter.fillRect(QRectF(left, RULER, right - left, self.height() - RULER - FOOT), colour)

    def _paint_bookmarks(self, painter: QPainter) -> None:
        assert self._drive is not None
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("accent"))
        for seq in self._bookmarks:
            x = self.x_of(self._drive.row_of(seq) + 0.5)
            if GUTTER <= x <= self.width() - MARGIN:
                painter.drawPolygon(
                    QPolygonF(
                        [QPointF(x - 4, 5), QPointF(x + 4, 5), QPointF(x + 4, 14), QPointF(x, 10), QPointF(x - 4, 14)]
                    )
                )

    def _paint_cursor(self, painter: QPainter) -> None:
        x = self.x_of(self._position + 0.5)
        if not GUTTER - 1 <= x <= self.width() - MARGIN + 1:
            return
        colour = self._theme.colour("text")
        painter.fillRect(QRectF(round(x) - 0.5, RULER - 6, 1.5, self.height() - RULER), colour)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        head = round(x) + 0.25
        painter.drawPolygon(
            QPolygonF([QPointF(head - 5, RULER - 10), QPointF(head + 5, RULER - 10), QPointF(head, RULER - 3)])
        )
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _show_words(self, where: QPoint, place: QPointF) -> None:
        drive = self._drive
        if drive is None or not len(drive):
            return
        lane = self._lane_at(place.y())
        last = max(self.row_at(place.x() + 1) - 1, self.row_at(place.x()))
        QToolTip.showText(where + QPoint(12, 14), as_tip(told(drive, self.row_at(place.x()), last, lane)), self)
