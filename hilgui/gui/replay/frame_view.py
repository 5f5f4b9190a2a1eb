"""The picture with its overlays: one widget, one paintEvent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QFont,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from hilgui.gui.replay.compare_mode import CompareMode, Layers, chosen
from hilgui.gui.replay.ink import Ink
from hilgui.gui.replay.overlay import Thing, followed, thing_at
from hilgui.gui.replay.overlay_painter import OverlayPainter
from hilgui.gui.replay.panes import (
    GAP_PX,
    GRIP_PX,
    Pane,
    paint_around,
    paint_caption,
    paint_curtain,
    paint_mark,
    panes_of,
)
from hilgui.gui.replay.viewport import (
    ZOOM_STEP,
    Viewport,
    actual_size,
    brought_into_sight,
    fit,
    panned,
    resized,
    zoomed,
)
from hilgui.records import Role
from hilgui.scaling import Cut, Late, Scaler

_HOVER_SLACK = 3.0  # px around a box that still count as the box


class FrameView(QWidget):
    """Shows one frame; zoom with the wheel, pan by dragging, click an object to select it.

    Everything it shows is set from outside: `show_frame`, `set_layers`, `set_mode`, `select`.
    """

    hovered = Signal(object)  # Thing or None
    selected = Signal(object)  # Thing or None
    zoom_changed = Signal(float)
    cut_changed = Signal(object)  # Cut that the next frames will be shown with

    def __init__(self, ink: Ink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ink = ink
        self._image: NDArray[np.uint8] | None = None
        self._late: Late | None = None
        self._problem = ""
        self._mark = ""
        self._things: tuple[Thing, ...] = ()
        self._layers = Layers()
        self._mode = CompareMode.OVERLAY
        self._curtain = 0.5
        self._names: dict[Role, str] = {}
        self._panes: tuple[Pane, ...] = ()
        self._view = Viewport((1.0, 1.0), (1, 1))
        self._scaler = Scaler()
        self._scaled: tuple[Cut, NDArray[np.uint8]] | None = None
        self._hovered: Thing | None = None
        self._selected: Thing | None = None
        self._ghost: tuple[tuple[float, float, float, float], str] | None = None
        self._cursor: QPointF | None = None  # where it rests over the picture
        self._press: QPointF | None = None
        self._drag: QPointF | None = None
        self._drags_curtain = False
        self._overlay = OverlayPainter(ink, self._label_font())
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 135)
        self.setAccessibleName(self.tr("Picture"))
        self.setAccessibleDescription(self.tr("The frame with the boxes of the truth and of both models"))

    # -- what it shows ------------------------------------------------------------------------------------------------

    def show_frame(
        self,
        image: NDArray[np.uint8] | None,
        things: tuple[Thing, ...],
        problem: str = "",
        ready: tuple[Cut, NDArray[np.uint8]] | None = None,
        late: Late | None = None,
    ) -> None:
        """Take a frame, (H, W, 3) BGR or (H, W, 4) as `for_screen` makes it; None shows `problem` instead.

        `ready` is a part of it that was scaled already, as `cut_changed` asked; it is used if it still fits. With
        `late` it may be all that there is: the rest is fetched when it comes into sight.
        """
        self._image, self._things, self._problem, self._late = image, things, problem, late
        self._scaled = ready
        self._ghost = None
        self._selected = followed(self._selected, things)
        self._arrange()
        self._hovered = None if self._cursor is None else self._thing_at(self._cursor)

    def set_names(self, names: dict[Role, str]) -> None:
        """Take the names of the models, for captions."""
        self._names = names
        self._arrange()

    def set_mark(self, words: str) -> None:
        """Write across the top of the picture that it is not as the camera saw it, "" for nothing."""
        if words != self._mark:
            self._mark = words
            self.update()

    @property
    def mark(self) -> str:
        """Give what is written across the top."""
        return self._mark

    def set_layers(self, layers: Layers) -> None:
        """Choose what is drawn."""
        self._layers = layers
        self._arrange()

    def set_mode(self, mode: CompareMode) -> None:
        """Choose how the models are put beside each other."""
        self._mode = mode
        self._arrange()

    def set_ink(self, ink: Ink) -> None:
        """Take the colours of another theme."""
        self._ink = ink
        self._overlay.set_looks(ink, self._label_font(), self.devicePixelRatioF())
        self.update()

    def select(self, thing: Thing | None) -> None:
        """Mark a thing and bring it into sight; does not emit `selected`."""
        self._selected = thing
        if thing is not None:
            self._set_view(brought_into_sight(self._view, thing.box))
        self.update()

    def show_ghost(self, box: tuple[float, float, float, float], text: str) -> None:
        """Mark a place of this frame where something was, or should be; the next frame takes it away."""
        self._ghost = (box, text)
        self._set_view(brought_into_sight(self._view, box))
        self.update()

    @property
    def layers(self) -> Layers:
        """Give what is drawn."""
        return self._layers

    @property
    def mode(self) -> CompareMode:
        """Give how the models are put beside each other."""
        return self._mode

    @property
    def selection(self) -> Thing | None:
        """Give the marked thing."""
        return self._selected

    @property
    def pointed(self) -> Thing | None:
        """Give the thing under the cursor."""
        return self._hovered

    @property
    def visible_things(self) -> tuple[Thing, ...]:
        """Give the things that are drawn, from left to right."""
        seen = {thing.key: thing for pane in self._panes for thing in pane.things}
        return tuple(sorted(seen.values(), key=lambda thing: (thing.box[0], thing.box[1])))

    @property
    def viewport(self) -> Viewport:
        """Give which part of the picture is shown."""
        return self._view

    @property
    def cut(self) -> Cut:
        """Give what the screen shows of a frame."""
        return self._cut()[0]

    # -- zoom ---------------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """Show the whole picture."""
        self._set_view(fit(self._view))

    def actual_size(self) -> None:
        """Show one pixel of the picture on one of the screen."""
        self._set_view(actual_size(self._view, self.devicePixelRatioF()))

    def zoom(self, steps: float) -> None:
        """Zoom in or out around the middle."""
        x, y = self._view.pane[0] / 2, self._view.pane[1] / 2
        self._set_view(zoomed(self._view, ZOOM_STEP**steps, x, y))

    @property
    def zoom_factor(self) -> float:
        """Give screen pixels per pixel of the picture."""
        return self._view.scale * self.devicePixelRatioF()

    # -- Qt -----------------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Ask for a small 16:9 picture; the layout gives what is left."""
        return QSize(640, 360)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep a fitted picture fitted."""
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Take another screen's resolution."""
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._overlay.set_looks(self._ink, self._label_font(), self.devicePixelRatioF())
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        """Take another font."""
        if event.type() == QEvent.Type.FontChange:
            self._overlay.set_looks(self._ink, self._label_font(), self.devicePixelRatioF())
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw picture, boxes, labels, captions."""
        painter = QPainter(self)
        if self._size is None:
            self._paint_problem(painter)
            return
        for pane in self._panes:
            painter.setClipRect(QRect(pane.clip[0], 0, pane.clip[1] - pane.clip[0], self.height()))
            painter.translate(pane.x, 0)
            self._paint_picture(painter)
            self._overlay.paint(painter, pane.things, self._view, self._hovered, self._selected)
            if self._ghost is not None:
                self._overlay.paint_ghost(painter, *self._ghost, self._view)
            painter.translate(-pane.x, 0)
            if pane.caption:
                paint_caption(painter, pane, self._ink, self._label_font())
        painter.setClipping(False)
        if self._mode is CompareMode.SWIPE:
            paint_curtain(painter, self._curtain * self.width(), self.height(), self._ink)
        elif len(self._panes) == 2:
            painter.fillRect(self._panes[0].clip[1], 0, GAP_PX, self.height(), self._ink.border)
        if self._mark:
            paint_mark(painter, self._mark, self.width(), self._ink, self._label_font())
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._ink.accent, 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the cursor."""
        place = self._in_pane(event.position())
        steps = event.angleDelta().y() / 120
        self._set_view(zoomed(self._view, ZOOM_STEP**steps, place.x(), place.y()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag: of the curtain, else of the picture."""
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        self._press = self._drag = event.position()
        self._drags_curtain = self._is_on_curtain(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what was pressed, else light up what lies under the cursor."""
        place = self._cursor = event.position()
        if self._drag is None:
            self._set_hovered(self._thing_at(place))
            on_curtain = self._is_on_curtain(place)
            self.setCursor(Qt.CursorShape.SplitHCursor if on_curtain else Qt.CursorShape.ArrowCursor)
            return
        if self._drags_curtain:
            self._curtain = min(max(place.x() / max(self.width(), 1), 0.0), 1.0)
            self._arrange()
        elif self._press is not None and (place - self._press).manhattanLength() > 3:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            step = place - self._drag
            self._set_view(panned(self._view, step.x(), step.y()))
        self._drag = place

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a drag; a press that did not move selects."""
        press, self._press, self._drag = self._press, None, None
        self.setCursor(Qt.CursorShape.ArrowCursor)
        if self._drags_curtain or press is None or event.button() != Qt.MouseButton.LeftButton:
            self._drags_curtain = False
            return
        if (event.position() - press).manhattanLength() <= 3:
            self._selected = self._thing_at(event.position())
            self.selected.emit(self._selected)
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Zoom to the object under the cursor, or fit the picture where there is none."""
        thing = self._thing_at(event.position())
        if thing is None:
            self.fit()
            return
        width, height = max(thing.box[2] - thing.box[0], 8), max(thing.box[3] - thing.box[1], 8)
        scale = min(self._view.pane[0] / (4 * width), self._view.pane[1] / (2.5 * height))
        x, y = self._view.to_pane((thing.box[0] + thing.box[2]) / 2, (thing.box[1] + thing.box[3]) / 2)
        centred = panned(self._view, self._view.pane[0] / 2 - x, self._view.pane[1] / 2 - y)
        self._set_view(zoomed(centred, scale / centred.scale, self._view.pane[0] / 2, self._view.pane[1] / 2))
        self._set_view(brought_into_sight(self._view, thing.box))

    def enterEvent(self, event: QEnterEvent) -> None:
        """Light up what the cursor comes in over."""
        self._cursor = event.position()
        self._set_hovered(self._thing_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the cursor any more."""
        self._cursor = None
        self._set_hovered(None)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _label_font(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(11)
        return font

    def _arrange(self) -> None:
        """Work out the panes and what each shows."""
        things = chosen(self._things, self._layers)
        self._panes = panes_of(self._mode, things, self.width(), self._curtain, self._names)
        size = self._size
        if size is not None:
            pane = (float(max(self._panes[0].width, 1)), float(max(self.height(), 1)))
            self._set_view(resized(self._view, pane, size))
        self.update()

    def _set_view(self, view: Viewport) -> None:
        if view == self._view:
            return
        changed = view.scale != self._view.scale
        self._view = view
        if changed:
            self.zoom_changed.emit(self.zoom_factor)
        self.cut_changed.emit(self.cut)
        self.update()

    def _set_hovered(self, thing: Thing | None) -> None:
        if thing != self._hovered:
            self._hovered = thing
            self.hovered.emit(thing)
            self.update()

    def _pane_at(self, x: float) -> Pane | None:
        return next((pane for pane in self._panes if pane.clip[0] <= x < pane.clip[1]), None)

    def _in_pane(self, place: QPointF) -> QPointF:
        pane = self._pane_at(place.x())
        return place if pane is None else place - QPointF(pane.x, 0)

    def _thing_at(self, place: QPointF) -> Thing | None:
        pane = self._pane_at(place.x())
        if pane is None or self._size is None:
            return None
        x, y = self._view.to_image(place.x() - pane.x, place.y())
        return thing_at(pane.things, x, y, _HOVER_SLACK / self._view.scale)

    def _is_on_curtain(self, place: QPointF) -> bool:
        return self._mode is CompareMode.SWIPE and abs(place.x() - self._curtain * self.width()) <= GRIP_PX

    def _paint_problem(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), self._ink.stage)
        if self._problem:
            painter.setPen(self._ink.on_stage)
            area = self.rect().adjusted(24, 24, -24, -24)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self._problem)

    def _paint_picture(self, painter: QPainter) -> None:
        ratio = self.devicePixelRatioF()
        cut, begin = self._cut()
        place = QRectF(begin.x() / ratio, begin.y() / ratio, cut.width / ratio, cut.height / ratio)
        paint_around(painter, place, self._view.pane, self._ink.stage)
        if cut.width < 1 or cut.height < 1 or cut.x2 <= cut.x1 or cut.y2 <= cut.y1:
            return
        known = self._pixels(cut)
        if known is None:
            painter.fillRect(place, self._ink.stage)
            return
        of, pixels = known
        picture = QImage(pixels.data, of.width, of.height, pixels.strides[0], QImage.Format.Format_RGB32)
        if of != cut:  # its frame is gone and the next one on its way: stretched so long
            painter.fillRect(place, self._ink.stage)
            x, y = self._view.to_pane(of.x1, of.y1)
            scale = self._view.scale
            painter.drawImage(QRectF(x, y, (of.x2 - of.x1) * scale, (of.y2 - of.y1) * scale), picture)
            return
        picture.setDevicePixelRatio(ratio)
        painter.drawImage(place.topLeft(), picture)

    def _cut(self) -> tuple[Cut, QPoint]:
        """Work out which pixels of the picture become how many of the screen, and where they begin."""
        ratio = self.devicePixelRatioF()
        x1, y1, x2, y2 = self._view.visible()
        left, top = self._view.origin
        scale = self._view.scale * ratio
        begin = QPoint(round(left * ratio + x1 * scale), round(top * ratio + y1 * scale))
        end = QPoint(round(left * ratio + x2 * scale), round(top * ratio + y2 * scale))
        return Cut(x1, y1, x2, y2, end.x() - begin.x(), end.y() - begin.y()), begin

    @property
    def _size(self) -> tuple[int, int] | None:
        """Give width and height of the picture, None where there is none."""
        if self._image is not None:
            return self._image.shape[1], self._image.shape[0]
        return None if self._late is None else (self._late.width, self._late.height)

    def _pixels(self, cut: Cut) -> tuple[Cut, NDArray[np.uint8]] | None:
        """Scale what is in sight once a frame and zoom, not once a paint; else give the last part that came."""
        if self._scaled is not None and self._scaled[0] == cut:
            return self._scaled
        if self._image is None and self._late is not None:
            self._image = self._late.fetch()
        if self._image is not None:
            self._scaled = (cut, self._scaler.scaled(self._image, cut))
        return self._scaled
