"""The arming state with what may be done about it: select, arm, confirm within 30 s, hold, reset as a named person."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.gui.label import Label
from hilgui.gui.rig.diagram import StateDiagram
from hilgui.gui.rig.link import RigLink
from hilgui.gui.theme import GAP, GAP_S, Theme, mark
from hilgui.rigs.arming import CONFIRM_NS, State

_TICK_MS = 100


class ArmPanel(QFrame):
    """Shows what the supervisor says; each button only asks it."""

    def __init__(
        self,
        theme: Theme,
        link: RigLink,
        operator: str,
        parent: QWidget,
        *,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._now_ns = now_ns
        mark(self, surface="panel")
        self.diagram = StateDiagram(theme, self)
        self.sentence = Label(self)
        self.sentence.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setMinimumHeight(34)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.person = QLineEdit(operator, self)
        self.person.setPlaceholderText(self.tr("your name"))
        self.person.setAccessibleName(self.tr("Name of the person who asks"))
        self.person.setMaxLength(80)
        self.countdown = QProgressBar(self)
        self.countdown.setRange(0, CONFIRM_NS // 1_000_000)
        self.seconds = Label(self)
        self.is_clear = QCheckBox(self.tr("The cause is gone, and nobody is in reach"), self)
        self.buttons: dict[str, QPushButton] = {}
        for name, words, doer in (
            ("select", self.tr("Select rig"), link.select),
            ("arm", self.tr("ARM…"), link.arm),
            ("hold", self.tr("Hold"), link.hold),
            ("resume", self.tr("Resume"), link.resume),
            ("release", self.tr("Release"), link.release),
            ("disarm", self.tr("Disarm"), link.disarm),
            ("confirm", self.tr("Confirm: everybody is clear of the rig"), link.confirm),
            ("reset", self.tr("Reset the latch"), link.reset),
        ):
            button = QPushButton(words, self)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _=False, doer=doer: doer(self.by))
            self.buttons[name] = button
        for name in ("confirm", "reset"):
            mark(self.buttons[name], kind="primary")
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._count_down)
        self._build()
        link.state_changed.connect(self.refresh)
        self.person.textChanged.connect(lambda _: self.refresh())
        self.is_clear.toggled.connect(lambda _: self.refresh())
        self.refresh()

    @property
    def by(self) -> str:
        """Give the name of whoever stands at the screen."""
        return self.person.text().strip()

    def press(self, name: str) -> None:
        """Do what a key stands for, as if its button were clicked; nothing where that is not allowed now."""
        if self.buttons[name].isVisibleTo(self):
            self.buttons[name].click()

    def refresh(self) -> None:
        """Show the state, what may be done, and why it is so."""
        link, arming, state = self._link, self._link.arming, self._link.state
        self.diagram.show_state(state)
        has_name = bool(self.by)
        shown = {
            State.SHADOW: ("select",),
            State.SAFE: ("arm", "release"),
            State.ARMING: ("disarm", "confirm"),
            State.ARMED: ("hold", "disarm"),
            State.HOLD: ("resume", "disarm"),
            State.LATCHED: ("reset",),
        }.get(state, ()) if state is not None else ()  # fmt: skip
        for name, button in self.buttons.items():
            button.setVisible(name in shown)
            button.setEnabled(has_name)
        self.buttons["arm"].setEnabled(has_name and arming.is_verified)
        self.buttons["disarm"].setText(self.tr("Give up") if state is State.ARMING else self.tr("Disarm"))
        is_latched = state is State.LATCHED
        if not is_latched:
            self.is_clear.setChecked(False)
        self.is_clear.setVisible(is_latched)
        self.buttons["reset"].setEnabled(has_name and self.is_clear.isChecked())
        is_arming = state is State.ARMING
        self.countdown.setVisible(is_arming)
        self.seconds.setVisible(is_arming)
        if is_arming:
            self._timer.start()
            self._count_down()
        else:
            self._timer.stop()
        self._say(link)

    def _say(self, link: RigLink) -> None:
        arming, state = link.arming, link.state
        who = self.tr(" by {0}").format(arming.by) if arming.by else ""
        words = {
            State.SHADOW: self.tr("Shadow: only read-only commands go out; nothing can move."),
            State.SAFE: self.tr("Safe: outputs are read back as off. Arm to move anything by hand.")
            if arming.is_verified
            else self.tr("Safe: the outputs are being read back…"),
            State.ARMING: self.tr("Arming{0}: nothing moves before the second confirmation.").format(who),
            State.ARMED: self.tr("ARMED{0}: whatever you set happens at once. F12 stops.").format(who),
            State.HOLD: self.tr("On hold{0}, power stays on: {1}.").format(who, arming.reason),
            State.STOPPING: self.tr("Stopping: {0}.").format(arming.reason),
            State.LATCHED: self.tr("LATCHED{0}: {1}. It stays so until a person resets it.").format(who, arming.reason),
        }
        sentence = self.tr("No rig is open.") if state is None else words[state]
        if arming.refusal and state is not None:
            sentence += self.tr("\nRefused: {0}.").format(arming.refusal)
        if not self.by:
            sentence += self.tr("\nWrite your name first: it stands in the journal.")
        self.sentence.setText(sentence)
        mark(self.sentence, tone="missed" if state in (State.LATCHED, State.STOPPING) else "")

    def _count_down(self) -> None:
        left_ns = max(0, CONFIRM_NS - (self._now_ns() - self._link.arming.since_ns))
        self.countdown.setValue(left_ns // 1_000_000)
        self.seconds.setText(self.tr("{0} s left").format(-(-left_ns // 1_000_000_000)))

    def _build(self) -> None:
        head = Label(self.tr("Arming"), self)
        mark(head, tone="section")
        who = QHBoxLayout()
        name = Label(self.tr("Person"), self)
        mark(name, tone="soft")
        who.addWidget(name)
        who.addWidget(self.person, 1)
        counting = QHBoxLayout()
        counting.addWidget(self.countdown, 1)
        counting.addWidget(self.seconds)
        grid = QGridLayout()
        grid.setSpacing(GAP)
        for place, pair in enumerate((("select",), ("arm", "release"), ("hold", "resume", "disarm"))):
            for button in pair:
                grid.addWidget(self.buttons[button], 0, 3 * place + pair.index(button))
        wide = QVBoxLayout()
        wide.setSpacing(GAP)
        wide.addLayout(counting)
        wide.addWidget(self.is_clear)
        wide.addWidget(self.buttons["confirm"])
        wide.addWidget(self.buttons["reset"])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP_S)
        layout.addWidget(head)
        layout.addWidget(self.diagram)
        layout.addWidget(self.sentence)
        layout.addLayout(who)
        layout.addLayout(grid)
        layout.addLayout(wide)
