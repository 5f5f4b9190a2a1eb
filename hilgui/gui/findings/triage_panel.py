"""What is known about a finding, what people made of it, and the buttons to decide."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QGridLayout,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.cornercases.suspects import suspect_in_words
from hilgui.gui.findings.words import STATES, state_words
from hilgui.gui.label import Label
from hilgui.gui.replay.drive import clock
from hilgui.gui.replay.inspector import FactSheet
from hilgui.gui.scrolled import scrolled
from hilgui.gui.theme import GAP, GAP_S, Theme, mark
from hilgui.records.triage import TriageChange, TriageState
from hilgui.triage import FindingRow

_SHOWN_CHANGES = 4
_COLUMNS = 2


class TriagePanel(QFrame):
    """Shows one finding, or how many are chosen; says what the operator decides and keeps nothing."""

    state_chosen = Signal(object)  # TriageState
    note_given = Signal(str)
    tags_given = Signal(list)  # of words
    assignee_given = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown_id: int | None = None
        mark(self, surface="panel")
        self.setAccessibleName(self.tr("Triage"))
        self._title = self._label("heading")
        self._why = self._label()
        self._suspect = self._label("soft")
        self._facts = FactSheet(self)
        self._history = self._label("faint")
        self.buttons: dict[TriageState, QToolButton] = {}
        self.note = self._field(self.tr("Note"), self.tr("a sentence for the next person"))
        self.tags = self._field(self.tr("Tags"), self.tr("words, separated by commas"))
        self.assignee = self._field(self.tr("Assignee"), self.tr("who shall look at it"))
        self._build()
        theme.changed.connect(self._draw_icons)
        self.show_finding(None, 0)

    def show_finding(self, row: FindingRow | None, chosen: int) -> None:
        """Show a finding; `chosen` counts those that a decision is about. Its history comes later."""
        is_other = row is None or row.id != self._shown_id
        if is_other:
            self._history.clear()
        self._shown_id = None if row is None else row.id
        for widget in (*self.buttons.values(), self.note, self.tags, self.assignee):
            widget.setEnabled(row is not None)
        for state, button in self.buttons.items():
            button.setChecked(row is not None and row.triage.state is state)
        if row is None:
            self._title.setText(self.tr("No finding is chosen"))
            self._why.setText(self.tr("Choose one with the arrow keys; a key from 1 to 6 says what it is."))
            self._suspect.clear()
            self._facts.show_facts(())
            for field in (self.note, self.tags, self.assignee):
                field.clear()
            return
        finding = row.finding
        head = f"{finding.kind.value} · {finding.severity.label}"
        self._title.setText(head if chosen < 2 else self.tr("{0} and {1} more").format(head, chosen - 1))
        self._why.setText(finding.why)
        named = finding.suspect_role  # of two models; else the model is named below
        who = suspect_in_words(finding) if named is None else self.tr("model, the {0}").format(named.value)
        suspect = self.tr("Suspect: {0}").format(who) if who else ""
        self._suspect.setText(f"{suspect} – {finding.suspect_why}" if finding.suspect_why else suspect)
        self._suspect.setVisible(bool(suspect))
        self._facts.show_facts(self._facts_of(row))
        for field, text in (
            (self.note, row.triage.note),
            (self.tags, ", ".join(row.triage.tags)),
            (self.assignee, row.triage.assignee),
        ):
            is_being_written = field.hasFocus() or (field.isModified() and not is_other)
            if not is_being_written:
                field.setText(text)

    def show_history(self, history: tuple[TriageChange, ...]) -> None:
        """Show what was decided about the finding."""
        self._history.setText("\n".join(self._said(change) for change in history[-_SHOWN_CHANGES:]))

    def _facts_of(self, row: FindingRow) -> tuple[tuple[str, str], ...]:
        finding = row.finding
        where = f"#{finding.first_seq} – #{finding.last_seq}"
        if not math.isnan(finding.first_s):
            where = f"{clock(finding.first_s)[:-1]} – {clock(finding.last_s)[:-1]} ({where})"
        facts = [(self.tr("run"), f"{row.run_id} · {self.tr('no')} {finding.number}"), (self.tr("frames"), where)]
        if finding.role is not None:
            name = {"baseline": row.baseline, "candidate": row.candidate}[finding.role.value]
            facts.append((self.tr("model"), f"{finding.role.value} ({name})" if name else finding.role.value))
        first = finding.objects[0] if finding.objects else None
        if first is not None and first.distance_m is not None and math.isfinite(first.distance_m):
            facts.append((self.tr("distance"), f"{first.distance_m:.1f} m"))
        if finding.level is not None:
            facts.append((self.tr("level"), finding.level.value))
        if finding.trigger:
            facts.append((self.tr("trigger"), finding.trigger))
        if finding.clip_note:
            facts.append((self.tr("clip"), finding.clip_note))
        if row.conditions:
            facts.append((self.tr("conditions"), ", ".join(f"{name} {value}" for name, value in row.conditions)))
        return tuple(facts)

    def _said(self, change: TriageChange) -> str:
        what = []
        if change.undoes:
            what.append(self.tr("undone"))
        if change.state is not None:
            what.append(state_words(change.state))
        if change.note is not None:
            what.append(self.tr("note"))
        if change.tags is not None:
            what.append(self.tr("tags {0}").format(", ".join(change.tags) or "–"))
        if change.assignee is not None:
            what.append(self.tr("for {0}").format(change.assignee or "–"))
        return f"{change.when[:16].replace('T', ' ')} · {change.who} · {', '.join(what)}"

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(GAP_S)
        for place, entry in enumerate(STATES):
            button = QToolButton(self)
            button.setText(f"{entry.key}  {entry.words}")
            button.setToolTip(self.tr("{0} (key {1})").format(entry.words, entry.key))
            button.setCheckable(True)
            button.setIconSize(QSize(14, 14))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # never wider than the panel
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            mark(button, kind="chip")
            button.clicked.connect(lambda _=False, state=entry.state: self.state_chosen.emit(state))
            grid.addWidget(button, place // _COLUMNS, place % _COLUMNS)
            self.buttons[entry.state] = button
        form = QFormLayout()
        form.setSpacing(GAP_S)
        form.addRow(self.tr("Note"), self.note)
        form.addRow(self.tr("Tags"), self.tags)
        form.addRow(self.tr("Assignee"), self.assignee)
        body = QWidget(self)
        inner = QVBoxLayout(body)
        inner.setContentsMargins(10, 8, 10, 8)
        inner.setSpacing(GAP)
        for widget in (self._title, self._why, self._suspect):
            inner.addWidget(widget)
        inner.addLayout(grid)
        inner.addLayout(form)
        inner.addWidget(self._facts)
        inner.addWidget(self._history)
        inner.addStretch(1)
        scrolled(body, self)
        self.note.returnPressed.connect(lambda: self.note_given.emit(self._given(self.note)))
        self.tags.returnPressed.connect(lambda: self.tags_given.emit(self._given(self.tags).split(",")))
        self.assignee.returnPressed.connect(lambda: self.assignee_given.emit(self._given(self.assignee)))
        self._draw_icons()

    def _given(self, field: QLineEdit) -> str:
        """Take what was written: from now on it is what was decided that the field shows."""
        field.setModified(False)
        return field.text().strip()

    def _field(self, name: str, hint: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setAccessibleName(name)
        field.setPlaceholderText(hint)
        return field

    def _label(self, tone: str = "") -> Label:
        label = Label(self)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if tone:
            mark(label, tone=tone)
        return label

    def _draw_icons(self) -> None:
        for entry in STATES:
            self.buttons[entry.state].setIcon(self._theme.icon(entry.icon))
