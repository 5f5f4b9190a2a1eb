"""What the page asks of the view of a result, whatever it looks like."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from hilgui.robustness import Result


class ShownResult(QWidget):
    """Holds the result that is shown; a view overrides what it can do with it. GUI thread only."""

    frame_asked = Signal(object, object)  # Path of a run, frame: to be opened on the Replay page

    def __init__(self, kind: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.kind = kind
        self._folder: Path | None = None
        self._result: Result | None = None

    @property
    def result(self) -> Result | None:
        """Give what is shown."""
        return self._result

    @property
    def folder(self) -> Path | None:
        """Give the folder of what is shown."""
        return self._folder

    def show_result(self, folder: Path, result: Result) -> None:
        """Show a result, another one or the same grown."""
        raise NotImplementedError

    def show_worst(self) -> None:
        """Choose what went worst."""
        raise NotImplementedError

    def copy(self) -> str:
        """Copy what is shown as text; gives its name."""
        raise NotImplementedError

    def save(self, path: Path) -> list[Path]:
        """Save what is shown as PNG or SVG; gives the files, raises HilguiError."""
        raise NotImplementedError
