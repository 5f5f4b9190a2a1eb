"""Draws the things of a frame: boxes first, all of one style in one call, labels on top."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QStaticText

from hilgui.gui.replay.account import score_text
from hilgui.gui.replay.ink import Ink, readable_on
from hilgui.gui.replay.overlay import Layer, State, Thing
from hilgui.gui.replay.viewport import Viewport
from hilgui.records import Role

_CORNER = 9.0  # px, length of the corner marks of an error
_SMALLEST_LABELLED = 15.0  # px, lower boxes have no label unless something is wrong with them
_TEXTS = 512
_LETTER = {Layer.BASELINE: "B", Layer.CANDIDATE: "C", Layer.TRUTH: "T"}
_ROLE_LETTER = {Role.BASELINE: "B", Role.CANDIDATE: "C"}


class Style(Enum):
    """How a box is drawn. Each differs in colour and in line, errors also in corner marks and words."""

    TRUTH = auto()
    BASELINE = auto()
    CANDIDATE = auto()
    MISSED = auto()
    PHANTOM = auto()
    IGNORED = auto()


_WITH_CORNERS = (Style.MISSED, Style.PHANTOM)


def style_of(thing: Thing) -> Style:
    """Choose the style of a thing."""
    if thing.state is State.MISSED:
        return Style.MISSED
    if thing.state is State.PHANTOM:
        return Style.PHANTOM
    if thing.state is State.IGNORED:
        return Style.IGNORED
    return {Layer.TRUTH: Style.TRUTH, Layer.BASELINE: Style.BASELINE, Layer.CANDIDATE: Style.CANDIDATE}[thing.layer]


def label_of(thing: Thing, *, in_full: bool = False) -> str:
    """Write the label of a thing: ✕ is a miss, ? a phantom, B and C the models; `in_full` with these words."""
    if thing.state is State.MISSED:
        who = "+".join(_ROLE_LETTER[role] for role in thing.missed_by)
        return f"✕ missed {who} · {thing.name}" if in_full else f"✕ {who} {thing.name}"
    score = "" if thing.score is None else f" {score_text(thing.score)}"
    if thing.state is State.PHANTOM:
        return f"? {'phantom ' * in_full}{_LETTER[thing.layer]} {thing.name}{score}"
    return f"{_LETTER[thing.layer]} {thing.name}{score}"


@dataclass(frozen=True, slots=True)
class _Label:
    text: QStaticText
    width: float


class OverlayPainter:
    """Owns pens and prepared texts; `paint` is called from paintEvent only."""

    def __init__(self, ink: Ink, font: QFont) -> None:
        self._texts: OrderedDict[str, _Label] = OrderedDict()
        self.set_looks(ink, font)

    def set_looks(self, ink: Ink, font: QFont) -> None:
        """Take the colours of another theme."""
        self._ink = ink
        self._font = font
        metrics = QFontMetricsF(font)
        self._height = metrics.height() + 1
        self._texts.clear()
        self._colours = {
            Style.TRUTH: ink.truth,
            Style.BASELINE: ink.baseline,
            Style.CANDIDATE: ink.candidate,
            Style.MISSED: ink.missed,
            Style.PHANTOM: ink.phantom,
            Style.IGNORED: ink.ignored,
        }
        self._text_colours = {style: readable_on(colour) for style, colour in self._colours.items()}
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
        label = self._label(text)
        left = max(min(x - 1, view.pane[0] - label.width - 6), 0)
        plate = QRectF(round(left), round(max(y - self._height - 1, 0)), round(label.width + 6), self._height)
        painter.fillRect(plate, self._ink.selection)
        painter.setPen(readable_on(self._ink.selection))
        painter.setFont(self._font)
        painter.drawStaticText(plate.topLeft() + QPointF(3, 0), label.text)

    def _paint_labels(
        self, painter: QPainter, labelled: list[tuple[int, Style, Thing, QRectF]], view: Viewport
    ) -> None:
        """Draw labels, the important ones first; one that would cover another is left out."""
        labelled.sort(key=_by_rank)
        taken: list[tuple[float, float, float, float]] = []
        plates: dict[Style, list[QRectF]] = {}
        texts: dict[Style, list[tuple[QPointF, QStaticText]]] = {}
        for rank, style, thing, box in labelled:
            label = self._label(label_of(thing, in_full=rank == 0))
            place = self._place(thing, box, label.width + 6, view, taken)
            if place is None:
                continue
            taken.append(place)
            x1, y1, x2, y2 = place
            plates.setdefault(style, []).append(QRectF(x1, y1, x2 - x1, y2 - y1))
            texts.setdefault(style, []).append((QPointF(x1 + 3, y1), label.text))
        painter.setFont(self._font)
        for style, areas in plates.items():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._colours[style])
            painter.drawRects(areas)
            painter.setPen(self._text_colours[style])
            for point, text in texts[style]:
                painter.drawStaticText(point, text)
        painter.setBrush(Qt.BrushStyle.NoBrush)

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
            if not any(x < right and x2 > left and y1 < bottom and y2 > top for left, top, right, bottom in taken):
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

    def _label(self, text: str) -> _Label:
        label = self._texts.get(text)
        if label is not None:
            return label
        static = QStaticText(text)
        static.setTextFormat(Qt.TextFormat.PlainText)
        static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        static.prepare(font=self._font)
        label = _Label(static, static.size().width())
        self._texts[text] = label
        if len(self._texts) > _TEXTS:
            self._texts.popitem(last=False)
        return label


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
