"""What is known about the finding that was chosen and the object that is looked at."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.replay.account import Account
from hilgui.gui.replay.drive import Drive, role_words
from hilgui.gui.replay.overlay import State, Thing
from hilgui.gui.scrolled import scrolled
from hilgui.gui.theme import GAP, GAP_S, mark
from hilgui.numerals import number_of
from hilgui.records import Finding

_TONES = {State.MISSED: "missed", State.PHANTOM: "phantom", State.MATCHED: "good"}


class FactSheet(QWidget):
    """Names on the left, values on the right; values can be selected and copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self._labels: list[tuple[Label, Label]] = []

    def show_facts(self, facts: tuple[tuple[str, str], ...]) -> None:
        """Show these and nothing else; labels are used again."""
        while len(self._labels) < len(facts):
            row = len(self._labels)
            name, value = Label(self), Label(self)
            mark(name, tone="soft")
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setWordWrap(True)
            self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(value, row, 1)
            self._labels.append((name, value))
        for row, (name, value) in enumerate(self._labels):
            is_used = row < len(facts)
            if is_used:
                name.setText(facts[row][0])
                value.setText(facts[row][1])
            name.setVisible(is_used)
            value.setVisible(is_used)


class Inspector(QFrame):
    """Shows one finding and one object; who they are is decided outside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        mark(self, surface="panel")
        self.setAccessibleName(self.tr("Inspector"))
        self._finding_title = _label(self, "heading")
        self._why = _label(self)
        self._extent = _label(self, "soft")
        self._title = _label(self, "section")
        self._sentence = _label(self)
        self._facts = FactSheet(self)
        self._evidence_title = _label(self, "section")
        self._evidence_title.setText(self.tr("Evidence"))
        self._evidence = FactSheet(self)
        self._hint = _label(self, "faint")
        self._hint.setText(self.tr("Point at a box, or press X to go from object to object."))
        self._build()
        self.show_finding(None, None)
        self.show_object(None, None)

    def show_finding(self, finding: Finding | None, drive: Drive | None) -> None:
        """Say why a frame was flagged."""
        is_given = finding is not None and drive is not None
        for widget in (self._finding_title, self._why, self._extent):
            widget.setVisible(is_given)
        evidence = (
            () if finding is None else tuple((_words(name), _number(value)) for name, value in finding.evidence.items())
        )
        self._evidence.show_facts(evidence)
        self._evidence.setVisible(bool(evidence))
        self._evidence_title.setVisible(bool(evidence))
        if finding is None or drive is None:
            self._why.clear()
            return
        self._finding_title.setText(f"{finding.kind.value} · {finding.severity.label}")
        self._why.setText(finding.why)
        self._extent.setText(_extent(finding, drive))

    def show_object(self, thing: Thing | None, account: Account | None) -> None:
        """Say what is known about an object."""
        is_given = thing is not None and account is not None
        for widget in (self._title, self._sentence, self._facts):
            widget.setVisible(is_given)
        self._hint.setVisible(not is_given)
        if thing is None or account is None:
            if self._sentence.text():  # clearing lays the panel out again, also where nothing is written
                self._sentence.clear()
            return
        self._title.setText(account.title)
        self._sentence.setText(account.sentence)
        tone = _TONES.get(thing.state, "soft")
        if self._sentence.property("tone") != tone:
            mark(self._sentence, tone=tone)
        self._facts.show_facts(account.facts)

    @property
    def why(self) -> str:
        """Give the reason on show, "" where no finding is chosen."""
        return self._why.text()

    @property
    def sentence(self) -> str:
        """Give the state of the object on show in words."""
        return self._sentence.text()

    def _build(self) -> None:
        body = QWidget(self)
        inner = QVBoxLayout(body)
        inner.setContentsMargins(10, 8, 10, 8)
        inner.setSpacing(GAP_S)
        parts: tuple[QWidget, ...] = (
            self._finding_title,
            self._why,
            self._extent,
            self._hint,
            self._title,
            self._sentence,
            self._facts,
            self._evidence_title,
            self._evidence,
        )
        for part in parts:
            inner.addWidget(part)
        inner.addStretch(1)
        area = scrolled(body, self)
        area.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # the arrow keys scroll
        area.setAccessibleName(self.tr("Finding and object"))


def _label(parent: QWidget, tone: str = "") -> Label:
    label = Label(parent)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
    if tone:
        mark(label, tone=tone)
    return label


def _extent(finding: Finding, drive: Drive) -> str:
    """Say whose finding it is, and where it begins and ends."""
    parts = []
    if finding.role is not None:
        parts.append(role_words(finding.role, drive.header.models[finding.role].name))
    if finding.first_seq == finding.last_seq:
        parts.append(drive.place(drive.row_of(finding.first_seq)))
    else:
        first, last = drive.place(drive.row_of(finding.first_seq)), drive.place(drive.row_of(finding.last_seq))
        parts.append(f"{first} – {last}")
        parts.append(f"{number_of(finding.frames, 'frame')}, worst {finding.worst_seq}")
    return " · ".join(parts)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.3g}"
