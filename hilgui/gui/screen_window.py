"""The screen that a camera films: a drive full screen, one canvas a refresh at most."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QImage, QKeyEvent, QOpenGLContext, QPainter, QScreen, QSurfaceFormat
from PySide6.QtOpenGL import QOpenGLWindow
from PySide6.QtWidgets import QApplication, QWidget

from hilgui.errors import CallWrong
from hilgui.gui.qt_environment import create_application
from hilgui.numerals import number_of
from hilgui.sources import source_for
from hilgui.sources.excerpt import Excerpt
from hilgui.sources.screen import Showing

_STEP_MS = 4  # between looks at the clock, where no refresh of the screen paces them


class _Canvas:
    """What both windows draw: the newest canvas, pixel by pixel, black around it where the window is larger."""

    def __init__(self, showing: Showing, size: QSize) -> None:
        self._showing = showing
        self._size = size
        self._image: QImage | None = None

    def advance(self) -> bool:
        """Take the canvas that is due; say whether there is a new one."""
        canvas = self._showing.canvas()
        if canvas is None:
            return False
        self._image = _image(canvas)
        return True

    def paint(self, painter: QPainter, window: QSize) -> None:
        """Draw the canvas; on a screen that scales its windows it is drawn in the screen's own pixels."""
        painter.fillRect(QRect(0, 0, window.width(), window.height()), Qt.GlobalColor.black)
        if self._image is not None:
            painter.drawImage(QRect(0, 0, window.width(), window.height()), self._image)


class RefreshedWindow(QOpenGLWindow):
    """Draws in step with the screen: every swap waits for its refresh."""

    def __init__(self, canvas: _Canvas) -> None:
        super().__init__()
        surface = QSurfaceFormat()
        surface.setSwapInterval(1)
        self.setFormat(surface)
        self.setCursor(Qt.CursorShape.BlankCursor)
        self._canvas = canvas
        self.frameSwapped.connect(self.update)

    def paintGL(self) -> None:
        """Look which frame is due and draw it."""
        self._canvas.advance()
        painter = QPainter(self)
        self._canvas.paint(painter, self.size())
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """End with Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()


class TimedWindow(QWidget):
    """Draws by the clock, on machines without OpenGL; a frame may be torn between two refreshes."""

    def __init__(self, canvas: _Canvas) -> None:
        super().__init__()
        self.setCursor(Qt.CursorShape.BlankCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._canvas = canvas
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._look)
        self._timer.start(_STEP_MS)

    def paintEvent(self, event: object) -> None:
        """Draw the canvas of the frame that is due."""
        painter = QPainter(self)
        self._canvas.paint(painter, self.size())
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """End with Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()

    def _look(self) -> None:
        if self._canvas.advance():
            self.update()


def show_drive(
    drive: Path,
    *,
    screen: int | None = None,
    speed: float = 1.0,
    fps: float | None = None,
    lead_s: float = 3.0,
    first: int = 0,
    is_endless: bool = False,
    in_window: bool = False,
) -> str:
    """Show a drive from frame `first` until its end or until Esc; say in a sentence what was shown.

    Raises CallWrong, SourceBroken.
    """
    application = create_application(sys.argv[:1])
    place = _screen(QApplication.screens(), screen)
    ratio = place.devicePixelRatio()
    size = QSize(round(place.size().width() * ratio), round(place.size().height() * ratio))
    source = Excerpt(source_for(drive, fps), first) if first else source_for(drive, fps)
    showing = Showing(source, size.width(), size.height(), speed=speed, lead_s=lead_s, is_endless=is_endless)
    try:
        facts = showing.open()
        canvas = _Canvas(showing, size)
        is_paced = QOpenGLContext().create()
        window: RefreshedWindow | TimedWindow = RefreshedWindow(canvas) if is_paced else TimedWindow(canvas)
        window.setScreen(place)
        window.setGeometry(place.geometry())
        if in_window:
            window.resize(place.size() / 2)
            window.show()
        else:
            window.showFullScreen()
        _run_until_over(application, window, showing)
    finally:
        showing.close()
    paced = "in step with the screen" if is_paced else "by the clock, as there is no OpenGL: frames may be torn"
    last = "" if showing.number is None else f", the last one {showing.number}"
    where = f"on {place.name()}, {size.width()} x {size.height()}, {paced}"
    return f"{facts.name}: {number_of(showing.shown, 'frame')} shown{last}, {where}"


def _run_until_over(application: QApplication, window: RefreshedWindow | TimedWindow, showing: Showing) -> None:
    watch = QTimer()
    watch.timeout.connect(lambda: window.close() if showing.is_over else None)
    watch.timeout.connect(lambda: None if window.isVisible() else QCoreApplication.quit())
    watch.start(50)
    application.exec()
    watch.stop()
    window.close()
    window.deleteLater()


def _screen(screens: list[QScreen], number: int | None) -> QScreen:
    """Choose the second screen, or the only one; raises CallWrong."""
    if number is None:
        return screens[min(1, len(screens) - 1)]
    if number >= len(screens):
        names = ", ".join(f"{index} ({each.name()})" for index, each in enumerate(screens))
        raise CallWrong(f"there is no screen {number}; there are {names}")
    return screens[number]


def _image(canvas: NDArray[np.uint8]) -> QImage:
    height, width = canvas.shape[:2]
    return QImage(canvas.data, width, height, 3 * width, QImage.Format.Format_BGR888).copy()
