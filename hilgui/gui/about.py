"""Small questions and answers in boxes: what this program is, and whether to cut a run."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from hilgui import __version__


class About(QMessageBox):
    """Says which version this is and where its runs are."""

    def __init__(self, runs: Path, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About hilgui"))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setIconPixmap(parent.windowIcon().pixmap(64, 64))
        self.setText(f"hilgui {__version__}")
        self.setInformativeText(
            self.tr("Hardware-in-the-loop bench for perception models.\nApache-2.0. Runs are kept in {folder}.").format(
                folder=runs
            )
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)


class CutRun(QMessageBox):
    """Asks whether quitting may stop the run under way."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Warning)
        self.setText(self.tr("A run is under way."))
        self.setInformativeText(self.tr("Quitting stops it; what was stored stays readable, the verdict is ABORTED."))
        self._stop = self.addButton(self.tr("Stop the run and quit"), QMessageBox.ButtonRole.DestructiveRole)
        self.setDefaultButton(self.addButton(self.tr("Stay"), QMessageBox.ButtonRole.RejectRole))

    def ask(self) -> bool:
        """Wait for the answer."""
        self.exec()
        return self.clickedButton() is self._stop
