"""Draws the things of a frame: boxes first, all of one style in one call, labels on top."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, auto

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from hilgui.gui.replay.account import score_text
from hilgui.gui.replay.ink import Ink
from hilgui.gui.replay.label_plates import LabelPlates
from hilgui.gui.replay.overlay import Layer, State, Thing
from hilgui.gui.replay.viewport import Viewport
from hilgui.records import Role

_CORNER = 9.0  # px, length of the corner marks of an error
_SMALLEST_LABELLED = 15.0  # px, lower boxes have no label unless something is wrong with them
_LETTER = {Layer.BASELINE: "B", Layer.CANDIDATE: "C", Layer.TRUTH: "T"}
_ROLE_LETTER = {Role.BASELINE: "B", Role.CANDIDATE: "C"}


class Style(IntEnum):
    """How a box is drawn. Each differs in colour and in line, errors also in corner marks and words."""

    TRUTH = auto()
    BASELINE = auto()
    CANDIDATE = auto()
    MISSED = auto()
    PHANTOM = auto()
    IGNORED = auto()


_GHOST = 0  # the plate of what is no box of the frame
_WITH_CORNERS = (Style.MISSED, Style.PHANTOM)


_STYLE_OF_STATE = {State.MISSED: Style.MISSED, State.PHANTOM: Style.PHANTOM, State.IGNORED: Style.IGNORED}
_STYLE_OF_LAYER = {Layer.TRUTH: Style.TRUTH, Layer.BASELINE: Style.BASELINE, Layer.CANDIDATE: Style.CANDIDATE}


def style_of(thing: Thing) -> Style:
    """Choose the style of a thing."""
    return _STYLE_OF_STATE.get(thing.state) or _STYLE_OF_LAYER[thing.layer]


def label_of(thing: Thing, *, in_full: bool = False) -> tuple[str, str]:
    """Write name and score of a thing: ✕ is a miss, ? a phantom, B and C the models; `in_full` with these words."""
    if thing.state is State.MISSED:
        who = "+".join(_ROLE_LETTER[role] for role in thing.missed_by)
        return (f"✕ missed {who} · {thing.name}" if in_full else f"✕ {who} {thing.name}"), ""
    score = "" if thing.score is None else score_text(thing.score)
    if thing.state is State.PHANTOM:
        return f"? {'phantom ' * in_full}{_LETTER[thing.layer]} {thing.name}", score
    return f"{_LETTER[thing.layer]} {thing.name}", score


class OverlayPainter:
    """Owns pens and prepared labels; `paint` is called from paintEvent only."""

    def __init__(self, ink: Ink, font: QFont) -> None:
        self.set_looks(ink, font)

    def set_looks(self, ink: Ink, font: QFont, ratio: float = 1.0) -> None:
        """Take the colours of another theme."""
        self._ink = ink
        self._colours = {
            Style.TRUTH: ink.truth,
            Style.BASELINE: ink.baseline,
            Style.CANDIDATE: ink.candidate,
            Style.MISSED: ink.missed,
            Style.PHANTOM: ink.phantom,
            Style.IGNORED: ink.ignored,
        }
        self._labels = LabelPlates(
            font, {int(style): colour for style, colour in self._colours.items()} | {_GHOST: ink.selection}, ratio
        )
        self._height = self._labels.height
        self._pens = {
            Style.TRUTH: _pen(ink.truth, 1.0, (4, 3)),
            Style.BASELINE: _pen(ink.baseline, 1.0),
            Style.CANDIDATE: _pen(ink.candidate, 2.0),
            Style.MISSED: _pen(ink.missed, 2.0, (3, 2)),
            Style.PHANTOM: _pen(ink.phantom, 2.0, (1, 2)),
            Style.IGNORED: _pen(ink.ignored, 1.0, (1, 3)),
        }
        self._corner_pens = {style: _pen(self._colours[style], 3.0) for style in _WITH_CORNERS}
        self._hover_pen, self._select_pen = _pen(ink.selection, 1.0), _pen(ink.selection, 2.0)

    def paint(
        self,
        painter: QPainter,
        things: Iterable[Thing],
        view: Viewport,
        hovered: Thing | None = None,
        selected: Thing | None = None,
    ) -> None:
        """Draw the things of one pane; the painter stands at the pane's corner."""
        left, top = view.origin
        scale = view.scale
        width, height = view.pane
        boxes: dict[Style, list[QRectF]] = {}
        labelled: list[tuple[int, Style, Thing, QRectF]] = []
        for thing in things:
            x1, y1, x2, y2 = thing.box
            box = QRectF(left + x1 * scale, top + y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale)
            if box.right() < 0 or box.bottom() < 0 or box.left() > width or box.top() > height:
                continue
            style = style_of(thing)
            boxes.setdefault(style, []).append(box)
            rank = 0 if thing is selected or thing is hovered else _rank(thing, box)
            if rank is not None:
                labelled.append((rank, style, thing, box))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for style in Style:
            if style in boxes:
                painter.setPen(self._pens[style])
                painter.drawRects(boxes[style])
                if style in _WITH_CORNERS:
                    painter.setPen(self._corner_pens[style])
                    painter.drawLines([line for box in boxes[style] for line in _corners(box)])
        if hovered is not None and hovered is not selected:
            self._paint_mark(painter, hovered, view, self._hover_pen)
        if selected is not None:
            self._paint_mark(painter, selected, view, self._select_pen)
        self._paint_labels(painter, labelled, view)

    def paint_ghost(self, painter: QPainter, box: tuple[float, float, float, float], text: str, view: Viewport) -> None:
        """Mark a place where a finding saw something that is no box of this frame."""
        x, y = view.to_pane(box[0], box[1])
        place = QRectF(x, y, (box[2] - box[0]) * view.scale, (box[3] - box[1]) * view.scale)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(_pen(self._ink.selection, 2.0, (2, 2)))
        painter.drawRect(place)
        plate = self._labels.plate(text, _GHOST)
        left = max(min(x - 1, view.pane[0] - plate.width), 0)
        painter.drawPixmap(QPointF(round(left), round(max(y - self._height - 1, 0))), plate.pixmap)

    def _paint_labels(
        self, painter: QPainter, labelled: list[tuple[int, Style, Thing, QRectF]], view: Viewport
    ) -> None:
        """Draw labels, the important ones first; one that would cover another is left out."""
        labelled.sort(key=_by_rank)
        taken: list[tuple[float, float, float, float]] = []
        for rank, style, thing, box in labelled:
            name, score = label_of(thing, in_full=rank == 0)
            parts = [self._labels.plate(name, style)]
            if score:
                parts.append(self._labels.plate(score, style))
            place = self._place(thing, box, sum(part.width for part in parts), view, taken)
            if place is None:
                continue
            taken.append(place)
            x, y = place[0], place[1]
            for part in parts:
                painter.drawPixmap(QPointF(x, y), part.pixmap)
                x += part.width

    def _place(
        self, thing: Thing, box: QRectF, width: float, view: Viewport, taken: list[tuple[float, float, float, float]]
    ) -> tuple[float, float, float, float] | None:
        """Find room above the box or below it, the candidate's first below, so that both models can be read."""
        height = self._height
        x = round(min(max(box.left() - 1, 0.0), max(view.pane[0] - width, 0.0)))
        above, below = box.top() - height - 1, box.bottom() + 1
        for y in (below, above) if thing.layer is Layer.CANDIDATE else (above, below):
            y1 = round(min(max(y, 0.0), view.pane[1] - height))
            x2, y2 = x + round(width), y1 + height
            for left, top, right, bottom in taken:
                if x < right and x2 > left and y1 < bottom and y2 > top:
                    break
            else:
                return (x, y1, x2, y2)
        return None

    def _paint_mark(self, painter: QPainter, thing: Thing, view: Viewport, pen: QPen) -> None:
        x, y = view.to_pane(thing.box[0], thing.box[1])
        box = QRectF(x, y, (thing.box[2] - thing.box[0]) * view.scale, (thing.box[3] - thing.box[1]) * view.scale)
        colour = QColor(self._colours[style_of(thing)])
        colour.setAlpha(40)
        painter.fillRect(box, colour)
        painter.setPen(pen)
        painter.drawRect(box.adjusted(-3, -3, 3, 3))


def _rank(thing: Thing, box: QRectF) -> int | None:
    """Order labels by what matters: errors, then detections; None where a label says nothing new."""
    if thing.is_error:
        return 1
    if thing.layer is Layer.TRUTH or thing.state is State.IGNORED or box.height() < _SMALLEST_LABELLED:
        return None
    return 2


def _by_rank(entry: tuple[int, Style, Thing, QRectF]) -> tuple[int, float]:
    rank, _, thing, _ = entry
    return rank, -thing.area


def _corners(box: QRectF) -> list[QLineF]:
    length = min(_CORNER, box.width() / 3, box.height() / 3)
    x1, y1, x2, y2 = box.left(), box.top(), box.right(), box.bottom()
    return [
        QLineF(x1, y1, x1 + length, y1),
        QLineF(x1, y1, x1, y1 + length),
        QLineF(x2, y1, x2 - length, y1),
        QLineF(x2, y1, x2, y1 + length),
        QLineF(x1, y2, x1 + length, y2),
        QLineF(x1, y2, x1, y2 - length),
        QLineF(x2, y2, x2 - length, y2),
        QLineF(x2, y2, x2, y2 - length),
    ]


def _pen(colour: QColor, width: float, dashes: tuple[int, ...] = ()) -> QPen:
    pen = QPen(colour, width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if dashes:
        pen.setDashPattern([float(dash) for dash in dashes])
    return pen
