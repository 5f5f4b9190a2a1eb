"""The places where the picture is drawn: one, or one for each model, and what is drawn around it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from hilgui.gui.replay.compare_mode import CompareMode, differing, side
from hilgui.gui.replay.drive import role_words
from hilgui.gui.replay.ink import Ink, readable_on
from hilgui.gui.replay.overlay import Thing
from hilgui.records import Role

GAP_PX = 2  # between two panes
GRIP_PX = 7  # around the curtain where it can be dragged


@dataclass(frozen=True, slots=True)
class Pane:
    """One place where the picture is drawn, with what lies on it."""

    x: int
    width: int  # of the whole picture's place; `clip` may show less of it
    clip: tuple[int, int]  # from, to: x of the widget
    things: tuple[Thing, ...]
    caption: str = ""
    role: Role | None = None
    is_captioned_right: bool = False


def panes_of(
    mode: CompareMode, things: tuple[Thing, ...], width: int, curtain: float, names: dict[Role, str]
) -> tuple[Pane, ...]:
    """Lay panes out over a widget's width; `curtain` (0..1) divides them when one picture is swiped."""
    baseline, candidate = (_caption(role, names) for role in Role)
    if mode is CompareMode.SIDE_BY_SIDE:
        half = (width - GAP_PX) // 2
        right = half + GAP_PX
        return (
            Pane(0, half, (0, half), side(things, Role.BASELINE), baseline, Role.BASELINE),
            Pane(right, half, (right, width), side(things, Role.CANDIDATE), candidate, Role.CANDIDATE),
        )
    if mode is CompareMode.SWIPE:
        x = round(curtain * width)
        return (
            Pane(0, width, (0, x), side(things, Role.BASELINE), baseline, Role.BASELINE),
            Pane(0, width, (x, width), side(things, Role.CANDIDATE), candidate, Role.CANDIDATE, True),
        )
    if mode is CompareMode.DIFFERENCE:
        caption = QCoreApplication.translate("FrameView", "only where the models differ")
        return (Pane(0, width, (0, width), differing(things), caption),)
    return (Pane(0, width, (0, width), things),)


def paint_caption(painter: QPainter, pane: Pane, ink: Ink, font: QFont) -> None:
    """Say whose pane it is, on a plate in the model's colour."""
    colour = {Role.BASELINE: ink.baseline, Role.CANDIDATE: ink.candidate, None: ink.accent}[pane.role]
    painter.setFont(font)
    width = painter.fontMetrics().horizontalAdvance(pane.caption) + 12
    x = pane.clip[1] - width - 6 if pane.is_captioned_right else pane.clip[0] + 6
    plate = QRect(x, 6, width, painter.fontMetrics().height() + 4)
    painter.fillRect(plate, colour)
    painter.setPen(readable_on(colour))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, pane.caption)


def paint_mark(painter: QPainter, words: str, width: int, ink: Ink, font: QFont) -> None:
    """Say in the middle of the upper edge that the picture is not as it was seen."""
    painter.setFont(font)
    room = painter.fontMetrics().horizontalAdvance(words) + 24
    plate = QRect(max(0, (width - room) // 2), 6, min(room, width), painter.fontMetrics().height() + 6)
    painter.fillRect(plate, ink.mark)
    painter.setPen(readable_on(ink.mark))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)


def paint_curtain(painter: QPainter, x: float, height: int, ink: Ink) -> None:
    """Draw the line between both models with a grip to drag it."""
    painter.fillRect(QRectF(x - 1, 0, 2, height), ink.selection)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
    painter.setBrush(ink.selection)
    middle = QPointF(x, height / 2)
    painter.drawEllipse(middle, GRIP_PX + 3, GRIP_PX + 3)
    painter.setPen(QPen(readable_on(ink.selection), 2))
    for sign in (-1, 1):
        painter.drawPolyline(
            [middle + QPointF(sign * 2, -4), middle + QPointF(sign * 6, 0), middle + QPointF(sign * 2, 4)]
        )
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_around(painter: QPainter, place: QRectF, pane: tuple[float, float], stage: QColor) -> None:
    """Fill what the picture leaves free of its pane."""
    width, height = pane
    for rest in (
        QRectF(0, 0, width + 1, place.top()),
        QRectF(0, place.bottom(), width + 1, height - place.bottom()),
        QRectF(0, place.top(), place.left(), place.height()),
        QRectF(place.right(), place.top(), width + 1 - place.right(), place.height()),
    ):
        if rest.width() > 0 and rest.height() > 0:
            painter.fillRect(rest, stage)


def _caption(role: Role, names: dict[Role, str]) -> str:
    return role_words(role, names.get(role, role.value))
