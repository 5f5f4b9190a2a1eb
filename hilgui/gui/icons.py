"""Stroke icons from `assets/icons`, tinted with the colours of the theme."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from hilgui.gui.colours import Colours
from hilgui.resources import shipped

_SIZES = (16, 20, 24, 32, 48, 64)


@cache
def tinted(name: str, colours: Colours) -> QIcon:
    """Give the icon `assets/icons/<name>.svg`: soft at rest, strong when on or hovered, faint when disabled.

    Raises FileNotFoundError for a name that is not shipped.
    """
    drawing = shipped(f"assets/icons/{name}.svg").read_text(encoding="utf-8")
    icon = QIcon()
    for mode, state, colour in (
        (QIcon.Mode.Normal, QIcon.State.Off, colours.text_soft),
        (QIcon.Mode.Normal, QIcon.State.On, colours.text),
        (QIcon.Mode.Active, QIcon.State.Off, colours.text),
        (QIcon.Mode.Active, QIcon.State.On, colours.text),
        (QIcon.Mode.Selected, QIcon.State.Off, colours.text),
        (QIcon.Mode.Disabled, QIcon.State.Off, colours.line_strong),
        (QIcon.Mode.Disabled, QIcon.State.On, colours.line_strong),
    ):
        for size in _SIZES:
            icon.addPixmap(_paint(drawing, colour, size), mode, state)
    return icon


@cache
def picture(name: str, colour: str, size: int) -> QPixmap:
    """Give one icon in one colour as a pixmap of `size` device pixels."""
    return _paint(shipped(f"assets/icons/{name}.svg").read_text(encoding="utf-8"), colour, size)


def application_icon() -> QIcon:
    """Give the icon of the window and the task bar; it keeps its own colours."""
    drawing = shipped("assets/icons/hilgui.svg").read_text(encoding="utf-8")
    icon = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(_paint(drawing, "", size))
    return icon


def _paint(drawing: str, colour: str, size: int) -> QPixmap:
    if colour:
        drawing = drawing.replace("currentColor", colour)
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
