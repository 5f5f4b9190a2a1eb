"""Labels drawn once and used again: a text on a plate is a small picture."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

from hilgui.gui.replay.ink import readable_on

_KEPT = 1500
_PAD = 3  # px beside the text


@dataclass(frozen=True, slots=True, eq=False)
class Plate:
    """A drawn label; `width` in logical pixels."""

    pixmap: QPixmap
    width: int


class LabelPlates:
    """Drawing a text takes 14 µs, drawing its picture 2: names and the hundred scores come again and again."""

    def __init__(self, font: QFont, colours: Mapping[int, QColor], ratio: float = 1.0) -> None:
        self._font = font
        self._metrics = QFontMetricsF(font)
        self._colours = colours
        self._ratio = ratio
        self._plates: OrderedDict[tuple[str, int], Plate] = OrderedDict()
        self.height = round(self._metrics.height()) + 1

    def plate(self, text: str, style: int) -> Plate:
        """Give a text on the colour of a style."""
        key = (text, style)
        plate = self._plates.get(key)
        if plate is None:
            plate = self._plates[key] = self._draw(text, self._colours[style])
            if len(self._plates) > _KEPT:
                self._plates.popitem(last=False)
        return plate

    def _draw(self, text: str, colour: QColor) -> Plate:
        width = round(self._metrics.horizontalAdvance(text)) + 2 * _PAD
        pixmap = QPixmap(round(width * self._ratio), round(self.height * self._ratio))
        pixmap.setDevicePixelRatio(self._ratio)
        pixmap.fill(colour)
        painter = QPainter(pixmap)
        painter.setFont(self._font)
        painter.setPen(readable_on(colour))
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing, True)
        painter.drawText(QPointF(_PAD, self._metrics.ascent() + 0.5), text)
        painter.end()
        return Plate(pixmap, width)
