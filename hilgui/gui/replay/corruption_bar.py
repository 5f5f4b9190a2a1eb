"""Corrupts what is on the Replay page: which corruption, how severe, which seed; and runs the drive so."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLineEdit, QPushButton, QSlider, QWidget

from hilgui.corruptions import CORRUPTIONS, MOST, Recipe
from hilgui.gui.label import Label, as_tip
from hilgui.gui.theme import GAP, mark

_STEPS = 10  # of the slider for each severity
_MOST_SEED = 999_999
_SETTLES_MS = 60  # while it moves, not every step is worth a frame


class CorruptionBar(QFrame):
    """A strip beneath the layers; hidden, it corrupts nothing."""

    changed = Signal(object)  # Recipe
    run_asked = Signal(object)  # Recipe: replay the whole drive so, as a run of its own

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        mark(self, surface="panel")
        self.names = QComboBox(self)
        self.names.setAccessibleName(self.tr("Corruption"))
        family = ""
        for name, corruption in CORRUPTIONS.items():
            if corruption.family != family and self.names.count():
                self.names.insertSeparator(self.names.count())
            family = corruption.family
            self.names.addItem(name.replace("_", " "), name)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, round(MOST * _STEPS))
        self.slider.setPageStep(_STEPS)
        self.slider.setTickInterval(_STEPS)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setAccessibleName(self.tr("Severity"))
        self.seed = QLineEdit("0", self)
        self.seed.setValidator(QIntValidator(0, _MOST_SEED, self))
        self.seed.setFixedWidth(64)
        self.seed.setAccessibleName(self.tr("Seed"))
        self.run = QPushButton(self.tr("Run the drive so"), self)
        self.run.setToolTip(self.tr("Replays the whole drive corrupted, as a run of its own; its header says how"))
        self._severity, self._note = Label(self), Label(self)
        self._severity.setMinimumWidth(28)
        mark(self._severity, tone="mono")
        mark(self._note, tone="warning")
        self._note.setTextFormat(Qt.TextFormat.PlainText)
        self._note.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        row.setSpacing(GAP)
        row.addWidget(self.names)
        for words, widget in (
            (self.tr("severity"), self.slider),
            ("", self._severity),
            (self.tr("seed"), self.seed),
            ("", self.run),
        ):
            if words:
                label = Label(words, self)
                mark(label, tone="soft")
                row.addWidget(label)
            row.addWidget(widget, 1 if widget is self.slider else 0)
        row.addWidget(self._note, 1)
        self._settles = QTimer(self)
        self._settles.setSingleShot(True)
        self._settles.setInterval(_SETTLES_MS)
        self._settles.timeout.connect(lambda: self.changed.emit(self.recipe))
        self.names.currentIndexChanged.connect(lambda _place: self._on_change())
        self.slider.valueChanged.connect(lambda _value: self._on_change())
        self.seed.textChanged.connect(lambda _text: self._on_change())
        self.run.clicked.connect(lambda _=False: self.run_asked.emit(self.recipe))
        self._say()
        self.hide()

    @property
    def recipe(self) -> Recipe:
        """Give what is done to the frames; nothing while the severity is 0 or the strip is hidden."""
        severity = self.slider.value() / _STEPS
        if self.isHidden() or severity == 0:
            return Recipe(())
        return Recipe(((str(self.names.currentData()), severity),), int(self.seed.text() or 0))

    def choose(self, name: str, severity: float, seed: int = 0) -> None:
        """Take a corruption of the catalogue."""
        self.names.setCurrentIndex(self.names.findData(name))
        self.seed.setText(str(seed))
        self.slider.setValue(round(severity * _STEPS))

    def toggle(self) -> None:
        """Come or go; gone, the frames are as they were."""
        self.setVisible(self.isHidden())
        if not self.isHidden():
            self.slider.setFocus()
        self._on_change()

    def say(self, sentence: str) -> None:
        """Say what is wrong, or nothing."""
        self._note.setVisible(bool(sentence))
        self._note.setText(sentence)
        self._note.setToolTip(as_tip(sentence))

    def allow_run(self, is_allowed: bool) -> None:
        """Switch the button that begins a run."""
        self.run.setProperty("is_allowed", is_allowed)
        self._say()

    def _on_change(self) -> None:
        self._say()
        self._settles.start()

    def _say(self) -> None:
        self._severity.setText(f"{self.slider.value() / _STEPS:.1f}")
        self.run.setEnabled(bool(self.run.property("is_allowed")) and self.slider.value() > 0)
