"""The last row of a dialog that asks: leave it, or go."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton

from hilgui.gui.theme import mark

ROW = "button row"  # the name of that layout, so that others can join in


def button_row(dialog: QDialog, go: QPushButton, agree: Callable[[], object]) -> QHBoxLayout:
    """Put Cancel beside the button that does it, which Enter presses too."""
    leave = QPushButton(QCoreApplication.translate("ButtonRow", "Cancel"), dialog)
    leave.clicked.connect(dialog.reject)
    go.setDefault(True)
    mark(go, kind="primary")
    go.clicked.connect(lambda _=False: agree())
    row = QHBoxLayout()
    row.setObjectName(ROW)
    row.addStretch(1)
    row.addWidget(leave)
    row.addWidget(go)
    return row
