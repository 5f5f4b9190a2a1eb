"""An audit: every probe with its rate against its limit and where it stands, and the pictures that fool the model."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.robustness.audit_sheets import detail_words, finding_rows, told_of, verdict_words
from hilgui.gui.robustness.example_view import ExampleView
from hilgui.gui.robustness.shown_result import ShownResult
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, Theme, mark
from hilgui.robustness import Result
from hilgui.robustness.heat_map import save_heat_map


class AuditView(ShownResult):
    """A table of findings, those that stand first; a click shows the pictures of one. GUI thread only."""

    def __init__(self, theme: Theme, kind: str, parent: QWidget) -> None:
        super().__init__(kind, parent)
        self.words, self.details = Label(self), Label(self)
        mark(self.words, tone="heading")
        mark(self.details, tone="soft")
        for label in (self.words, self.details):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
        self.findings = LinkedTable(theme, self.tr("Findings, those that stand first"), self)
        self.pictures = ExampleView(theme, self, self.tr("Choose a probe to see what fools the model."))
        side = QWidget(self)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self.pictures, 1)
        column.addWidget(self.details)
        body = splitter(Qt.Orientation.Horizontal, self.findings, side, stretch=(3, 2))
        body.setSizes([700, 480])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.words)
        layout.addWidget(body, 1)
        self.findings.asked.connect(self.show_probe)

    def show_result(self, folder: Path, result: Result) -> None:
        """Show an audit."""
        self._folder, self._result = folder, result
        self.words.setText(verdict_words(self.tr, result))
        self.findings.put(*finding_rows(self.tr, result))
        self.details.setText("")
        self.pictures.clear()

    def show_worst(self) -> None:
        """Show the first finding that has pictures."""
        result = self._result
        shown = {one.row for one in result.cells if one.examples} if result is not None else set()
        worst = next((row[0].text for row in self.findings.rows if row[0].text in shown), None)
        if worst is not None:
            self.show_probe(worst)

    def copy(self) -> str:
        """Copy the table as text; gives its name."""
        self.findings.copy()
        return self.findings.accessibleName()

    def save(self, path: Path) -> list[Path]:
        """Save the rates as a heat map, PNG or SVG; raises CallWrong, StoreBroken."""
        if self._result is None:
            return []
        (role,) = self._result.roles
        save_heat_map(path, self._result, role)
        return [path]

    def show_probe(self, probe: object) -> None:
        """Show what fools the model, and what is to be done about it."""
        result, folder = self._result, self._folder
        cell = None if result is None else next((one for one in result.cells if one.row == probe), None)
        if result is None or folder is None:
            return
        self.details.setText(detail_words(self.tr, told_of(result, str(probe))))
        if cell is None or not cell.examples:
            self.pictures.clear(self.tr("Of this probe there is no picture."))
            return
        self.pictures.show_example(folder, cell.role, cell.examples[0], str(probe))
