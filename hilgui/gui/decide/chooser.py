"""The left side of the Decide page: the specification, the runs, and the decisions that were recorded before."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.evidence import Decisions, Recorded
from hilgui.gate import read_specification
from hilgui.gui.decide.sheets import past_rows
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.label import Label, as_tip
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.page import Bench
from hilgui.gui.path_field import PathField
from hilgui.gui.theme import GAP, GAP_S, mark
from hilgui.gui.typed_path import is_there, typed_path
from hilgui.resources import shipped
from hilgui.store import RunSummary, list_runs

_PATIENCE_S = 5.0
_RECENT = "recent_gates"


class Chooser(QWidget):
    """Every look at the disk (specification, runs, records) goes on beside the screen."""

    changed = Signal()  # another specification or other runs
    read = Signal()  # runs and decisions were looked at
    message = Signal(str, str)
    trouble = Signal(str, str)

    def __init__(self, bench: Bench, parent: QWidget) -> None:
        super().__init__(parent)
        self._bench = bench
        self._found: dict[str, RunSummary] = {}
        self._reading: Errand[tuple[list[RunSummary], list[Recorded]]] | None = None
        self._checking: Errand[str | None] | None = None
        self._adding: Errand[list[RunSummary]] | None = None
        self.plan = PathField(
            bench.theme,
            self.tr("Gate specification"),
            filters=self.tr("Plans (*.yaml *.yml)"),
            folders=False,
            parent=self,
            wraps=True,
        )
        self.runs = QListWidget(self)
        self.past = LinkedTable(bench.theme, self.tr("Recorded decisions"), self)
        self.go = QPushButton(self.tr("Decide"), self)
        self._build()
        self.plan.changed.connect(self._check_plan)
        self.runs.itemChanged.connect(lambda _item: self._say_chosen())
        self.plan.remember(bench.memory.existing(_RECENT))

    @property
    def is_busy(self) -> bool:
        """Say whether the disk is being looked at."""
        return any(each is not None for each in (self._reading, self._checking, self._adding))

    @property
    def chosen(self) -> tuple[Path, ...]:
        """Give the runs that are ticked."""
        return tuple(one.folder for one in self._ticked())

    @property
    def is_ready(self) -> bool:
        """Say whether there is something to decide; a specification that is still being read counts."""
        return bool(self.plan.text and not self.plan.hint and self.chosen)

    def folder(self, name: str) -> Path | None:
        """Give the folder of a run that is offered."""
        found = self._found.get(name)
        return None if found is None else found.folder

    def refresh(self) -> None:
        """Look which paired runs and which recorded decisions there are."""
        if self._reading is not None:
            self._reading.forget()
        settings = self._bench.settings
        self._reading = Errand(
            self,
            "runs and decisions",
            lambda: (list_runs(settings.runs), Decisions(settings.home).all()),
            self._on_found,
            self._on_broken,
        )

    def choose_runs(self, is_on: bool) -> None:
        """Tick every run, or none."""
        for row in range(self.runs.count()):
            self.runs.item(row).setCheckState(Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked)

    def add_folder(self, folder: Path) -> None:
        """Offer the runs of another folder, ticked; those that were ticked before are not any more."""

        def done(found: list[RunSummary]) -> None:
            self._adding = None
            paired = _paired(found)
            if not paired:
                self.message.emit("warning", self.tr("{0} holds no runs with a candidate.").format(folder))
                return
            self.choose_runs(False)
            self._offer(paired, again=True)

        def failed(sentence: str, details: str) -> None:
            self._adding = None
            self.trouble.emit(sentence, details)

        if self._adding is not None:
            self._adding.forget()
        self._adding = Errand(self, "runs of a folder", lambda: list_runs(folder), done, failed)

    def note_used(self) -> None:
        """Offer the specification again next time."""
        self._bench.memory.add(_RECENT, str(typed_path(self.plan.text)))

    def shut(self) -> None:
        """Let the threads end; for the end of the application."""
        let_go(_PATIENCE_S, self._reading, self._checking, self._adding)

    def _build(self) -> None:
        self.runs.setAccessibleName(self.tr("Paired runs"))
        self.runs.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.runs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._count = Label(self)
        mark(self._count, tone="soft")
        row = QHBoxLayout()
        row.setSpacing(GAP_S)
        row.addWidget(self._count, 1)
        for words, doer in (
            (self.tr("All"), partial(self.choose_runs, True)),
            (self.tr("None"), partial(self.choose_runs, False)),
            (self.tr("Folder…"), self._choose_folder),
        ):
            button = QPushButton(words, self)
            mark(button, kind="link")
            button.clicked.connect(lambda _=False, doer=doer: doer())
            row.addWidget(button)
        mark(self.go, kind="primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self._section(self.tr("Specification")))
        column.addWidget(self.plan)
        column.addWidget(self._section(self.tr("Runs with a candidate")))
        column.addLayout(row)
        column.addWidget(self.runs, 3)
        column.addWidget(self.go)
        column.addWidget(self._section(self.tr("Recorded decisions")))
        column.addWidget(self.past, 2)

    def _section(self, words: str) -> Label:
        label = Label(words, self)
        mark(label, tone="section")
        return label

    def _on_found(self, found: tuple[list[RunSummary], list[Recorded]]) -> None:
        self._reading = None
        runs, past = found
        self.past.put(*past_rows(self.tr, past))
        self._offer(_paired(runs))
        demo = shipped("assets/demo/gate.yaml")
        known = self._bench.memory.existing(_RECENT)
        self.plan.remember([*known, *([demo] if is_there(demo) and demo not in known else [])])
        self.read.emit()

    def _on_broken(self, sentence: str, details: str) -> None:
        self._reading = None
        self.trouble.emit(sentence, details)

    def _offer(self, found: list[RunSummary], *, again: bool = False) -> None:
        """Add runs, ticked where they belong to those that are; with `again` all are ticked, also what was there."""
        ticked = self._ticked() or found
        wanted = {_belongs(one) for one in ticked[:1]}
        known = {self.runs.item(row).text(): self.runs.item(row) for row in range(self.runs.count())}
        for one in found:
            name = one.folder.name
            item = known.get(name)
            if item is None:
                item = QListWidgetItem(name, self.runs)
            elif not again:
                continue
            self._found[name] = one
            is_on = again or _belongs(one) in wanted
            item.setCheckState(Qt.CheckState.Checked if is_on else Qt.CheckState.Unchecked)
            item.setToolTip(as_tip(f"{one.source}: {one.baseline} / {one.candidate}, {one.frames:,}, {one.outcome}"))
        self._say_chosen()

    def _ticked(self) -> list[RunSummary]:
        items = [self.runs.item(row) for row in range(self.runs.count())]
        return [self._found[item.text()] for item in items if item.checkState() is Qt.CheckState.Checked]

    def _say_chosen(self) -> None:
        total = self.runs.count()
        self._count.setText(self.tr("{0} of {1}").format(len(self.chosen), total) if total else self.tr("none yet"))
        self.changed.emit()

    def _check_plan(self, text: str) -> None:
        """Say the first mistake of the specification with its line; the file may lie on a slow disk."""
        if self._checking is not None:
            self._checking.forget()
            self._checking = None
        self.plan.say("")
        if text.strip():
            self._checking = Errand(self, "specification", lambda: _mistake(text), self._say_mistake, self._say_broken)
        self.changed.emit()

    def _say_mistake(self, mistake: str | None) -> None:
        self._checking = None
        self.plan.say(self.tr("there is no such file") if mistake is None else mistake, "missed")
        self.changed.emit()

    def _say_broken(self, sentence: str, _details: str) -> None:
        self._checking = None
        self.plan.say(sentence, "missed")

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Runs of a folder"), str(self._bench.settings.runs))
        if chosen:
            self.add_folder(Path(chosen))


def _belongs(one: RunSummary) -> tuple[str, str, str]:
    """Give what the runs of one question have in common: the campaign and both models."""
    return one.campaign, one.baseline, one.candidate


def _paired(found: list[RunSummary]) -> list[RunSummary]:
    return [one for one in found if one.candidate and not one.problem]


def _mistake(text: str) -> str | None:
    """Give the first mistake of a specification, "" where it has none, None where there is no such file."""
    path = typed_path(text)
    if not is_there(path):
        return None
    try:
        read_specification(path)
    except HilguiError as failure:
        return str(failure).removeprefix(f"{path}, ")  # the path stands above it
    return ""
