"""Two or more cameras of one drive side by side in time: the chosen one large, the others beside it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QToolButton, QVBoxLayout, QWidget

from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.ink import Ink
from hilgui.gui.replay.overlay import things_of
from hilgui.gui.replay.pictures import Picture
from hilgui.gui.theme import GAP_XS


class CameraStage(QWidget):
    """Holds the page's view and one more for each further camera; the name over a picture makes it the chosen one.

    The chosen camera is what selection, inspector and title are about. Each view shows the newest frame that its
    camera had at the cursor, so that what stands side by side was seen together.
    """

    chosen = Signal()  # another camera is the large one

    def __init__(self, view: FrameView, ink: Ink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self._ink = ink
        self._channels: tuple[str, ...] = ()
        self._main = ""
        self._title = QToolButton(self)
        self._companions: list[tuple[QToolButton, FrameView]] = []
        self._split = QSplitter(Qt.Orientation.Horizontal, self)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(5)
        self._split.addWidget(_titled(self._title, view))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._split)
        self._name(self._title, "")

    @property
    def main(self) -> str:
        """Give the chosen camera, "" in a drive of one."""
        return self._main

    @property
    def views(self) -> tuple[FrameView, ...]:
        """Give the views from the left."""
        return (self._view, *(view for _, view in self._companions))

    def set_drive(self, drive: Drive | None) -> None:
        """Make a view for each camera of a drive."""
        self._channels = () if drive is None else drive.header.source.channels
        self._main = self._channels[0] if self._channels else ""
        while len(self._companions) > max(len(self._channels) - 1, 0):
            _, view = self._companions.pop()
            body = view.parentWidget()
            assert body is not None
            body.hide()
            body.setParent(None)
            body.deleteLater()
        while len(self._companions) < len(self._channels) - 1:
            title, view = QToolButton(self), FrameView(self._ink, self)
            view.setAccessibleName(self.tr("Picture of another camera"))
            title.clicked.connect(lambda _checked=False, button=title: self.choose(button.text()))
            self._companions.append((title, view))
            self._split.addWidget(_titled(title, view))
        self._split.setSizes([1000] * self._split.count())
        self._name(self._title, self._main)

    def choose(self, channel: str) -> None:
        """Make a camera the large one."""
        if channel in self._channels and channel != self._main:
            self._main = channel
            self._name(self._title, channel)
            self.chosen.emit()

    def of_main(self, picture: Picture) -> Picture:
        """Give the picture of the chosen camera out of those that belong together."""
        if not self._channels:
            return picture
        together = {each.channel: each for each in (picture, *picture.others)}
        main = together.get(self._main)
        if main is None:  # the chosen camera has not begun yet
            return picture
        return main if main is picture else replace(main, others=())

    def show_others(self, picture: Picture, drive: Drive) -> None:
        """Show what the other cameras saw."""
        together = {each.channel: each for each in (picture, *picture.others)}
        others = [channel for channel in self._channels if channel != self._main]
        for (title, view), channel in zip(self._companions, others, strict=True):
            self._name(title, channel)
            view.set_layers(self._view.layers)
            seen = together.get(channel)
            if seen is None:
                view.show_frame(None, (), self.tr("{0} has not begun yet.").format(channel))
            else:
                view.show_frame(seen.image, things_of(seen.moment, drive.header), seen.problem)

    def set_ink(self, ink: Ink) -> None:
        """Take the colours of another theme."""
        self._ink = ink
        for view in self.views:
            view.set_ink(ink)

    def _name(self, title: QToolButton, channel: str) -> None:
        title.setText(channel)
        title.setVisible(bool(channel))
        title.setToolTip(self.tr("Inspect this camera"))
        title.setAccessibleName(self.tr("Camera {0}").format(channel))


def _titled(title: QToolButton, view: FrameView) -> QWidget:
    body = QWidget()
    title.setAutoRaise(True)
    layout = QVBoxLayout(body)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP_XS)
    layout.addWidget(title, 0, Qt.AlignmentFlag.AlignLeft)
    layout.addWidget(view, 1)
    return body
