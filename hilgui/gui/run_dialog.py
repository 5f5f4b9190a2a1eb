"""The form "New replay": what to play through which models, and the command that does the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.gui.button_row import ROW
from hilgui.gui.errand import Errand
from hilgui.gui.label import Label
from hilgui.gui.memory import Memory
from hilgui.gui.path_field import PathField
from hilgui.gui.run_request import PROVIDERS, SPEEDS, RunRequest, command_text, problems
from hilgui.gui.theme import GAP, GAP_L, GAP_S, Theme, mark
from hilgui.gui.typed_path import is_file, is_folder, is_there, typed_path

_LOOK_AFTER_MS = 250
_VIDEO_FILTER = "*.mp4 *.m4v *.mov *.mkv *.webm *.avi *.ts *.m2ts"


class RunDialog(QDialog):
    """Asks for one replay; after `accept`, `request` holds what to run.

    Labels beside the recording are looked for on a thread and proposed; what the operator typed is never replaced.
    """

    def __init__(
        self,
        theme: Theme,
        memory: Memory,
        parent: QWidget | None = None,
        *,
        given: RunRequest | None = None,
        find_truth: Callable[[Path], Path | None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._memory = memory
        self._find_truth = find_truth or _find_truth
        self._proposed_truth = ""
        self._touched: set[str] = set()
        self._errand: Errand[Path | None] | None = None
        self.setWindowTitle(self.tr("New replay"))
        self.setModal(True)
        self._build()
        self._fill(given or RunRequest())
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_LOOK_AFTER_MS)
        self._pause.timeout.connect(self._look_for_truth)
        self._connect()
        self._look_for_truth()
        self._refresh()
        self._focus_first_gap()

    @property
    def request(self) -> RunRequest:
        """Give what the form says now."""
        return RunRequest(
            source=self.source.text,
            truth=self.truth.text,
            baseline=self.baseline.text,
            candidate=self.candidate.text,
            provider=self.provider.currentData(),
            classes=self.classes.text().strip(),
            speed=self.speed.currentText().strip(),
            fps=self.fps.text().strip(),
            topic=self.topic.text().strip(),
            beside=self.beside.text().strip(),
            profile=self.profile.text().strip(),
            can=self.can.text().strip(),
            dbc=self.dbc.text().strip(),
            operator=self.operator.text().strip(),
            device_under_test=self.device.text().strip(),
            tickets=self.tickets.text().strip(),
            notes=self.notes.text().strip(),
        )

    @property
    def command(self) -> str:
        """Give the command line that is shown."""
        return self._command.toPlainText()

    def accept(self) -> None:
        """Start if nothing is wrong; else show what is and go to the first such field."""
        found = problems(self.request)
        if found:
            self._touched.update(self._fields)
            self._refresh()
            self._fields[found[0].field].setFocus()
            return
        self._remember()
        super().accept()

    def done(self, result: int) -> None:
        """Leave the form; an answer that is still under way is not wanted any more."""
        self._pause.stop()
        if self._errand is not None:
            self._errand.forget()
        super().done(result)

    def _build(self) -> None:
        models = self.tr("ONNX models (*.onnx)")
        video = self.tr("Recordings ({patterns});;All files (*)").format(patterns=_VIDEO_FILTER)
        labels = self.tr("Labels (*.json);;All files (*)")
        theme = self._theme
        self.source = PathField(theme, self.tr("Recording"), filters=video, folders=True, parent=self)
        self.truth = PathField(theme, self.tr("Truth"), filters=labels, folders=True, parent=self)
        self.baseline = PathField(theme, self.tr("Baseline"), filters=models, folders=False, parent=self)
        self.candidate = PathField(theme, self.tr("Candidate"), filters=models, folders=False, parent=self)
        self.provider = QComboBox(self)
        for name, words in zip(PROVIDERS, self._provider_words(), strict=True):
            self.provider.addItem(words, name)
        self.provider.setAccessibleName(self.tr("Provider"))
        self.speed = QComboBox(self)
        self.speed.setEditable(True)
        self.speed.addItems(list(SPEEDS))
        self.speed.setAccessibleName(self.tr("Speed"))
        self.speed.setToolTip(self.tr("max: lossless, both models see every frame. realtime or a factor: paced."))
        self.classes = QLineEdit(self)
        self.classes.setPlaceholderText(self.tr("all common classes; or: person, car"))
        self.classes.setAccessibleName(self.tr("Compared classes"))
        self.fps = QLineEdit(self)
        self.fps.setPlaceholderText(self.tr("unordered set"))
        self.fps.setAccessibleName(self.tr("Frame rate of a folder of images"))
        self.topic = self._line(self.tr("Camera topics of a bag"), self.tr("the only one; or: all"))
        self.beside = self._line(
            self.tr("Further cameras of the drive"),
            self.tr("none; or: a.mp4; b.mp4@0.12"),
        )
        self.beside.setToolTip(self.tr("Files of the same drive, with semicolons; b.mp4@0.12 begins 0.12 s later."))
        self.profile = self._line(self.tr("Camera profile"), self.tr("the one beside the recording"))
        self.can = self._line(self.tr("Bus log"), self.tr("none; or: drive.blf, .asc, .mf4"))
        self.dbc = self._line(self.tr("DBC of the bus log"), self.tr("none; or: vehicle.dbc"))
        self.operator = QLineEdit(self)
        self.operator.setAccessibleName(self.tr("Operator"))
        self.device = QLineEdit(self)
        self.device.setAccessibleName(self.tr("Device under test"))
        self.tickets = QLineEdit(self)
        self.tickets.setPlaceholderText(self.tr("ids, separated by commas"))
        self.tickets.setAccessibleName(self.tr("Tickets and requirements"))
        self.notes = QLineEdit(self)
        self.notes.setPlaceholderText(self.tr("anything worth remembering"))
        self.notes.setAccessibleName(self.tr("Notes"))
        self._fields: dict[str, QWidget] = {
            "source": self.source,
            "truth": self.truth,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "speed": self.speed,
            "fps": self.fps,
            "beside": self.beside,
            "profile": self.profile,
            "can": self.can,
            "dbc": self.dbc,
        }
        self._trouble = Label(self)
        self._trouble.setWordWrap(True)
        mark(self._trouble, tone="missed")
        self._trouble.hide()
        title = Label(self.tr("New replay"), self)
        mark(title, tone="heading")
        intro = Label(self.tr("A recording runs through the baseline and, in shadow, through the candidate."), self)
        mark(intro, tone="soft")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP)
        layout.addWidget(title)
        layout.addWidget(intro)
        layout.addSpacing(GAP_S)
        layout.addLayout(self._paths())
        layout.addLayout(self._options())
        layout.addWidget(self._trouble)
        layout.addWidget(self._command_panel())
        layout.addStretch(1)
        layout.addLayout(self._buttons())
        self.resize(820, 640)

    def _line(self, name: str, placeholder: str) -> QLineEdit:
        made = QLineEdit(self)
        made.setPlaceholderText(placeholder)
        made.setAccessibleName(name)
        return made

    def _paths(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(GAP_L)
        form.setVerticalSpacing(GAP)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for words, field in (
            (self.tr("&Recording"), self.source),
            (self.tr("&Truth"), self.truth),
            (self.tr("&Baseline"), self.baseline),
            (self.tr("&Candidate"), self.candidate),
        ):
            form.addRow(words, field)
        return form

    def _options(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GAP)
        grid.setVerticalSpacing(GAP_S)
        rows: tuple[tuple[tuple[str, QWidget, int], ...], ...] = (
            (
                (self.tr("&Provider"), self.provider, 4),
                (self.tr("&Speed"), self.speed, 4),
                (self.tr("&Frame rate of images"), self.fps, 4),
            ),
            (
                (self.tr("Compared c&lasses"), self.classes, 4),
                (self.tr("Ca&mera topics"), self.topic, 4),
                (self.tr("Furt&her cameras"), self.beside, 4),
            ),
            (
                (self.tr("Camera &profile"), self.profile, 4),
                (self.tr("B&us log"), self.can, 4),
                (self.tr("DBC o&f the log"), self.dbc, 4),
            ),
            (
                (self.tr("&Operator"), self.operator, 3),
                (self.tr("&Device under test"), self.device, 3),
                (self.tr("T&ickets"), self.tickets, 3),
                (self.tr("&Notes"), self.notes, 3),
            ),
        )
        for row, fields in enumerate(rows):
            column = 0
            for words, field, span in fields:
                label = Label(words, self)
                label.setBuddy(field)
                mark(label, tone="soft")
                grid.addWidget(label, 2 * row, column, 1, span)
                grid.addWidget(field, 2 * row + 1, column, 1, span)
                column += span
        for column in range(12):
            grid.setColumnStretch(column, 1)
        return grid

    def _command_panel(self) -> QFrame:
        panel = QFrame(self)
        mark(panel, surface="panel")
        words = Label(self.tr("The same from the command line"), panel)
        mark(words, tone="section")
        self._copy = QPushButton(self._theme.icon("copy"), self.tr("Cop&y"), panel)
        self._copy.setAutoDefault(False)
        self._copy.clicked.connect(self._copy_command)
        self._command = QPlainTextEdit(panel)
        self._command.setReadOnly(True)
        self._command.setFixedHeight(58)
        self._command.setTabChangesFocus(True)
        self._command.setAccessibleName(self.tr("Command line of this replay"))
        mark(self._command, tone="mono")
        head = QHBoxLayout()
        head.addWidget(words, 1)
        head.addWidget(self._copy)
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(GAP, GAP_S, GAP, GAP)
        layout.addLayout(head)
        layout.addWidget(self._command)
        return panel

    def _buttons(self) -> QHBoxLayout:
        self._cancel = QPushButton(self.tr("Cancel"), self)
        self._cancel.setAutoDefault(False)
        self._cancel.clicked.connect(self.reject)
        self.start = QPushButton(self.tr("Start replay"), self)
        self.start.setDefault(True)
        mark(self.start, kind="primary")
        self.start.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.setObjectName(ROW)
        row.addStretch(1)
        row.addWidget(self._cancel)
        row.addWidget(self.start)
        return row

    def _provider_words(self) -> tuple[str, ...]:
        return (
            self.tr("auto (the best that works)"),
            self.tr("CPU"),
            self.tr("CUDA"),
            self.tr("TensorRT"),
            self.tr("OpenVINO"),
            self.tr("DirectML"),
            self.tr("CoreML"),
        )

    def _fill(self, given: RunRequest) -> None:
        memory = self._memory
        self.source.remember(memory.existing("recent_recordings"))
        self.baseline.remember(memory.existing("models"))
        self.candidate.remember(memory.existing("models"))
        self.source.text = given.source
        self.truth.text = given.truth
        self.baseline.text = given.baseline or _still_there(memory.text("baseline"))
        self.candidate.text = given.candidate or ("" if given.baseline else _still_there(memory.text("candidate")))
        provider = memory.text("provider", given.provider) if given.provider == "auto" else given.provider
        self.provider.setCurrentIndex(max(self.provider.findData(provider), 0))
        self.speed.setCurrentText(given.speed)
        self.classes.setText(given.classes)
        self.fps.setText(given.fps)
        for name in ("topic", "beside", "profile", "can", "dbc"):
            getattr(self, name).setText(getattr(given, name))
        self.operator.setText(given.operator or memory.text("operator"))
        self.device.setText(given.device_under_test or memory.text("device_under_test"))
        self.tickets.setText(given.tickets)
        self.notes.setText(given.notes)

    def _connect(self) -> None:
        self.source.changed.connect(self._pause.start)
        for name, field in (("source", self.source), ("baseline", self.baseline), ("candidate", self.candidate)):
            field.changed.connect(lambda _text, name=name: self._edited(name))
        self.truth.changed.connect(lambda: self._edited("truth"))
        self.speed.editTextChanged.connect(lambda: self._edited("speed"))
        self.fps.textChanged.connect(lambda: self._edited("fps"))
        self.provider.currentIndexChanged.connect(self._refresh)
        for name in ("beside", "profile", "can", "dbc"):
            getattr(self, name).textChanged.connect(lambda _text, name=name: self._edited(name))
        for line in (self.topic, self.classes, self.operator, self.device, self.tickets, self.notes):
            line.textChanged.connect(self._refresh)

    def _edited(self, name: str) -> None:
        self._touched.add(name)
        self._refresh()

    def _refresh(self) -> None:
        request = self.request
        wrong = {problem.field: problem.sentence for problem in problems(request) if problem.field in self._touched}
        for name, field in self._fields.items():
            if isinstance(field, PathField):
                field.say(wrong.get(name) or self._hint(name), "missed" if name in wrong else "faint")
        others = [sentence for name, sentence in wrong.items() if not isinstance(self._fields[name], PathField)]
        self._trouble.setText("\n".join(others))
        self._trouble.setVisible(bool(others))
        self.fps.setEnabled(bool(request.source) and is_folder(typed_path(request.source)))
        self._command.setPlainText(command_text(request))

    def _hint(self, name: str) -> str:
        if name == "truth":
            if self._proposed_truth and self.truth.text == self._proposed_truth:
                return self.tr("Found beside the recording.")
            if not self.truth.text:
                return self.tr("No truth: the models are compared with each other; no misses, phantoms or AP.")
        if name == "candidate" and not self.candidate.text:
            return self.tr("Optional: without it the baseline runs alone.")
        return ""

    def _look_for_truth(self) -> None:
        text = self.source.text
        path = typed_path(text)
        if self.truth.text and self.truth.text != self._proposed_truth:
            return  # typed by the operator
        if self._errand is not None:
            self._errand.forget()
            self._errand = None
        if not text or not is_there(path):
            return
        self._errand = Errand(
            self, "find-truth", lambda: self._find_truth(path), self._propose, lambda *_: self._propose(None)
        )

    def _propose(self, truth: Path | None) -> None:
        self._errand = None
        if self.truth.text and self.truth.text != self._proposed_truth:
            return
        self._proposed_truth = "" if truth is None else str(truth)
        self.truth.text = self._proposed_truth
        self._refresh()

    def _focus_first_gap(self) -> None:
        gaps = [self._fields[problem.field] for problem in problems(self.request)]
        (gaps[0] if gaps else self.start).setFocus()

    def _copy_command(self) -> None:
        QGuiApplication.clipboard().setText(self.command)

    def _remember(self) -> None:
        request = self.request
        self._memory.add("recent_recordings", request.source)
        for model in (request.candidate, request.baseline):
            if model:
                self._memory.add("models", model)
        self._memory.put("baseline", request.baseline)
        self._memory.put("candidate", request.candidate)
        self._memory.put("provider", request.provider)
        self._memory.put("operator", request.operator)
        self._memory.put("device_under_test", request.device_under_test)


def _still_there(text: str) -> str:
    return text if text and is_file(typed_path(text)) else ""


def _find_truth(source: Path) -> Path | None:
    from hilgui.sources.camera import shown_drive
    from hilgui.truth import find_truth

    return find_truth(shown_drive(source) or source)
