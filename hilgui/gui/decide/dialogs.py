"""What the Decide page asks before something is signed or moved, and what the look at a bundle found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.evidence import Trigger, severity_of
from hilgui.gui.button_row import ROW, button_row
from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, GAP_L, mark


class AskDialog(QDialog):
    """A sentence, facts, fields to fill in and one button; what is wrong is said inside and it stays open."""

    agreed = Signal()  # somebody pressed the button; the page does it and closes, or says what is wrong

    def __init__(self, title: str, sentence: str, facts: Sequence[tuple[str, str]], button: str, parent: QWidget):
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.key: QComboBox
        self.passphrase: QLineEdit
        self.slot: QLineEdit
        self.reason: QLineEdit
        self.command: QLineEdit
        self.trigger: QComboBox
        self.severity: QComboBox
        self.slot_name = self.why = ""  # as they were when the button was pressed
        self._form = QFormLayout()
        self._form.setSpacing(GAP)
        head = Label(sentence, self)
        head.setWordWrap(True)
        for name, value in facts:
            words = Label(value, self)
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            mark(words, tone="mono")
            self._form.addRow(name, words)
        self._trouble = Label(self)
        self._trouble.setWordWrap(True)
        mark(self._trouble, tone="missed")
        self._bar = QProgressBar(self)
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Under way"))
        self._bar.hide()
        self._trouble.hide()
        self.go = QPushButton(button, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_L)
        layout.addWidget(head)
        layout.addLayout(self._form)
        layout.addWidget(self._trouble)
        layout.addWidget(self._bar)
        layout.addLayout(button_row(self, self.go, self._agree))
        self.setMinimumWidth(560)

    def line(self, name: str, text: str = "", *, is_secret: bool = False) -> QLineEdit:
        """Add a line to fill in."""
        field = QLineEdit(text, self)
        field.setAccessibleName(name)
        if is_secret:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        self._form.addRow(name, field)
        return field

    def choice(self, name: str, values: Sequence[str]) -> QComboBox:
        """Add a list to choose from."""
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.addItems(list(values))
        self._form.addRow(name, box)
        return box

    def follow_trigger(self, trigger: str) -> None:
        """Propose the severity that follows from what an incident is about."""
        self.severity.setCurrentText(severity_of(Trigger(trigger)).value)

    def say(self, sentence: str) -> None:
        """Say what is wrong and let the person try again."""
        self._bar.hide()
        self._say(sentence, "missed")
        self.go.setEnabled(True)

    def wait_for(self, words: str) -> None:
        """Say what goes on meanwhile."""
        self._say(words, "soft")

    @property
    def trouble(self) -> str:
        """Give what is wrong."""
        return self._trouble.text()

    def _say(self, sentence: str, tone: str) -> None:
        self._trouble.setText(sentence)
        self._trouble.setVisible(bool(sentence))
        mark(self._trouble, tone=tone)
        self.adjustSize()  # a sentence that wraps makes no room for itself

    def _agree(self) -> None:
        self._say("", "soft")
        self._bar.show()
        self.go.setEnabled(False)
        self.agreed.emit()


class LinesDialog(QDialog):
    """Lines to read and to copy: what the look at a bundle found, and which bundle it was."""

    def __init__(self, title: str, verdict: str, tone: str, about: str, lines: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.verdict, self.about = verdict, about
        place = Label(about, self)
        place.setWordWrap(True)
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        mark(place, tone="mono")
        head = Label(verdict, self)
        head.setWordWrap(True)
        mark(head, tone=tone)
        self.text = QPlainTextEdit("\n".join(lines), self)
        self.text.setReadOnly(True)
        self.text.setVisible(bool(lines))
        self.text.setAccessibleName(self.tr("What was found, line by line"))
        mark(self.text, tone="mono")
        copy = QPushButton(self.tr("Copy"), self)
        put: Callable[[str], None] = QGuiApplication.clipboard().setText
        copy.clicked.connect(lambda _=False: put("\n".join((about, verdict, self.text.toPlainText()))))
        close = QPushButton(self.tr("Close"), self)
        close.setDefault(True)
        close.clicked.connect(lambda _=False: self.accept())
        buttons = QHBoxLayout()
        buttons.setObjectName(ROW)
        buttons.addStretch(1)
        buttons.addWidget(copy)
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP)
        layout.addWidget(head)
        layout.addWidget(place)
        layout.addWidget(self.text, 1)
        layout.addLayout(buttons)
        self.resize(820, 460 if lines else self.sizeHint().height())
