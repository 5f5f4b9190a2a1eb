"""What a page says while it has nothing to show: what belongs there, and the first step."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.theme import mark

_WIDTH = 560  # px of the hint


class EmptyPage(QWidget):
    """A sentence, a hint and one button."""

    asked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = Label(self)
        mark(self._words, tone="heading")
        self._hint = Label(self)
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._hint.setFixedWidth(_WIDTH)  # a label that wraps knows its height only so
        mark(self._hint, tone="soft")
        self.button = QPushButton(self)
        self.button.setAutoDefault(True)
        self.button.clicked.connect(lambda _=False: self.asked.emit())
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for widget in (self._words, self._hint, self.button):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)

    def say(self, words: str, hint: str, button: str = "") -> None:
        """Show other words; without words for it the button goes away."""
        self._words.setText(words)
        self._hint.setText(hint)
        self._hint.setMinimumHeight(self._hint.heightForWidth(_WIDTH))  # a stack asks nobody for it
        self.button.setText(button)
        self.button.setVisible(bool(button))
