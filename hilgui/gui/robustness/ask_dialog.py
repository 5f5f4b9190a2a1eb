"""What the dialogs of the page have in common: lines that say what is wrong beneath them, the command, one button."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol, Self

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractSpinBox, QDialog, QFormLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from hilgui.engine.aside import Work
from hilgui.gui.button_row import button_row
from hilgui.gui.label import Label, as_tip
from hilgui.gui.path_field import PathField
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.gui.typed_path import is_file, is_there, typed_path
from hilgui.settings import Settings

MODELS = "ONNX (*.onnx)"
_MARGIN = 6  # px


@dataclass(frozen=True, slots=True)
class Opened:
    """The run that is open, as far as a dialog proposes something of it."""

    folder: Path
    source: str
    baseline: str
    candidate: str
    truth: str
    fps: float | None  # of a folder of images
    classes: tuple[str, ...]  # that are judged, where there are labels


class Wish(Protocol):
    """What stands in a dialog: a record."""

    kind: ClassVar[str]  # of the result

    @property
    def command(self) -> str:
        """Give the command that does the same."""
        ...

    def beside(self, opened: Opened) -> Self:
        """Propose what is open."""
        ...

    def work(self, settings: Settings, root: Path) -> Work[Path]:
        """Turn it into work that gives the folder of the result."""
        ...


class AskDialog(QDialog):
    """Asks; what is wrong is said beneath the line that it is about, and the command that does the same below."""

    asked = Signal(object)  # Wish

    def __init__(self, title: str, go: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setMinimumWidth(620)
        self.go = QPushButton(go, self)
        self._form = QFormLayout()
        self._form.setSpacing(GAP)
        self._command = Label(self)
        mark(self._command, tone="mono")
        self._command.setTextFormat(Qt.TextFormat.PlainText)
        self._command.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_L)
        layout.addLayout(self._form)
        layout.addWidget(self._command)
        layout.addLayout(button_row(self, self.go, self.agree))

    @property
    def wish(self) -> Wish:
        """Give what stands in the lines."""
        raise NotImplementedError

    def problems(self) -> dict[PathField, str]:
        """Say of every line that may be wrong what is wrong, "" where nothing is."""
        raise NotImplementedError

    def agree(self) -> None:
        """Ask for it, or say what is missing."""
        problems = self.problems()
        for field, sentence in problems.items():
            field.say(sentence, "missed" if sentence else "faint")
        if not any(problems.values()):
            self.asked.emit(self.wish)
            self.accept()

    # -- for those that build on it -----------------------------------------------------------------------------------

    def add(self, words: str, field: QWidget) -> None:
        """Put a line with its words below the others."""
        self._form.addRow(words, field)

    def say_command(self) -> None:
        """Show the command that does what stands in the lines."""
        self._command.setText(self.wish.command)
        self._command.setToolTip(as_tip(self.wish.command))

    def no_model(self, text: str) -> str:
        """Say that a model is missing, "" where one is there."""
        return "" if text and is_file(typed_path(text)) else self.tr("Choose a model, an .onnx file.")

    def no_such_path(self, text: str) -> str:
        """Say that there is no such path; "" stands for none."""
        return "" if not text or is_there(typed_path(text)) else self.tr("There is no such file or folder.")


def typed(number: QAbstractSpinBox) -> None:
    """Show a number as a line that is typed into: no arrows, and text as far from the border as in other lines."""
    mark(number, kind="typed")
    number.lineEdit().setTextMargins(_MARGIN, 0, 0, 0)
