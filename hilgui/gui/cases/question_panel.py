"""A question to the operator, inside the page: with its picture, and the input that it asks for."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.sequencer.operator import NO, YES, Purpose, Question

_PICTURE = (300, 200)


class QuestionPanel(QFrame):
    """Comes when something is asked and goes when it is answered or withdrawn."""

    answered = Signal(object, str)  # Question, answer

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.question: Question | None = None
        mark(self, surface="banner_info")
        self.setAccessibleName(self.tr("Question to the operator"))
        self.picture = Label(self)
        self.kind = Label(self)
        self.words = Label(self)
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        mark(self.words, tone="heading")
        self.flaw = Label(self)
        mark(self.flaw, tone="missed")
        self.value = QLineEdit(self)
        self.value.setAccessibleName(self.tr("Answer"))
        self.value.returnPressed.connect(lambda: self.answer(self.value.text().strip()))
        self._answers = QHBoxLayout()
        self._answers.setSpacing(GAP)
        self.buttons: dict[str, QPushButton] = {}
        text = QVBoxLayout()
        self.value.setMaximumWidth(320)
        for widget in (self.kind, self.words, self.value, self.flaw):
            text.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft if widget is self.kind else Qt.AlignmentFlag(0))
        text.addLayout(self._answers)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP_L)
        layout.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(text, 1)
        self.hide()

    def ask(self, question: Question | None) -> None:
        """Show a question, or none."""
        if question == self.question:
            return
        self.question = question
        self.setVisible(question is not None)
        if question is None:
            return
        tones = {Purpose.ARM: "warning", Purpose.CONFIRM: "warning", Purpose.RESET: "warning"}
        words = {
            Purpose.PROMPT: self.tr("The case asks"),
            Purpose.ARM: self.tr("First confirmation"),
            Purpose.CONFIRM: self.tr("Second confirmation, within 30 s"),
            Purpose.RESET: self.tr("The latch of the rig"),
        }
        bench = self.tr(" · simulated rig") if question.simulated else ""
        self.kind.setText(f"{words[question.purpose]} · {question.case}{bench}")
        is_grave = question.hazardous or question.purpose in tones
        mark(self.kind, tone="warning" if is_grave else "soft")
        mark(self, surface="banner_warning" if is_grave else "banner_info")
        self.words.setText(question.text)
        self.flaw.clear()
        self.flaw.hide()
        self._show_picture(question)
        self._show_input(question)

    def answer(self, text: str) -> None:
        """Answer; an answer that cannot be taken is said to be so."""
        if self.question is None:
            return
        flaw = self.question.flaw(text)
        self.flaw.setText(flaw)
        self.flaw.setVisible(bool(flaw))
        if not flaw:
            self.answered.emit(self.question, text)

    def _show_picture(self, question: Question) -> None:
        picture = QPixmap() if question.picture is None else QPixmap(str(question.picture))
        self.picture.setVisible(question.picture is not None)
        if question.picture is not None and picture.isNull():
            self.picture.setText(self.tr("no picture: {0}").format(question.picture.name))
        elif question.picture is not None:
            keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            self.picture.setPixmap(picture.scaled(*_PICTURE, keep, smooth))
            self.picture.setAccessibleName(question.picture.name)

    def _show_input(self, question: Question) -> None:
        for button in self.buttons.values():
            self._answers.removeWidget(button)
            button.deleteLater()
        self.buttons.clear()
        while self._answers.count():
            self._answers.takeAt(0)
        is_typed = question.input in ("text", "number")
        self.value.setVisible(is_typed)
        self.value.clear()
        self.value.setPlaceholderText(self.tr("a number") if question.input == "number" else "")
        if question.input == "confirm":
            given = {YES: self.tr("Yes"), NO: self.tr("No")}
        elif question.input == "choice":
            given = {choice: choice for choice in question.choices}
        else:
            given = {"": self.tr("Answer")}
        for answer, words in given.items():
            button = QPushButton(words, self)
            button.setAutoDefault(False)
            button.clicked.connect(
                lambda _=False, answer=answer: self.answer(self.value.text().strip() if is_typed else answer)
            )
            self.buttons[answer] = button
            self._answers.addWidget(button)
        self._answers.addStretch(1)
        if is_typed:
            self.value.setFocus()
