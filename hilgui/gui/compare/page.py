"""The Compare page: runs of one drive beside each other; what is better, worse, new, gone, or waived by somebody."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from hilgui.errors import HilguiError
from hilgui.gui.busy_bar import BusyBar
from hilgui.gui.chart import Chart
from hilgui.gui.compare.sheets import (
    JUDGED,
    STATES,
    Difference,
    Standing,
    difference_rows,
    differences,
    finding_rows,
    standings,
)
from hilgui.gui.compare.still_view import StillView
from hilgui.gui.compare.waiver_dialog import WaiverDialog
from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.findings.filter_chip import FilterChip
from hilgui.gui.findings.thumbnails import Thumbnails
from hilgui.gui.label import Label
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.side_desk import SideDesk
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.report.measured import Compare, Compared
from hilgui.report.waivers import FILE, load_waivers
from hilgui.store import run_folders

_PATIENCE_S = 5.0
_PICTURE = QSize(80, 45)
_SHOWN = 2000


def _today() -> date:
    return datetime.now(UTC).date()


class ComparePage(BenchPage):
    """Differences come from a process beside the screen; pictures from the runs themselves."""

    def __init__(self, bench: Bench, parent: QWidget | None = None, *, today: Callable[[], date] = _today) -> None:
        super().__init__(bench, parent)
        self._today = today
        self._desk = SideDesk(self)
        self._errand: Errand[list[Path]] | None = None
        self._runs: dict[str, Path] = {}
        self._compared: Compared | None = None
        self._standings: list[Standing] = []
        self._current: Standing | None = None
        theme = bench.theme
        self.reference = QComboBox(self)
        self.others = FilterChip(self.tr("against"), self)
        self.shown = FilterChip(self.tr("Show"), self)
        self.forest = Chart(theme, self.tr("Difference to A, with 95 % interval"), "", "", self)
        self.table = LinkedTable(theme, self.tr("Differences"), self)
        self.findings = LinkedTable(theme, self.tr("Findings of both runs"), self)
        self.left, self.right = StillView(theme, "A", self), StillView(theme, self.tr("other"), self)
        self.busy = BusyBar(self)
        self.empty = EmptyPage(self)
        self._thumbnails = Thumbnails(self)
        self._stack = QStackedWidget(self)
        self._build()
        self._connect()

    # -- what the window asks ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look which runs there are; what is shown stays."""
        if self._errand is not None:
            self._errand.forget()
        runs = self._bench.settings.runs
        self._errand = Errand(self, "runs", lambda: run_folders(runs), self._on_runs, self._on_broken)

    def close_page(self) -> None:
        """Let the process and the threads end."""
        self._desk.close(_PATIENCE_S)
        self._thumbnails.close()
        for view in (self.left, self.right):
            view.rest()
        let_go(_PATIENCE_S, self._errand)

    def _on_broken(self, sentence: str, details: str) -> None:
        self._errand = None
        self.trouble.emit(sentence, details)

    # -- what the operator does ---------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Say whether something is worked out."""
        return self._desk.is_busy or self._errand is not None

    @property
    def waivers(self) -> Path:
        """Give the file of known failures of this bench."""
        return self._bench.settings.home / FILE

    @property
    def compared(self) -> Compared | None:
        """Give what is shown."""
        return self._compared

    @property
    def command(self) -> str:
        """Give the command that prints the same."""
        names = [self.reference.currentText(), *self.others.chosen]
        words = ["hilgui", "compare", *(name for name in names if name)]
        return shlex.join([*words, "--waivers", str(self.waivers)] if self.waivers.is_file() else words)

    def choose(self, reference: str, *others: str) -> None:
        """Compare runs by their names."""
        self.reference.blockSignals(True)
        self.reference.setCurrentText(reference)
        self.reference.blockSignals(False)
        self.others.choose(others)
        self.compare()

    def compare(self) -> None:
        """Work the differences out, with the waivers as they are now."""
        reference = self.reference.currentText()
        others = [name for name in self.others.chosen if name != reference and name in self._runs]
        self._command.setText(self.command)
        if reference not in self._runs or not others:
            self._desk.cancel()
            self._show_empty()
            return
        try:
            known = load_waivers(self.waivers) if self.waivers.is_file() else ()
        except HilguiError as failure:
            self.message.emit("error", str(failure))
            known = ()
        folders = tuple(self._runs[name] for name in (reference, *others))
        self._desk.ask("compare", Compare(folders, known, self._today()), self._on_compared)

    def waive(self) -> None:
        """Ask who answers for the finding that is chosen."""
        standing = self._current
        if standing is None or standing.state not in ("new", "expired", "same"):
            self.message.emit("info", self.tr("Choose a finding that is new, expired or in both runs."))
            return
        assert self._compared is not None
        drive = self._compared.drives[standing.folder]
        who = self._bench.settings.operator
        self.dialog = WaiverDialog(standing.finding, drive, self.waivers, who, self._today(), self)
        self.dialog.added.connect(lambda _waiver: self.compare())
        self.dialog.finished.connect(self.dialog.deleteLater)
        self.dialog.open()

    def show_standing(self, standing: Standing) -> None:
        """Show both runs at the worst frame of a finding."""
        compared = self._compared
        if compared is None:
            return
        self._current = standing
        reference = compared.folders[compared.plain["reference"]]
        names = compared.plain["runs"]
        other = standing.folder if standing.folder != reference else compared.folders[names[1]]
        self.left.show_frame(reference, standing.finding.worst_seq)
        self.right.show_frame(other, standing.finding.worst_seq)

    def open_on_replay(self) -> None:
        """Show the finding that is chosen on the Replay page."""
        if self._current is not None:
            self.open_run_asked.emit(self._current.folder, self._current.finding.worst_seq)

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        heading = Label(self.tr("Compare"), self)
        mark(heading, tone="heading")
        self.reference.setAccessibleName(self.tr("Reference run"))
        self.reference.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.reference.setMinimumContentsLength(26)
        self._note, self._command = Label(self), Label(self)
        self._note.setWordWrap(True)
        mark(self._note, tone="soft")
        mark(self._command, tone="mono")
        self._command.setMinimumWidth(100)
        self._command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        a = Label("A", self)
        mark(a, tone="soft")
        head = QHBoxLayout()
        head.setSpacing(GAP)
        for widget in (heading, a, self.reference, self.others):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.busy)
        for icon, words, keys, doer in (
            ("tag", self.tr("Waive the chosen finding"), "W", self.waive),
            ("replay", self.tr("Show the chosen finding on Replay"), "Ctrl+Return", self.open_on_replay),
            ("copy", self.tr("Copy the differences as text"), "Ctrl+Shift+T", self._copy),
            ("terminal", self.tr("Copy the command that prints the same"), "Ctrl+Shift+C", self.copy_command),
            ("refresh", self.tr("Compare again"), "F5", self.compare),
        ):
            head.addWidget(self._tool(icon, words, keys, doer))
        self.findings.setIconSize(_PICTURE)
        self.findings.verticalHeader().setDefaultSectionSize(_PICTURE.height() + 4)
        self.findings.horizontalHeader().setResizeContentsPrecision(0)
        bar = QHBoxLayout()
        bar.addWidget(self.shown)
        bar.addWidget(self._note, 1)
        top = QWidget(self)
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(bar)
        column.addWidget(self.findings, 1)
        pictures = splitter(Qt.Orientation.Horizontal, self.left, self.right, stretch=(1, 1))
        right = splitter(Qt.Orientation.Vertical, top, pictures, stretch=(3, 2))
        right.setSizes([350, 240])
        numbers = splitter(Qt.Orientation.Vertical, self.forest, self.table, stretch=(1, 1))
        numbers.setSizes([280, 320])
        body = splitter(Qt.Orientation.Horizontal, numbers, right, stretch=(2, 3))
        body.setSizes([480, 700])
        self._stack.addWidget(body)
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._command)
        self._keys.append((self.tr("Enter"), self.tr("Both runs at the frame of the finding")))
        self._show_empty()

    def _connect(self) -> None:
        self._desk.failed.connect(self.trouble)
        self._desk.busy_changed.connect(self.busy.show_busy)
        self._desk.progress.connect(self.busy.show_progress)
        self.busy.cancelled.connect(self._desk.cancel)
        self.reference.currentIndexChanged.connect(lambda _place: self.compare())
        self.others.changed.connect(self.compare)
        self.shown.changed.connect(self._fill_findings)
        self.findings.asked.connect(self.show_standing)
        self.findings.doubleClicked.connect(lambda _index: self.open_on_replay())
        self._thumbnails.came.connect(self.findings.viewport().update)
        self.empty.asked.connect(self.demo_asked)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _on_runs(self, folders: list[Path]) -> None:
        self._errand = None
        self._runs = {folder.name: folder for folder in folders}
        shown = self.reference.currentText()
        names = list(self._runs)
        self.reference.blockSignals(True)
        self.reference.clear()
        self.reference.addItems(names)
        pair = (shown, *self.others.chosen) if shown in self._runs else self._proposed(names)
        self.reference.setCurrentText(pair[0] if pair else "")
        self.reference.blockSignals(False)
        self.others.choose(tuple(name for name in pair[1:] if name in self._runs))
        self.others.offer(dict.fromkeys(names, -1))
        if self._compared is None:
            self.compare()

    def _proposed(self, names: list[str]) -> tuple[str, ...]:
        """Propose the two newest runs of one drive, that of the open run first; the older one is the reference."""
        is_open = self._bench.run.folder
        order = sorted(names, key=lambda name: is_open is None or _drive_of(name) != _drive_of(is_open.name))
        for name in order:
            alike = [other for other in names if _drive_of(other) == _drive_of(name)]
            if len(alike) > 1:
                return alike[1], alike[0]
        return tuple(names[:1])

    def _on_compared(self, compared: Compared) -> None:
        self._compared = compared
        self._stack.setCurrentIndex(0)
        found = differences(compared)
        self._draw_forest([each for each in found if each.is_whole])
        self.table.put(*difference_rows(self.tr, found))
        self._standings = standings(compared)
        counts = Counter(each.state for each in self._standings)
        self.shown.offer({state: counts[state] for state in STATES})
        self._note.setText(" · ".join([*(f"{counts[state]} {state}" for state in STATES), *compared.plain["notes"]]))
        self._fill_findings()
        self._command.setText(self.command)

    def _draw_forest(self, found: list[Difference]) -> None:
        self.forest.clear_curves()
        rows = list(reversed(found))
        self.forest.add_curve([0, 0], [-0.5, len(rows) - 0.5], "text_faint", style="dot")
        widest = 0.01
        for place, each in enumerate(rows):
            value, interval = each.plain["difference"], each.plain["interval"]
            low, high = (value, value) if interval is None else (interval["low"], interval["high"])
            widest = max(widest, abs(low), abs(high))
            self.forest.add_interval(low, value, high, place, JUDGED[each.plain["judgement"]])
        self.forest.show_ticks([f"{each.figure} {each.role[0].upper()}" for each in rows], "left")
        self.forest.show_range((-widest, widest), (-0.5, max(len(rows) - 0.5, 0.5)))

    def _fill_findings(self) -> None:
        wanted = self.shown.chosen or STATES
        shown = [each for each in self._standings if each.state in wanted][:_SHOWN]
        self.findings.put(*finding_rows(self.tr, shown, self._thumbnails.of))
        if shown and (self._current is None or self._current not in self._standings):
            self.show_standing(shown[0])

    def _show_empty(self) -> None:
        hint = self.tr(
            "Choose a reference and one or more runs of the same drive above: figures with paired intervals, "
            "findings that are new, gone or the same, and the failures that somebody has waived."
        )
        button = "" if self._runs else self.tr("Run the demo")
        self.empty.say(self.tr("Two runs of one drive, beside each other"), hint, button)
        self._stack.setCurrentIndex(1)

    def _copy(self) -> None:
        (self.findings if self.findings.hasFocus() else self.table).copy()
        self.message.emit("info", self.tr("Copied as text."))


def _drive_of(name: str) -> str:
    """Give the part of a run's name that tells the drive: 20261123-201500-NIGHT-3f9a."""
    return name[16:].rpartition("-")[0] or name
