"""Small pictures of how each layer is drawn, for the buttons that switch it: the legend is where the choice is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

_SIZE = 16
_RATIO = 2


def box_icon(colour: QColor, plate: QColor, *, width: float = 1.5, dashes: tuple[float, ...] = ()) -> QIcon:
    """Draw a box in a layer's colour and line on a plate; crossed and pale when the layer is off."""
    icon = QIcon()
    icon.addPixmap(_box(colour, plate, width, dashes, is_on=True), QIcon.Mode.Normal, QIcon.State.On)
    icon.addPixmap(_box(colour, plate, width, dashes, is_on=False), QIcon.Mode.Normal, QIcon.State.Off)
    return icon


def _box(colour: QColor, plate: QColor, width: float, dashes: tuple[float, ...], *, is_on: bool) -> QPixmap:
    pixmap = QPixmap(_SIZE * _RATIO, _SIZE * _RATIO)
    pixmap.setDevicePixelRatio(_RATIO)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(plate)
    painter.drawRoundedRect(QRectF(0, 0, _SIZE, _SIZE), 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setOpacity(1.0 if is_on else 0.35)
    pen = QPen(colour, width)
    if dashes:
        pen.setDashPattern(list(dashes))
    painter.setPen(pen)
    painter.drawRect(QRectF(3, 3, _SIZE - 6, _SIZE - 6))
    painter.end()
    return pixmap
