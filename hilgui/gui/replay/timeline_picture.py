"""The part of the timeline that stands still while the cursor moves: ruler, titles, lanes, overview."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QImage, QPainter, QPixmap

from hilgui.gui.replay.axis import GUTTER, Axis
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.lane_picture import LanePicture, Pixels
from hilgui.gui.replay.lanes import FindingRows, Lane
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import SMALL_PT, Theme, sans

RULER = 20  # px
FOOT = 7  # px, where in the drive a zoomed range lies
LANE_GAP = 2  # px


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What is drawn; `extent` counts the rows of the whole drive where only a part is in sight, else it is 0."""

    drive: Drive | None
    rows: FindingRows | None
    lanes: tuple[Lane, ...]
    span: tuple[float, float]
    extent: int


class TimelinePicture:
    """Draws into a pixmap; knows nothing about the widget."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._lanes = LanePicture(theme)
        self._font = QFont(sans(SMALL_PT))
        self._font.setPixelSize(11)

    def draw(self, size: QSize, ratio: float, content: Content) -> QPixmap:
        """Draw everything that does not move with the cursor."""
        picture = QPixmap(size * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(self._theme.colour("panel"))
        if content.drive is None or content.rows is None or not len(content.drive):
            return picture
        painter = QPainter(picture)
        painter.setFont(self._font)
        axis = Axis(content.span, size.width())
        self._draw_ruler(painter, content.drive, axis)
        for lane, top, height in places_of(content.lanes, size.height()):
            painter.fillRect(QRect(GUTTER, top, axis.width, height), self._theme.colour("field"))
            resolution = round(axis.width * ratio), round(height * ratio)
            pixels = self._lanes.draw(lane, content.drive, content.rows, content.span, *resolution)
            painter.drawImage(QPointF(GUTTER, top), _image(pixels, ratio))
            self._draw_title(painter, lane, top, height, content.rows)
        if content.extent:
            self._draw_overview(painter, axis, content.extent, size.height() - 5)
        painter.end()
        return picture

    def _draw_title(self, painter: QPainter, lane: Lane, top: int, height: int, rows: FindingRows) -> None:
        title = lane.title if lane.kind is None else f"{lane.title}  {rows.counts.get(lane.kind, 0)}"
        painter.setPen(self._theme.colour("text_soft"))
        area = QRect(16, top - 1, GUTTER - 24, height + 2)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, title)
        if lane.role is not None:
            painter.fillRect(QRect(8, top + 1, 3, height - 2), self._theme.colour(lane.role.value))

    def _draw_ruler(self, painter: QPainter, drive: Drive, axis: Axis) -> None:
        painter.setPen(self._theme.colour("text_faint"))
        metrics = QFontMetrics(self._font)
        for row, text in axis.ticks(drive, metrics.horizontalAdvance("00:00.000")):
            x = round(axis.x_of(row))
            painter.drawLine(x, RULER - 5, x, RULER - 1)
            width = metrics.horizontalAdvance(text)
            if x + width / 2 < axis.widget_width:
                painter.drawText(QPointF(max(x - width / 2, GUTTER), RULER - 8), text)
        tr = partial(QCoreApplication.translate, "Timeline")
        count = amount(len(drive), tr("1 frame"), tr("{0} frames"))
        painter.drawText(QRect(8, 0, GUTTER - 16, RULER), Qt.AlignmentFlag.AlignVCenter, count)

    def _draw_overview(self, painter: QPainter, axis: Axis, extent: int, top: int) -> None:
        painter.fillRect(QRectF(GUTTER, top, axis.width, 3), self._theme.colour("line"))
        first, last = axis.span
        left, width = axis.width * first / extent, max(axis.width * (last - first) / extent, 6)
        painter.fillRect(QRectF(GUTTER + left, top, width, 3), self._theme.colour("text_faint"))


def wanted_height(lanes: tuple[Lane, ...], share: float = 1.0) -> int:
    """Give the height of a timeline whose lanes get a share of what they ask for."""
    return RULER + FOOT + LANE_GAP + sum(int(lane.height * share) + LANE_GAP for lane in lanes)


def places_of(lanes: tuple[Lane, ...], height: int) -> list[tuple[Lane, int, int]]:
    """Give top and height of each lane; lanes share what height there is."""
    wanted = sum(lane.height for lane in lanes)
    room = height - RULER - FOOT - LANE_GAP * (len(lanes) + 1)
    factor = min(max(room / wanted, 0.7), 3.0) if wanted else 1.0
    places, top = [], RULER + LANE_GAP
    for lane in lanes:
        lane_height = max(round(lane.height * factor), 4)
        places.append((lane, top, lane_height))
        top += lane_height + LANE_GAP
    return places


def _image(pixels: Pixels, ratio: float) -> QImage:
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    return image.copy()  # the array goes away
