"""What is dropped on the window."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget


class Drops(QObject):
    """Takes local files and folders that are dropped on a widget."""

    hovered = Signal(bool)  # something that can be dropped is over the window, or has left
    dropped = Signal(list)  # Paths, after the drag is over: the other program waits until we return

    def __init__(self, target: QWidget) -> None:
        super().__init__(target)
        target.setAcceptDrops(True)
        target.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Answer drags; everything else goes its way."""
        kind = event.type()
        if kind == QEvent.Type.DragEnter:
            self._enter(cast("QDragEnterEvent", event))
            return True
        if kind == QEvent.Type.DragLeave:
            self.hovered.emit(False)
        if kind == QEvent.Type.Drop:
            self._drop(cast("QDropEvent", event))
            return True
        return False

    def _enter(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self.hovered.emit(True)

    def _drop(self, event: QDropEvent) -> None:
        self.hovered.emit(False)
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        QTimer.singleShot(0, self, lambda: self.dropped.emit(paths))
