"""The Decide page: a specification and paired runs give one decision, which is recorded, signed and acted upon."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.evidence import Decisions, Recorded
from hilgui.gate import read_specification
from hilgui.gui.busy_bar import BusyBar
from hilgui.gui.decide.acts import Acts
from hilgui.gui.decide.forest import Forest
from hilgui.gui.decide.sheets import (
    ACTIONS,
    bench_rows,
    invariant_rows,
    past_rows,
    plan_rows,
    signed,
    slice_rows,
)
from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.errand import Errand
from hilgui.gui.label import Label, as_tip
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.page import Bench, Page
from hilgui.gui.path_field import PathField
from hilgui.gui.side_desk import SideDesk
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_L, GAP_S, mark
from hilgui.gui.typed_path import is_there, typed_path
from hilgui.pipeline.deciding import Decide, Decided
from hilgui.records import Action, GateResult
from hilgui.resources import shipped
from hilgui.store import RunSummary, list_runs

_PATIENCE_S = 5.0
_RECENT = "recent_gates"


class DecidePage(Page):
    """Figures come from a process beside the screen; what is signed and moved goes through `Acts`."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._desk = SideDesk(self)
        self._errand: Errand[tuple[list[RunSummary], list[Recorded]]] | None = None
        self._folders: dict[str, Path] = {}
        self._decided: Decided | None = None
        self._recorded: Recorded | None = None
        theme = bench.theme
        self.acts = Acts(bench.settings, self)
        self.plan = PathField(
            theme, self.tr("Gate specification"), filters=self.tr("Plans (*.yaml *.yml)"), folders=False, parent=self
        )
        self.runs = QListWidget(self)
        self.past = LinkedTable(theme, self.tr("Recorded decisions"), self)
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
        self.go = QPushButton(self.tr("Decide"), self)
        self.buttons: dict[str, QPushButton] = {}
        self._stack = QStackedWidget(self)
        self._tools: list[QToolButton] = []
        self._keys: list[tuple[str, str]] = []
        self._build()
        self._connect()

    # -- what the window asks ------------------------------------------------------------------------------------------

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys of this page."""
        return self._keys

    def refresh(self) -> None:
        """Look which paired runs and which recorded decisions there are; what is shown stays."""
        if self._errand is not None:
            self._errand.forget()
        settings = self._bench.settings
        self._errand = Errand(
            self,
            "runs and decisions",
            lambda: (list_runs(settings.runs), Decisions(settings.home).all()),
            self._on_found,
            self._on_broken,
        )

    def close_page(self) -> None:
        """Let the process and the threads end."""
        self._desk.close(_PATIENCE_S)
        self.acts.close()
        if self._errand is not None:
            self._errand.forget()
            self._errand.wait(_PATIENCE_S)

    # -- what the operator does ---------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Say whether something is worked out or done."""
        return self._desk.is_busy or self._errand is not None or self.acts.is_busy

    @property
    def decided(self) -> Decided | None:
        """Give the decision that is shown."""
        return self._decided

    @property
    def recorded(self) -> Recorded | None:
        """Give the record of the decision that is shown, None while it is not recorded."""
        return self._recorded

    @property
    def chosen(self) -> tuple[Path, ...]:
        """Give the runs that are ticked."""
        items = [self.runs.item(row) for row in range(self.runs.count())]
        return tuple(self._folders[item.text()] for item in items if item.checkState() is Qt.CheckState.Checked)

    @property
    def command(self) -> str:
        """Give the command that decides the same."""
        return shlex.join(["hilgui", "gate", self.plan.text or "SPEC.yaml", "--runs", *map(str, self.chosen)])

    def choose_runs(self, is_on: bool) -> None:
        """Tick every run, or none."""
        for row in range(self.runs.count()):
            self.runs.item(row).setCheckState(Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked)

    def add_folder(self, folder: Path) -> None:
        """Offer the runs of another folder, ticked; those that were ticked before are not any more."""
        found = [one for one in list_runs(folder) if one.candidate and not one.problem]
        if not found:
            self.message.emit("warning", self.tr("{0} holds no runs with a candidate.").format(folder))
            return
        self.choose_runs(False)
        self._offer(found)

    def decide(self) -> None:
        """Put the specification to the runs."""
        plan = typed_path(self.plan.text)
        if not self.plan.text or self.plan.hint or not self.chosen:
            self.message.emit("info", self.tr("Choose a specification without mistakes, and tick the runs."))
            return
        self._bench.memory.add(_RECENT, str(plan))
        self._desk.ask("decide", Decide(plan, self.chosen, self._bench.settings.models), self._on_decided)

    def verify(self, bundle: Path) -> None:
        """Check a bundle and show what was found."""
        self.acts.verify(bundle)

    def show_behind(self, gate: object) -> None:
        """Open the first run of the decision; Evaluate shows there what is behind its figures."""
        if isinstance(gate, str) and gate in self._folders:
            self.open_run_asked.emit(self._folders[gate], None)
        elif isinstance(gate, GateResult) and self._decided is not None:
            self.open_run_asked.emit(self._worst_run(gate), None)

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
            ("terminal", self.tr("Copy the command that decides the same"), "Ctrl+Shift+C", self._copy_command),
            ("refresh", self.tr("Decide again"), "F5", self.decide),
        ):
            head.addWidget(self._tool(icon, words, keys, doer))
        body = splitter(Qt.Orientation.Horizontal, self._left(), self._stack, stretch=(1, 3))
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
        self._draw_icons()

    def _left(self) -> QWidget:
        self.runs.setAccessibleName(self.tr("Paired runs"))
        self._count = Label(self)
        mark(self._count, tone="soft")
        chooser = QHBoxLayout()
        chooser.setSpacing(GAP_S)
        chooser.addWidget(self._count, 1)
        for words, doer in (
            (self.tr("All"), partial(self.choose_runs, True)),
            (self.tr("None"), partial(self.choose_runs, False)),
            (self.tr("Folder…"), self._choose_folder),
        ):
            button = QPushButton(words, self)
            mark(button, kind="link")
            button.clicked.connect(lambda _=False, doer=doer: doer())
            chooser.addWidget(button)
        mark(self.go, kind="primary")
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self._section(self.tr("Specification")))
        column.addWidget(self.plan)
        column.addWidget(self._section(self.tr("Runs with a candidate")))
        column.addLayout(chooser)
        column.addWidget(self.runs, 3)
        column.addWidget(self.go)
        column.addWidget(self._section(self.tr("Recorded decisions")))
        column.addWidget(self.past, 2)
        return left

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
        lower = splitter(Qt.Orientation.Vertical, scroll, self.tabs, stretch=(3, 2))
        column.addWidget(lower, 1)
        return right

    def _section(self, words: str) -> Label:
        label = Label(words, self)
        mark(label, tone="section")
        return label

    def _tool(self, icon: str, words: str, keys: str, doer: Callable[[], object]) -> QToolButton:
        button = QToolButton(self)
        button.setToolTip(f"{words} ({keys})")
        button.setAccessibleName(words)
        button.setProperty("icon_name", icon)
        button.setIconSize(QSize(18, 18))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _=False: doer())
        shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(lambda: doer())
        self._keys.append((keys, words))
        self._tools.append(button)
        return button

    def _connect(self) -> None:
        self._desk.failed.connect(self.trouble)
        self._desk.busy_changed.connect(self.busy.show_busy)
        self._desk.progress.connect(self.busy.show_progress)
        self.busy.cancelled.connect(self._desk.cancel)
        self.plan.changed.connect(self._check_plan)
        self.runs.itemChanged.connect(lambda _item: self._say_chosen())
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
        self._bench.theme.changed.connect(self._draw_icons)
        self.plan.remember(self._bench.memory.existing(_RECENT))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _on_found(self, found: tuple[list[RunSummary], list[Recorded]]) -> None:
        self._errand = None
        runs, past = found
        self.past.put(*past_rows(self.tr, past))
        self._offer([one for one in runs if one.candidate and not one.problem])
        demo = shipped("assets/demo/gate.yaml")
        known = self._bench.memory.existing(_RECENT)
        self.plan.remember([*known, *([demo] if is_there(demo) and demo not in known else [])])
        if self._decided is None and self._recorded is None:
            self._say_empty()

    def _on_broken(self, sentence: str, details: str) -> None:
        self._errand = None
        self.trouble.emit(sentence, details)

    def _offer(self, found: list[RunSummary]) -> None:
        for one in found:
            if one.folder.name not in self._folders:
                self._folders[one.folder.name] = one.folder
                item = QListWidgetItem(one.folder.name, self.runs)
                item.setCheckState(Qt.CheckState.Checked)
                item.setToolTip(
                    as_tip(f"{one.source}: {one.baseline} / {one.candidate}, {one.frames:,}, {one.outcome}")
                )
        self._say_chosen()

    def _say_chosen(self) -> None:
        self._count.setText(self.tr("{0} of {1}").format(len(self.chosen), self.runs.count()))
        self._command.setText(self.command)
        self._command.setToolTip(as_tip(self.command))

    def _check_plan(self, text: str) -> None:
        """Say the first mistake of the specification with its line."""
        self.plan.say("")
        path = typed_path(text.strip())
        if text.strip() and is_there(path):
            try:
                read_specification(path)
            except HilguiError as failure:
                self.plan.say(str(failure), "missed")
        elif text.strip():
            self.plan.say(self.tr("there is no such file"), "missed")
        self._say_chosen()

    def _on_decided(self, decided: Decided) -> None:
        self._decided, self._recorded = decided, None
        decision = decided.decision
        self.forest.put(decision.gates, decided.spread)
        self.tables["plan"].put(*plan_rows(self.tr, decision))
        self.tables["invariants"].put(*invariant_rows(self.tr, decision))
        self.tables["slices"].put(*slice_rows(self.tr, decision))
        self.tables["bench"].put(*bench_rows(self.tr, decision, decided.notes))
        self._say(decision.action, decision.sentence, decision.reasons, decision.next_steps)

    def _show_past(self, recorded: Recorded) -> None:
        """Show what a recorded decision says; its plot comes back when it is decided again."""
        if self._decided is not None and self._decided.decision.runs != recorded.runs:
            self._decided = None
            self.forest.put((), {})
            for table in self.tables.values():
                table.put((), [])
        self._recorded = recorded
        plain = recorded.plain["decision"]
        self._say(recorded.action, plain["sentence"], plain["reasons"], plain["next_steps"])

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
        self._allow()
        self.refresh()

    def _allow(self) -> None:
        """Enable what can be done now."""
        one, is_free = self._recorded, not self.acts.is_busy
        self._signed.setText(self.tr("not recorded") if one is None else self.tr("signed: ") + signed(self.tr, one))
        can = {
            "record": one is None and self._decided is not None,
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
                self.acts.export(self._recorded, Path(chosen))

    def _choose_bundle(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Verify a bundle"), str(Path.home()), "Zip (*.zip)")
        if chosen:
            self.verify(Path(chosen))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Runs of a folder"), str(self._bench.settings.runs))
        if chosen:
            self.add_folder(Path(chosen))

    def _save(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save the forest plot"), str(Path.home() / "forest.svg"), "SVG (*.svg);;PNG (*.png)"
        )
        if chosen:
            try:
                self.forest.save(Path(chosen))
            except HilguiError as failure:
                self.message.emit("error", str(failure))

    def _copy_command(self) -> None:
        QGuiApplication.clipboard().setText(self.command)
        self.message.emit("info", self.tr("Copied: {0}").format(self.command))

    def _say_empty(self) -> None:
        hint = self.tr(
            "Choose the specification that was written before anybody looked, and tick the runs of both models over "
            "many drives. The answer is PROMOTE, HOLD, ROLL BACK or INCONCLUSIVE, with its reasons. A bundle that is "
            "dropped on the window is verified."
        )
        button = "" if self._folders else self.tr("Run the demo")
        self.empty.say(self.tr("May the candidate replace the baseline?"), hint, button)
        self._stack.setCurrentIndex(1)

    def _draw_icons(self) -> None:
        for button in self._tools:
            button.setIcon(self._bench.theme.icon(button.property("icon_name")))
