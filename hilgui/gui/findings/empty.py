"""What the Findings page says when there is nothing to list: what belongs here, and the first step."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.theme import Theme, mark


class EmptyFindings(QWidget):
    """No finding yet, or none that passes the filters."""

    demo_asked = Signal()
    clear_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = Label(self)
        mark(self._words, tone="heading")
        self._hint = Label(self)
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._hint.setFixedWidth(560)  # a label that wraps knows its height only so
        mark(self._hint, tone="soft")
        self.demo = QPushButton(self.tr("Run the demo"), self)
        self.demo.setAutoDefault(True)
        self.demo.clicked.connect(lambda _=False: self.demo_asked.emit())
        self.clear = QPushButton(self.tr("Take every filter away"), self)
        self.clear.setAutoDefault(True)
        self.clear.clicked.connect(lambda _=False: self.clear_asked.emit())
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        for widget in (self._words, self._hint, self.demo, self.clear):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        self.show_reason(has_findings=False)

    def show_reason(self, *, has_findings: bool) -> None:
        """Say why nothing is listed."""
        self.demo.setVisible(not has_findings)
        self.clear.setVisible(has_findings)
        if has_findings:
            self._words.setText(self.tr("No finding passes the filters"))
            self._hint.setText(self.tr("The chips above say what is asked for."))
        else:
            self._words.setText(self.tr("No findings yet"))
            self._hint.setText(
                self.tr(
                    "Every corner case of every replay is kept here with its clip: missed objects, phantoms, flicker, "
                    "disagreement. Open a recording (Ctrl+O), or begin with the demo."
                )
            )
