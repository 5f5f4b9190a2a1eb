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


class Taken:
    """Where labels lie, all of one height: by bands of that height, as two that meet share one of them."""

    def __init__(self, height: int) -> None:
        self._height = height
        self._bands: dict[int, list[tuple[int, int, int]]] = {}  # top, left, right

    def is_free(self, left: int, top: int, right: int) -> bool:
        """Say whether a label would cover none of those before."""
        height = self._height
        for band in (top // height, top // height + 1):
            for other, begin, end in self._bands.get(band, ()):
                if left < end and right > begin and -height < top - other < height:
                    return False
        return True

    def take(self, left: int, top: int, right: int) -> None:
        """Remember a label."""
        for band in (top // self._height, top // self._height + 1):
            self._bands.setdefault(band, []).append((top, left, right))


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
            Style.MISSED: _pen(ink.missed, 1.0, (6, 4)),
            Style.PHANTOM: _pen(ink.phantom, 1.0, (2, 4)),
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
                if style in _WITH_CORNERS:  # two dashed lines side by side take a fifth of the time of a thick one
                    painter.drawRects([box.adjusted(-1, -1, 1, 1) for box in boxes[style]])
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
        taken = Taken(self._height)
        width, height = round(view.pane[0]), round(view.pane[1])
        for rank, style, thing, box in labelled:
            name, score = label_of(thing, in_full=rank == 0)
            plate = self._labels.plate(name, style)
            more = self._labels.plate(score, style) if score else None
            wide = plate.width if more is None else plate.width + more.width
            x = max(min(max(round(box.left()) - 1, 0), width - wide), 0)
            for y in self._heights(thing, box, height):
                if taken.is_free(x, y, x + wide):
                    taken.take(x, y, x + wide)
                    painter.drawPixmap(x, y, plate.pixmap)  # whole numbers: less than half the time of a QPointF
                    if more is not None:
                        painter.drawPixmap(x + plate.width, y, more.pixmap)
                    break

    def _heights(self, thing: Thing, box: QRectF, pane: int) -> tuple[int, int]:
        """Name the places above the box and below it, the candidate's first below, so that both can be read."""
        lowest = pane - self._height
        above = min(max(round(box.top()) - self._height - 1, 0), lowest)
        below = min(max(round(box.bottom()) + 1, 0), lowest)
        return (below, above) if thing.layer is Layer.CANDIDATE else (above, below)

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
