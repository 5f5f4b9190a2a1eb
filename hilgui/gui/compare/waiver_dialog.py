"""Asks who answers for a known failure, why, and until when."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.gui.button_row import button_row
from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.records import Finding
from hilgui.report.waivers import add_waiver, waiver_for

_HOLDS = timedelta(days=30)


class WaiverDialog(QDialog):
    """Writes one waiver into the file; what is wrong is said in the dialog."""

    added = Signal(object)  # Waiver

    def __init__(self, finding: Finding, drive: str, path: Path, who: str, today: date, parent: QWidget) -> None:
        super().__init__(parent)
        self._finding, self._drive, self._path, self._today = finding, drive, path, today
        self.setWindowTitle(self.tr("Waive a known failure"))
        self.setModal(True)
        self.owner = self._field(self.tr("Owner"), who)
        self.reason = self._field(self.tr("Reason"), "")
        self.reason.setPlaceholderText(self.tr("why it may stay for now"))
        self.expires = self._field(self.tr("Last day"), (today + _HOLDS).isoformat())
        self.reach = QComboBox(self)
        self.reach.setAccessibleName(self.tr("Reach"))
        self.reach.addItem(self.tr("this moment: frames {0} – {1}").format(finding.first_seq, finding.last_seq), True)
        self.reach.addItem(self.tr("every {0} of this kind on {1}").format(finding.kind.value, drive), False)
        self._trouble = Label(self)
        self._trouble.setWordWrap(True)
        mark(self._trouble, tone="missed")
        self.go = QPushButton(self.tr("Waive"), self)
        self._build()

    def write(self) -> None:
        """Check and write; the dialog closes when it is in the file."""
        try:
            expires = date.fromisoformat(self.expires.text().strip())
            waiver = waiver_for(
                self._finding,
                self._drive,
                owner=self.owner.text().strip(),
                reason=self.reason.text().strip(),
                expires=expires,
                only_there=bool(self.reach.currentData()),
            )
        except ValidationError:
            self._trouble.setText(self.tr("Somebody must answer for it, and say why: fill in owner and reason."))
            return
        except ValueError:
            self._trouble.setText(self.tr("Write the last day as year-month-day, such as {0}.").format(self._today))
            return
        if expires < self._today:
            self._trouble.setText(self.tr("That day is past; a waiver that has expired counts for nothing."))
            return
        try:
            add_waiver(self._path, waiver)
        except HilguiError as failure:
            self._trouble.setText(str(failure))
            return
        self.added.emit(waiver)
        self.accept()

    def _build(self) -> None:
        head = Label(self._finding.why, self)
        head.setWordWrap(True)
        form = QFormLayout()
        form.setSpacing(GAP)
        form.addRow(self.tr("Owner"), self.owner)
        form.addRow(self.tr("Reason"), self.reason)
        form.addRow(self.tr("Last day"), self.expires)
        form.addRow(self.tr("Reach"), self.reach)
        where = Label(self.tr("Kept in {0}").format(self._path), self)
        where.setWordWrap(True)
        mark(where, tone="faint")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_L)
        layout.addWidget(head)
        layout.addLayout(form)
        for part in (where, self._trouble):
            layout.addWidget(part)
        layout.addLayout(button_row(self, self.go, self.write))
        self.setMinimumWidth(520)
        self.reason.setFocus()

    def _field(self, name: str, text: str) -> QLineEdit:
        field = QLineEdit(text, self)
        field.setAccessibleName(name)
        return field
