"""The Robustness page: what was done to the models, how much they stood, and the pictures that fooled them."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.gui.busy_bar import BusyBar
from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.label import Label
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.robustness.ask_dialog import AskDialog, Opened, Wish
from hilgui.gui.robustness.shown_result import ShownResult
from hilgui.gui.robustness.tabs import TABS, Tab
from hilgui.gui.short_numbers import amount
from hilgui.gui.side_desk import SideDesk
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.records import Role
from hilgui.robustness import CORRUPTIONS, Listed, list_results, results_root
from hilgui.store import RunReader

_PATIENCE_S = 5.0
_FOLLOWS_MS = 2000  # between two looks at a result that grows


class RobustnessPage(BenchPage):
    """Results come from the shelf; a measurement runs in a process beside the screen."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._desk = SideDesk(self)
        self._errand: Errand[list[Listed]] | None = None
        self._listed: list[Listed] = []
        self._wishes: dict[str, Wish] = {tab.kind: tab.wish() for tab in TABS}
        self._asked = CORRUPTIONS  # kind of what the process is at
        self.dialog: AskDialog
        self.results = QComboBox(self)
        self.go = QPushButton(self)
        self.busy = BusyBar(self)
        self.tabs = QTabWidget(self)
        self.views: dict[str, ShownResult] = {}
        self.empties: dict[str, EmptyPage] = {}
        self._stacks: dict[str, QStackedWidget] = {}
        self._title, self._command = Label(self), Label(self)
        self._follows = QTimer(self)
        self._said: set[str] = set()  # problems of results
        self._build()
        self._connect()

    # -- what the window asks ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look which results there are; what is shown stays."""
        if self._errand is not None:
            self._errand.forget()
        root = results_root(self._bench.settings.home)
        self._errand = Errand(self, "results", lambda: list_results(root), self._on_listed, self._on_broken)

    def close_page(self) -> None:
        """Let the process and the thread end; what was measured is stored."""
        self._follows.stop()
        self._desk.close(_PATIENCE_S)
        let_go(_PATIENCE_S, self._errand)

    # -- what the operator does ---------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Say whether something is measured or read."""
        return self._desk.is_busy or self._errand is not None

    @property
    def tab(self) -> Tab:
        """Give the tab in sight."""
        return TABS[self.tabs.currentIndex()]

    @property
    def view(self) -> ShownResult:
        """Give the view in sight."""
        return self.views[self.tab.kind]

    @property
    def command(self) -> str:
        """Give the command that shows what is in sight."""
        folder = self.view.folder
        if folder is None:
            return self.tab.command
        name = folder.name if folder.parent == results_root(self._bench.settings.home) else str(folder)
        return shlex.join(["hilgui", "robustness", "--show", name])

    def ask(self) -> None:
        """Ask for what the tab in sight needs; the run that is open is proposed."""
        if self._desk.is_busy:
            self.message.emit("info", self.tr("One thing is under way; cancel it or wait for it."))
            return
        self.dialog = self.tab.ask(self._bench.theme, self._proposed(), self)
        self.dialog.asked.connect(self.measure)
        self.dialog.finished.connect(self.dialog.deleteLater)
        self.dialog.open()

    def measure(self, wish: Wish) -> None:
        """Measure, attack, audit or check it; what corruptions do goes on where it was cancelled."""
        self._wishes[wish.kind] = wish
        self._asked = wish.kind
        root = results_root(self._bench.settings.home)
        self.tabs.setCurrentIndex([tab.kind for tab in TABS].index(wish.kind))
        self._desk.ask("robustness", wish.work(self._bench.settings, root), self._on_measured)
        self._follows.start()

    def show_folder(self, folder: Path) -> None:
        """Show a stored result under its tab."""
        one = next((one for one in self._listed if one.folder == folder and one.result is not None), None)
        if one is None or one.result is None:
            return
        kinds = [tab.kind for tab in TABS]
        if one.result.kind in kinds:
            self.tabs.setCurrentIndex(kinds.index(one.result.kind))
            self.view.show_result(folder, one.result)
            self._stacks[one.result.kind].setCurrentIndex(0)
        self._offer()

    def save(self, path: Path) -> list[Path]:
        """Save the heat map of each model, or the chart, as SVG or PNG; raises HilguiError."""
        return self.view.save(path)

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        heading = Label(self.tr("Robustness"), self)
        mark(heading, tone="heading")
        self.results.setAccessibleName(self.tr("Result"))
        self.results.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.results.setMinimumContentsLength(30)
        mark(self.go, kind="primary")
        mark(self._title, tone="soft")
        mark(self._command, tone="mono")
        for label in (self._title, self._command):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        for widget in (heading, self.results):
            head.addWidget(widget)
        head.addWidget(self._title, 1)
        head.addWidget(self.busy)
        head.addWidget(self.go)
        for icon, words, keys, doer in (
            ("export", self.tr("Save the picture"), "Ctrl+S", self._ask_where),
            ("copy", self.tr("Copy the table as text"), "Ctrl+Shift+T", self._copy),
            ("terminal", self.tr("Copy the command that shows the same"), "Ctrl+Shift+C", self.copy_command),
            ("refresh", self.tr("Look for results again"), "F5", self.refresh),
        ):
            head.addWidget(self._tool(icon, words, keys, doer))
        for tab in TABS:
            view, empty, stack = tab.make(self._bench.theme, tab.kind, self), EmptyPage(self), QStackedWidget(self)
            empty.say(tab.empty_words, tab.hint_words, tab.action_words)
            empty.asked.connect(self.ask)
            stack.addWidget(view)
            stack.addWidget(empty)
            stack.setCurrentIndex(1)
            view.frame_asked.connect(self.open_run_asked)
            self.views[tab.kind], self.empties[tab.kind], self._stacks[tab.kind] = view, empty, stack
            self.tabs.addTab(stack, tab.words)
        self.tabs.setDocumentMode(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self._command)
        self._follows.setInterval(_FOLLOWS_MS)
        self._bind("Ctrl+M", self.tr("Measure, attack, audit or check: what the tab shows"), self.ask)
        self._keys.append((self.tr("Arrows, Enter"), self.tr("Go over the heat map, show the frames behind a field")))
        self._say()

    def _connect(self) -> None:
        self._desk.failed.connect(self._on_failed)
        self._desk.busy_changed.connect(self.busy.show_busy)
        self._desk.busy_changed.connect(self.go.setDisabled)
        self._desk.progress.connect(self.busy.show_progress)
        self.busy.cancelled.connect(self._cancel)
        self._follows.timeout.connect(self._follow)
        self.go.clicked.connect(lambda _=False: self.ask())
        self.tabs.currentChanged.connect(lambda _place: self._offer())
        self.results.activated.connect(lambda place: self.show_folder(Path(self.results.itemData(place))))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _proposed(self) -> Wish:
        """Propose the open run with its models and labels; else what was asked last."""
        last = self._wishes[self.tab.kind]
        folder = self._bench.run.folder
        if folder is None:
            return last
        try:
            with closing(RunReader(folder)) as reader:
                header = reader.header
        except HilguiError:
            return last
        paths = {role: facts.path for role, facts in header.models.items()}
        judged = () if header.truth is None else tuple(sorted(map(header.vocabulary.name, header.vocabulary.judged)))
        opened = Opened(
            folder=folder,
            source=header.source.path,
            baseline=paths.get(Role.BASELINE, ""),
            candidate=paths.get(Role.CANDIDATE, ""),
            truth="" if header.truth is None else header.truth.path,
            fps=header.source.fps if header.source.kind == "image folder" else None,
            classes=judged,
        )
        return last.beside(opened)

    def _follow(self) -> None:
        if self._errand is None:  # a look that takes longer than the interval is waited for
            self.refresh()

    def _on_listed(self, listed: list[Listed]) -> None:
        self._errand = None
        self._listed = listed
        for tab in TABS:
            mine = [one for one in listed if one.result is not None and one.result.kind == tab.kind]
            view = self.views[tab.kind]
            shown = next((one for one in mine if one.folder == view.folder), mine[0] if mine else None)
            if shown is not None and shown.result is not None and shown.result != view.result:
                view.show_result(shown.folder, shown.result)
                self._stacks[tab.kind].setCurrentIndex(0)
        for one in listed:
            if one.problem and one.problem not in self._said:  # once is enough for a person
                self._said.add(one.problem)
                self.message.emit("warning", one.problem)
        self._offer()

    def _on_broken(self, sentence: str, details: str) -> None:
        self._errand = None
        self.trouble.emit(sentence, details)

    def _on_failed(self, sentence: str, details: str) -> None:
        self._follows.stop()
        self.trouble.emit(sentence, details)

    def _on_measured(self, folder: Path) -> None:
        self._follows.stop()
        root = results_root(self._bench.settings.home)

        def listed(found: list[Listed]) -> None:
            self._on_listed(found)
            self.show_folder(folder)

        if self._errand is not None:
            self._errand.forget()
        self._errand = Errand(self, "results", lambda: list_results(root), listed, self._on_broken)

    def _cancel(self) -> None:
        self._follows.stop()
        self._desk.cancel()
        if self._asked == CORRUPTIONS:
            self.message.emit("info", self.tr("Stopped; measured again with the same wish, it goes on where it was."))
        else:
            self.message.emit("info", self.tr("Stopped; what was not whole is not kept."))
        self.refresh()

    def _offer(self) -> None:
        """Offer the results of the tab in sight."""
        kind, folder = self.tab.kind, self.view.folder
        wanted = []
        for one in self._listed:
            if one.result is not None and one.result.kind == kind:
                whole = "" if one.result.is_whole else self.tr(" · not whole")
                made = one.result.created[:16].replace("T", " ")
                wanted.append((f"{made} · {one.result.title}{whole}", str(one.folder)))
        places = range(self.results.count())
        if wanted != [(self.results.itemText(place), self.results.itemData(place)) for place in places]:
            self.results.clear()  # not while somebody has it open and nothing is new
            for words, data in wanted:
                self.results.addItem(words, data)
        self.results.setCurrentIndex(self.results.findData(str(folder)))
        self.results.setEnabled(self.results.count() > 0)
        self._say()

    def _say(self) -> None:
        result = self.view.result
        words = ""
        if result is not None:
            frames = sum(drive.frames for drive in result.drives)
            words = f"{result.measure} · {amount(frames, self.tr('1 frame'), self.tr('{0} frames'))}"
            if not result.is_whole:
                words += self.tr(" · not whole yet")
        self.go.setText(self.tab.action_words)
        self._title.setText(words)
        self._command.setText(self.command)

    def _copy(self) -> None:
        self.message.emit("info", self.tr("Copied: {0}").format(self.view.copy()))

    def _ask_where(self) -> None:
        if self.view.result is None:
            return
        start = str(Path.home() / f"{self.view.result.id}.svg")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the picture"), start, "SVG (*.svg);;PNG (*.png)")
        if not chosen:
            return
        try:
            made = self.save(Path(chosen))
        except HilguiError as failure:
            self.message.emit("error", str(failure))
            return
        self.message.emit("info", self.tr("Saved: {0}").format(", ".join(str(path) for path in made)))
