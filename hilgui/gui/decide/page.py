"""The Decide page: a specification and paired runs give one decision, which is recorded, signed and acted upon."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.evidence import Recorded
from hilgui.gui.busy_bar import BusyBar
from hilgui.gui.decide.acts import Acts
from hilgui.gui.decide.chooser import Chooser
from hilgui.gui.decide.forest import Forest
from hilgui.gui.decide.sheets import (
    ACTIONS,
    bench_rows,
    invariant_rows,
    plan_rows,
    signed,
    slice_rows,
)
from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.label import Label, as_tip
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.side_desk import SideDesk
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.gui.typed_path import typed_path
from hilgui.pipeline.deciding import Decide, Decided
from hilgui.records import Action, Decision, GateResult

_PATIENCE_S = 5.0
_FRAME, _MOST = 4, 0.6  # px around the forest plot; share of the height that it may take
_RECENT = "recent_gates"


class DecidePage(BenchPage):
    """Figures come from a process beside the screen; what is signed and moved goes through `Acts`."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._desk = SideDesk(self)
        self._decided: Decided | None = None
        self._recorded: Recorded | None = None
        self._asked_for = self._answers_to = ""  # commands
        theme = bench.theme
        self.acts = Acts(bench.settings, self)
        self.chooser = Chooser(bench, self)
        self.plan, self.runs, self.past = self.chooser.plan, self.chooser.runs, self.chooser.past
        self.go = self.chooser.go
        self.forest = Forest(theme, self)
        self.tables = {
            name: LinkedTable(theme, words, self)
            for name, words in (
                ("plan", self.tr("Figures and drives needed")),
                ("invariants", self.tr("Invariants")),
                ("slices", self.tr("Slices")),
                ("bench", self.tr("Bench and runs")),
            )
        }
        self.busy = BusyBar(self)
        self.empty = EmptyPage(self)
        self.tabs = QTabWidget(self)
        self.buttons: dict[str, QPushButton] = {}
        self._stack = QStackedWidget(self)
        self._build()
        self._connect()

    # -- what the window asks ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look which paired runs and which recorded decisions there are; what is shown stays."""
        self.chooser.refresh()

    def close_page(self) -> None:
        """Let the process and the threads end."""
        self._desk.close(_PATIENCE_S)
        self.acts.close()
        self.chooser.shut()

    # -- what the operator does ---------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Say whether something is worked out or done."""
        return self._desk.is_busy or self.chooser.is_busy or self.acts.is_busy

    @property
    def decided(self) -> Decided | None:
        """Give the decision that is shown."""
        return self._decided

    @property
    def recorded(self) -> Recorded | None:
        """Give the record of the decision that is shown, None while it is not recorded."""
        return self._recorded

    @property
    def command(self) -> str:
        """Give the command that decides the same."""
        return shlex.join(["hilgui", "gate", self.plan.text or "SPEC.yaml", "--runs", *map(str, self.chooser.chosen)])

    def decide(self) -> None:
        """Put the specification to the runs."""
        plan = typed_path(self.plan.text)
        if not self.chooser.is_ready:
            self.message.emit("info", self.tr("Choose a specification without mistakes, and tick the runs."))
            return
        self.chooser.note_used()
        self._asked_for = self.command
        self._desk.ask("decide", Decide(plan, self.chooser.chosen, self._bench.settings.models), self._on_decided)

    def verify(self, bundle: Path) -> None:
        """Check a bundle and show what was found."""
        self.acts.verify(bundle)

    def export(self, recorded: Recorded, out: Path) -> None:
        """Write the bundle of a recorded decision from the runs that are offered here."""
        folders = (self.chooser.folder(run) for run in recorded.runs)
        self.acts.export(recorded, out, [folder for folder in folders if folder is not None])

    def save_forest(self, path: Path) -> None:
        """Save the forest plot as PNG or SVG and note it in the journal; raises BenchBroken where it is not written."""
        self.forest.save(path)
        about = () if self._decided is None else self._decided.decision.runs
        self.acts.note_plot(path, about if self._recorded is None else (self._recorded.id,))

    def show_behind(self, gate: object) -> None:
        """Open the first run of the decision; Evaluate shows there what is behind its figures."""
        folder = self.chooser.folder(gate) if isinstance(gate, str) else None
        if folder is not None:
            self.open_run_asked.emit(folder, None)
        elif isinstance(gate, GateResult) and self._decided is not None:
            self.open_run_asked.emit(self._worst_run(gate), None)
        elif isinstance(gate, GateResult):
            self.message.emit("info", self.tr("Decide again to go to the drive in which the candidate lost most."))

    def _worst_run(self, gate: GateResult) -> Path:
        """Give the run of the drive in which the candidate lost most."""
        assert self._decided is not None
        turn = 1 if gate.better == "higher" else -1
        spread = self._decided.spread.get(gate.metric, ())
        runs = self._decided.decision.runs
        name = runs[min(range(len(spread)), key=lambda place: turn * spread[place])] if spread else runs[0]
        return next((folder for folder in self._decided.folders if folder.name == name), self._decided.folders[0])

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        heading = Label(self.tr("Decide"), self)
        mark(heading, tone="heading")
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(heading)
        head.addStretch(1)
        head.addWidget(self.busy)
        for icon, words, keys, doer in (
            ("check", self.tr("Verify an evidence bundle"), "Ctrl+B", self._choose_bundle),
            ("export", self.tr("Save the forest plot"), "Ctrl+S", self._save),
            ("terminal", self.tr("Copy the command that decides the same"), "Ctrl+Shift+C", self.copy_command),
            ("refresh", self.tr("Decide again"), "F5", self.decide),
        ):
            head.addWidget(self._tool(icon, words, keys, doer))
        body = splitter(Qt.Orientation.Horizontal, self.chooser, self._stack, stretch=(1, 3))
        body.setSizes([300, 860])
        self._stack.addWidget(self._right())
        self._stack.addWidget(self.empty)
        self._command = Label(self)
        mark(self._command, tone="mono")
        self._command.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(body, 1)
        layout.addWidget(self._command)
        self._keys.append((self.tr("Up, Down, Enter"), self.tr("Go through the gates, open the worst drive of one")))
        self._say_empty()

    def _right(self) -> QWidget:
        self._action, self._sentence, self._rest, self._signed = (Label(self) for _ in range(4))
        mark(self._action, tone="title")
        mark(self._signed, tone="soft")
        for label in (self._sentence, self._rest):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        mark(self._rest, tone="soft")
        acts = QHBoxLayout()
        acts.setSpacing(GAP)
        for name, words, doer in (
            ("record", self.tr("Record"), self._record),
            ("sign", self.tr("Sign…"), partial(self._act, self.acts.sign)),
            ("promote", self.tr("Promote…"), partial(self._act, self.acts.promote)),
            ("roll_back", self.tr("Roll back…"), self._roll_back),
            ("incident", self.tr("Incident…"), partial(self._act, self.acts.open_incident)),
            ("export", self.tr("Export bundle…"), self._export),
        ):
            button = QPushButton(words, self)
            button.clicked.connect(lambda _=False, doer=doer: doer())
            self.buttons[name] = button
            acts.addWidget(button)
        acts.addStretch(1)
        drives = QCheckBox(self.tr("Drives as dots"), self)
        drives.toggled.connect(self.forest.show_drives)
        acts.addWidget(drives)
        for name, table in self.tables.items():
            self.tabs.addTab(table, {"plan": self.tr("Drives needed")}.get(name, table.accessibleName()))
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setWidget(self.forest)
        top = QHBoxLayout()
        top.addWidget(self._action)
        top.addStretch(1)
        top.addWidget(self._signed)
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(GAP, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(top)
        column.addWidget(self._sentence)
        column.addWidget(self._rest)
        column.addLayout(acts)
        self._lower = splitter(Qt.Orientation.Vertical, scroll, self.tabs, stretch=(3, 2))
        column.addWidget(self._lower, 1)
        return right

    def _connect(self) -> None:
        self._desk.failed.connect(self.trouble)
        self._desk.busy_changed.connect(self.busy.show_busy)
        self._desk.progress.connect(self.busy.show_progress)
        self.busy.cancelled.connect(self._desk.cancel)
        self.chooser.changed.connect(self._say_command)
        self.chooser.read.connect(self._on_read)
        self.chooser.message.connect(self.message)
        self.chooser.trouble.connect(self.trouble)
        self.runs.itemDoubleClicked.connect(lambda item: self.show_behind(item.text()))
        self.go.clicked.connect(lambda _=False: self.decide())
        self.forest.asked.connect(self.show_behind)
        for table in self.tables.values():
            table.asked.connect(self.show_behind)
        self.past.asked.connect(self._show_past)
        self.empty.asked.connect(self.demo_asked)
        self.acts.message.connect(self.message)
        self.acts.trouble.connect(self.trouble)
        self.acts.recorded.connect(self._on_recorded)
        self.acts.busy_changed.connect(lambda _is_busy: self._allow())

    # -- inside -------------------------------------------------------------------------------------------------------

    def _on_read(self) -> None:
        if self._decided is None and self._recorded is None:
            self._say_empty()

    def _say_command(self) -> None:
        self._command.setText(self.command)
        self._command.setToolTip(as_tip(self.command))
        self._allow()

    @property
    def _is_stale(self) -> bool:
        """Say whether the answer that is shown is about something else than what is chosen now."""
        return self._decided is not None and self._recorded is None and self.command != self._answers_to

    def _on_decided(self, decided: Decided) -> None:
        self._decided, self._recorded, self._answers_to = decided, None, self._asked_for
        decision = decided.decision
        self._show_figures(decision, decided.spread, decided.notes)
        self._say(decision.action, decision.sentence, decision.reasons, decision.next_steps)

    def _show_figures(self, decision: Decision, spread: dict[str, tuple[float, ...]], notes: tuple[str, ...]) -> None:
        self._show_forest(decision.gates, spread)
        self.tables["plan"].put(*plan_rows(self.tr, decision))
        self.tables["invariants"].put(*invariant_rows(self.tr, decision))
        self.tables["slices"].put(*slice_rows(self.tr, decision))
        self.tables["bench"].put(*bench_rows(self.tr, decision, notes))

    def _show_forest(self, gates: tuple[GateResult, ...], spread: dict[str, tuple[float, ...]]) -> None:
        """Give the plot the height of its rows, as far as the tables keep theirs."""
        before = self.forest.height()
        self.forest.put(gates, spread)
        if self.forest.height() != before:
            room = max(sum(self._lower.sizes()), self._lower.height())
            plot = min(self.forest.height() + _FRAME, round(room * _MOST))
            self._lower.setSizes([plot, room - plot])

    def _show_past(self, recorded: Recorded) -> None:
        """Show what a recorded decision says; single drives come back when it is decided again."""
        plain = recorded.plain["decision"]
        decision = Decision.from_json(plain)
        if self._decided is None or _asked(self._decided.decision) != _asked(decision):
            self._decided = None
            self._show_figures(decision, {}, tuple(recorded.plain["notes"]))
        self._recorded = recorded
        self._say(recorded.action, plain["sentence"], plain["reasons"], recorded.next_steps)

    def _say(self, action: Action, sentence: str, reasons: tuple[str, ...], steps: tuple[str, ...]) -> None:
        tone, sign = ACTIONS[action]
        self._action.setText(f"{sign}  {action.value}")
        self._action.setAccessibleName(self.tr("Decision: {0}").format(action.value))
        mark(self._action, tone="title", verdict=tone)
        self._sentence.setText(sentence)
        self._rest.setText("\n".join([*(f"·  {one}" for one in reasons[1:]), *(f"→  {one}" for one in steps)]))
        self._stack.setCurrentIndex(0)
        self._allow()

    def _on_recorded(self, recorded: Recorded) -> None:
        self._recorded = recorded
        plain = recorded.plain["decision"]
        self._say(recorded.action, plain["sentence"], plain["reasons"], recorded.next_steps)
        self.refresh()

    def _allow(self) -> None:
        """Enable what can be done now."""
        one, is_free = self._recorded, not self.acts.is_busy
        if self._is_stale:
            self._signed.setText(self.tr("other runs or another plan are chosen: decide again"))
        else:
            self._signed.setText(self.tr("not recorded") if one is None else self.tr("signed: ") + signed(self.tr, one))
        can = {
            "record": one is None and self._decided is not None and not self._is_stale,
            "sign": one is not None and not (one.people_needed and one.is_agreed),
            "promote": one is not None and one.action is Action.PROMOTE and one.is_agreed,
            "roll_back": True,
            "incident": one is not None,
            "export": one is not None,
        }
        for name, button in self.buttons.items():
            button.setEnabled(can[name] and is_free)

    def _record(self) -> None:
        if self._decided is not None:
            self.acts.record(self._decided)

    def _act(self, act: Callable[[Recorded], None]) -> None:
        if self._recorded is not None:
            act(self._recorded)

    def _roll_back(self) -> None:
        self.acts.roll_back("" if self._recorded is None else self._recorded.slot)

    def _export(self) -> None:
        if self._recorded is not None:
            start = str(Path.home() / f"{self._recorded.id}.zip")
            chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export the bundle"), start, "Zip (*.zip)")
            if chosen:
                self.export(self._recorded, Path(chosen))

    def _choose_bundle(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Verify a bundle"), str(Path.home()), "Zip (*.zip)")
        if chosen:
            self.verify(Path(chosen))

    def _save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the forest plot"), str(Path.home() / "forest.svg"), "SVG (*.svg);;PNG (*.png)"
        )
        if chosen:
            try:
                self.save_forest(Path(chosen))
            except HilguiError as failure:
                self.message.emit("error", str(failure))

    def _say_empty(self) -> None:
        hint = self.tr(
            "Choose the specification that was written before anybody looked, and tick the runs of both models over "
            "many drives. The answer is PROMOTE, HOLD, ROLL BACK or INCONCLUSIVE, with its reasons. A bundle that is "
            "dropped on the window is verified."
        )
        button = "" if self.runs.count() else self.tr("Run the demo")
        self.empty.say(self.tr("May the candidate replace the baseline?"), hint, button)
        self._stack.setCurrentIndex(1)


def _asked(decision: Decision) -> tuple[object, ...]:
    """Give what was put to which runs."""
    return decision.specification_sha256, decision.runs, decision.models
