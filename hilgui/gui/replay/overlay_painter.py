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


def style_of(thing: Thing) -> Style:
    """Choose the style of a thing."""
    if thing.state is State.MISSED:
        return Style.MISSED
    if thing.state is State.PHANTOM:
        return Style.PHANTOM
    if thing.state is State.IGNORED:
        return Style.IGNORED
    return {Layer.TRUTH: Style.TRUTH, Layer.BASELINE: Style.BASELINE, Layer.CANDIDATE: Style.CANDIDATE}[thing.layer]


def label_of(thing: Thing) -> str:
    """Write the label of a thing."""
    if thing.state is State.MISSED:
        who = "+".join(_ROLE_LETTER[role] for role in thing.missed_by)
        return f"✕ missed {who} · {thing.name}"
    score = "" if thing.score is None else f" {score_text(thing.score)}"
    if thing.state is State.PHANTOM:
        return f"? phantom {_LETTER[thing.layer]} · {thing.name}{score}"
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
        boxes: dict[Style, list[QRectF]] = {}
        labelled: dict[Style, list[tuple[Thing, QRectF]]] = {}
        pane = QRectF(0, 0, *view.pane)
        for thing in things:
            x1, y1, x2, y2 = thing.box
            box = QRectF(left + x1 * scale, top + y1 * scale, (x2 - x1) * scale, (y2 - y1) * scale)
            if not box.intersects(pane):
                continue
            style = style_of(thing)
            boxes.setdefault(style, []).append(box)
            if _is_labelled(thing, box) or thing is hovered or thing is selected:
                labelled.setdefault(style, []).append((thing, box))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for style in Style:
            if style in boxes:
                painter.setPen(self._pens[style])
                painter.drawRects(boxes[style])
                if style in (Style.MISSED, Style.PHANTOM):
                    painter.setPen(_pen(self._colours[style], 3.0))
                    painter.drawLines([line for box in boxes[style] for line in _corners(box)])
        if hovered is not None and hovered is not selected:
            self._paint_mark(painter, hovered, view, 40, 1.0)
        if selected is not None:
            self._paint_mark(painter, selected, view, 40, 2.0)
        painter.setFont(self._font)
        for style, pairs in labelled.items():
            self._paint_labels(painter, style, pairs, view)

    def _paint_labels(self, painter: QPainter, style: Style, pairs: list[tuple[Thing, QRectF]], view: Viewport) -> None:
        plates: list[QRectF] = []
        texts: list[tuple[QPointF, QStaticText]] = []
        for thing, box in pairs:
            label = self._label(label_of(thing))
            plate = self._plate(thing, box, label.width + 6, view)
            plates.append(plate)
            texts.append((plate.topLeft() + QPointF(3, 0), label.text))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colours[style])
        painter.drawRects(plates)
        painter.setPen(self._text_colours[style])
        for place, text in texts:
            painter.drawStaticText(place, text)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _plate(self, thing: Thing, box: QRectF, width: float, view: Viewport) -> QRectF:
        """Put a label above the box, the candidate's below it, so that both models can be read; always in sight."""
        height = self._height
        y = box.bottom() + 1 if thing.layer is Layer.CANDIDATE else box.top() - height - 1
        y = min(max(y, 0.0), view.pane[1] - height)
        x = min(max(box.left() - 1, 0.0), max(view.pane[0] - width, 0.0))
        return QRectF(round(x), round(y), round(width), height)

    def _paint_mark(self, painter: QPainter, thing: Thing, view: Viewport, alpha: int, width: float) -> None:
        x, y = view.to_pane(thing.box[0], thing.box[1])
        box = QRectF(x, y, (thing.box[2] - thing.box[0]) * view.scale, (thing.box[3] - thing.box[1]) * view.scale)
        colour = QColor(self._colours[style_of(thing)])
        colour.setAlpha(alpha)
        painter.fillRect(box, colour)
        painter.setPen(_pen(self._ink.selection, width))
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


def _is_labelled(thing: Thing, box: QRectF) -> bool:
    if thing.is_error:
        return True
    return thing.layer is not Layer.TRUTH and box.height() >= _SMALLEST_LABELLED


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
