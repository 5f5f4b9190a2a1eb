"""The filters of the Findings page: chips for what can be counted, words for the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QScrollArea, QToolButton, QVBoxLayout, QWidget

from hilgui.gui.findings.filter_chip import FilterChip
from hilgui.gui.findings.words import state_words
from hilgui.gui.theme import GAP, GAP_S, Theme, mark
from hilgui.records import Severity
from hilgui.records.triage import TriageState
from hilgui.report.finding_table import FACETS, Answer
from hilgui.triage import Query

_AFTER_MS = 120
_STORY = 40  # letters of a title


class FilterBar(QWidget):
    """Keeps a `Query`; says when it is another one."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._run: Path | None = None
        self._like: int | None = None
        self._order = ("badness", False)
        tr = self.tr
        self.text = QLineEdit(self)
        self.text.setPlaceholderText(tr("Search findings"))
        self.text.setAccessibleName(tr("Search findings"))
        self.text.setClearButtonEnabled(True)
        self.text.setMinimumWidth(150)
        self.scope = QToolButton(self)
        self.scope.setCheckable(True)
        self.scope.setText(tr("Open run only"))
        self.scope.setToolTip(tr("Only the run that is open on Replay, or every run of this bench (R)"))
        mark(self.scope, kind="chip")
        self.alike = QToolButton(self)
        self.alike.setText(tr("Pictures like this  ×"))
        self.alike.setToolTip(tr("Show findings with other pictures too"))
        mark(self.alike, kind="chip", state="on")
        self.alike.hide()
        self.story = QToolButton(self)
        self.story.setToolTip(tr("Back to all findings"))
        mark(self.story, kind="chip", state="on")
        self.story.hide()
        self.clear = QToolButton(self)
        self.clear.setText(tr("Clear"))
        self.clear.setToolTip(tr("Take every filter away (Shift+Esc closes messages, this is Ctrl+Backspace)"))
        self.chips = {
            "kinds": FilterChip(tr("Kind"), self),
            "severities": FilterChip(tr("Severity"), self, words=lambda value: Severity(int(value)).label),
            "states": FilterChip(tr("State"), self, words=lambda value: state_words(TriageState(value))),
            "labels": FilterChip(tr("Class"), self),
            "roles": FilterChip(tr("Model"), self),
            "suspects": FilterChip(tr("Suspect"), self),
            "suspect_models": FilterChip(tr("Points at"), self),
            "drives": FilterChip(tr("Drive"), self),
            "conditions": FilterChip(tr("Condition"), self),
            "tags": FilterChip(tr("Tag"), self),
        }
        self._waits = QTimer(self)
        self._waits.setSingleShot(True)
        self._waits.setInterval(_AFTER_MS)
        self._build()

    @property
    def query(self) -> Query:
        """Give what is asked for."""
        chosen = {name: chip.chosen for name, chip in self.chips.items() if name != "severities"}
        return Query(
            **chosen,  # type: ignore[arg-type]  # all of them tuples of words
            severities=tuple(int(value) for value in self.chips["severities"].chosen),
            runs=(self._run,) if self._run is not None and self.scope.isChecked() else (),
            text=self.text.text().strip(),
            like=self._like,
            order=self._order[0],
            descending=self._order[1],
        )

    def offer(self, answer: Answer) -> None:
        """Take what there is to choose from."""
        for column, name in FACETS.items():
            self.chips[name].offer(answer.counts[column])
        self.chips["tags"].offer(dict.fromkeys(answer.tags, -1))
        self.chips["conditions"].offer(dict.fromkeys(answer.conditions, -1))

    def set_run(self, folder: Path | None) -> None:
        """Learn which run is open on Replay."""
        self._run = folder
        self.scope.setEnabled(folder is not None)
        if folder is None:
            self.scope.setChecked(False)

    def set_order(self, order: str, descending: bool) -> None:
        """Take the order that a click on a title asked for."""
        self._order = (order, descending)
        self.changed.emit()

    def set_like(self, hash_: int | None) -> None:
        """Let only pictures pass that look like this one; None lets all pass."""
        self._like = hash_
        self.alike.setVisible(hash_ is not None)
        self.changed.emit()

    def show_story(self, title: str) -> None:
        """Say which story is listed; "" for none."""
        self.story.setText(
            self.tr("Story: {0}  ×").format(title if len(title) <= _STORY else f"{title[: _STORY - 1]}…")
        )
        self.story.setVisible(bool(title))

    def set_states(self, states: tuple[TriageState, ...]) -> None:
        """Let only these states pass."""
        self.chips["states"].choose(tuple(states))
        self.changed.emit()

    def take_all_away(self) -> None:
        """Let everything pass."""
        for chip in self.chips.values():
            chip.choose(())
        self._like = None
        self.alike.hide()
        self.text.clear()
        self._waits.stop()
        self.changed.emit()

    def show_is_filtered(self, query: Query) -> None:
        """Offer to take filters away only where there are some."""
        self.clear.setEnabled(not replace(query, runs=()).is_empty)

    def _build(self) -> None:
        chips = QWidget(self)
        row = QHBoxLayout(chips)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_S)
        row.addWidget(self.scope)
        for chip in self.chips.values():
            chip.changed.connect(self.changed)
            row.addWidget(chip)
        row.addWidget(self.alike)
        row.addWidget(self.story)
        row.addWidget(self.clear)
        row.addStretch(1)
        area = QScrollArea(self)
        area.setWidget(chips)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFixedHeight(chips.sizeHint().height() + 2)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(area)
        self.text.textChanged.connect(lambda _text: self._waits.start())
        self._waits.timeout.connect(self.changed)
        self.scope.toggled.connect(lambda _on: self.changed.emit())
        self.alike.clicked.connect(lambda _=False: self.set_like(None))
        self.clear.clicked.connect(lambda _=False: self.take_all_away())
