"""Asks how the chosen findings shall become a data set, and writes it in the background."""

from __future__ import annotations

import shlex
from collections import Counter
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.evidence.runs import note_dataset
from hilgui.gui.button_row import button_row
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.label import Label
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.gui.typed_path import typed_path
from hilgui.pipeline.deciding import who
from hilgui.report.dataset import FORMATS, Exported, blur_of, export_dataset
from hilgui.settings import Settings
from hilgui.triage import FindingRow


class ExportDialog(QDialog):
    """Stays open while it writes; what goes wrong is said in it."""

    exported = Signal(object)  # Exported

    def __init__(self, rows: list[FindingRow], settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows = rows
        self._settings = settings
        self._errand: Errand[Exported] | None = None
        self.setWindowTitle(self.tr("Export as a data set"))
        self.setModal(True)
        self.form = QComboBox(self)
        self.form.addItems(list(FORMATS))
        self.form.setAccessibleName(self.tr("Format"))
        self.clips = QComboBox(self)
        self.clips.addItem(self.tr("none"), "")
        self.clips.addItem(self.tr("MP4"), "mp4")
        self.clips.addItem(self.tr("MCAP with boxes"), "mcap")
        self.clips.setAccessibleName(self.tr("Clips"))
        self.folder = QLineEdit(self)
        self.folder.setPlaceholderText(self.tr("a new folder"))
        self.folder.setAccessibleName(self.tr("Folder"))
        self.all_frames = QCheckBox(self.tr("every frame of each finding, not only the worst"), self)
        self.blur = QLineEdit(self)
        self.blur.setPlaceholderText(self.tr("classes, or regions x1,y1,x2,y2; separated by semicolons"))
        self.blur.setAccessibleName(self.tr("Blur"))
        self._command = Label(self)
        self._command.setWordWrap(True)
        mark(self._command, tone="mono")
        self._trouble = Label(self)
        self._trouble.setWordWrap(True)
        mark(self._trouble, tone="missed")
        self.go = QPushButton(self.tr("Export"), self)
        self._build()
        self._refresh()

    def done(self, result: int) -> None:
        """Let the thread end before the dialog goes."""
        let_go(60.0, self._errand)
        self._errand = None
        super().done(result)

    @property
    def command(self) -> str:
        """Give the command that does the same, where the findings are of one run."""
        folders = {row.folder for row in self._rows}
        if len(folders) != 1:
            return ""
        numbers = ",".join(str(row.finding.number) for row in self._rows[:200])
        words = ["hilgui", "export-dataset", str(folders.pop()), "--select", numbers]
        words += ["--format", self.form.currentText(), "--out", self.folder.text() or "OUT"]
        words += ["--all-frames"] if self.all_frames.isChecked() else []
        words += ["--clips", self.clips.currentData()] if self.clips.currentData() else []
        for word in self._blurred():
            words += ["--blur", word]
        return shlex.join(words)

    def start(self) -> None:
        """Write the data set; the dialog closes when it is there."""
        try:
            blur = blur_of(self._blurred())
        except HilguiError as failure:
            self._trouble.setText(str(failure))
            return
        out, form, is_whole = typed_path(self.folder.text()), self.form.currentText(), self.all_frames.isChecked()
        clips, rows, settings = self.clips.currentData(), self._rows, self._settings

        def write() -> Exported:
            done = export_dataset(rows, out, form, all_frames=is_whole, blur=blur, clips=clips)
            note_dataset(settings.home, form, done.out, Counter(row.run_id for row in rows), by=who(settings))
            return done

        self.go.setEnabled(False)
        self.go.setText(self.tr("Exporting…"))
        self._trouble.clear()
        self._errand = Errand(self, "export", write, self._on_done, self._on_failed)

    def _build(self) -> None:
        count = len(self._rows)
        title = amount(count, self.tr("1 finding"), self.tr("{0} findings"))
        head = Label(title, self)
        mark(head, tone="heading")
        choose = QPushButton(self.tr("Choose…"), self)
        choose.clicked.connect(lambda _=False: self._choose())
        where = QHBoxLayout()
        where.addWidget(self.folder, 1)
        where.addWidget(choose)
        form = QFormLayout()
        form.setSpacing(GAP)
        form.addRow(self.tr("Format"), self.form)
        form.addRow(self.tr("Folder"), where)
        form.addRow(self.tr("Frames"), self.all_frames)
        form.addRow(self.tr("Clips"), self.clips)
        form.addRow(self.tr("Blur"), self.blur)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_L)
        for part in (head, self._command, self._trouble):
            layout.addWidget(part)
        layout.insertLayout(1, form)
        layout.addLayout(button_row(self, self.go, self.start))
        self.setMinimumWidth(560)
        for changed in (
            self.form.currentTextChanged,
            self.clips.currentTextChanged,
            self.folder.textChanged,
            self.blur.textChanged,
        ):
            changed.connect(lambda _text: self._refresh())
        self.all_frames.toggled.connect(lambda _on: self._refresh())

    def _blurred(self) -> list[str]:
        return [word.strip() for word in self.blur.text().split(";") if word.strip()]

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("A new folder for the data set"))
        if chosen:
            self.folder.setText(str(Path(chosen)))

    def _refresh(self) -> None:
        self.go.setEnabled(bool(self.folder.text().strip()))
        self._command.setText(self.command)

    def _on_done(self, exported: Exported) -> None:
        self._errand = None
        self.exported.emit(exported)
        self.accept()

    def _on_failed(self, sentence: str, details: str) -> None:
        self._errand = None
        self._trouble.setText(f"{sentence[:1].upper()}{sentence[1:]}")
        self.go.setText(self.tr("Export"))
        self._refresh()
