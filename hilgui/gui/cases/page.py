"""The Test cases page: suites with what they need, the editor, the queue, questions, verdicts, trends."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.gui.cases.catalogue import CaseFile, Catalogue, Listed, read_catalogue
from hilgui.gui.cases.desk import CaseDesk
from hilgui.gui.cases.editor import CaseEditor
from hilgui.gui.cases.question_panel import QuestionPanel
from hilgui.gui.cases.tree import OUTCOME_TONES, CaseTree
from hilgui.gui.cases.verdict_panel import VerdictPanel, worst_frame
from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.keys import bind
from hilgui.gui.label import Label, as_tip
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.short_numbers import amount
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_L, GAP_S, mark
from hilgui.resources import shipped
from hilgui.sequencer.loading import LoadedCase
from hilgui.sequencer.operator import Question
from hilgui.sequencer.results import CaseResult, ResultShelf
from hilgui.sequencer.suite import CaseBegan, CaseEnded, failed_cases
from hilgui.sequencer.tidings import Playing, RigStood, RunBegan, StepTaken

RECENT = "case_folders"
_PATIENCE_S = 10.0
_LINES = 1000


class CasesPage(BenchPage):
    """Shows folders of cases; whatever runs goes on when another page is in sight."""

    def __init__(self, bench: Bench, parent: QWidget | None = None, *, places: Sequence[Path] = ()) -> None:
        super().__init__(bench, parent)
        self._desk: CaseDesk = bench.cases
        self._places = list(places)
        self._catalogue: Catalogue | None = None
        self._reading: Errand[Catalogue] | None = None
        self._finding: Errand[list[LoadedCase]] | None = None
        self._trend: Errand[Any] | None = None
        self._shelf = ResultShelf(bench.settings.home)
        theme = bench.theme
        self.tree = CaseTree(theme, self)
        self.editor = CaseEditor(theme, self)
        self.verdict = VerdictPanel(theme, self)
        self.question = QuestionPanel(self)
        self.needs = Label(self)
        self.log = QPlainTextEdit(self)
        self.empty = EmptyPage(self)
        self.progress = QProgressBar(self)
        self.now = Label(self)
        self.buttons: dict[str, QPushButton] = {}
        self._count = Label(self)
        self._stack = QStackedWidget(self)
        self._build()
        self._connect()

    # -- what the window asks ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the folders again, unless something is being typed or runs."""
        if self._desk.is_busy or self.editor.is_changed or self.is_reading:
            return
        home, places = self._bench.settings.home, self._all_places()
        self._count.setText(self.tr("reading…"))
        self._reading = Errand(self, "test cases", lambda: read_catalogue(places, home), self._show, self._say_trouble)

    def close_page(self) -> None:
        """Let the threads end; what runs is ended by the window."""
        self.editor.close_editor()
        let_go(_PATIENCE_S, self._reading, self._finding, self._trend)

    @property
    def is_reading(self) -> bool:
        """Say whether the folders are being read."""
        return self._reading is not None and self._reading.is_under_way

    @property
    def command(self) -> str:
        """Give the command that runs what is selected."""
        paths = dict.fromkeys(str(case.loaded.path) for case in self.tree.chosen_cases())
        return shlex.join(["hilgui", "run", *paths])

    # -- what the operator does ---------------------------------------------------------------------------------------

    def run_selected(self) -> None:
        """Run the selected cases."""
        self._run([case.loaded for case in self.tree.chosen_cases()])

    def run_suite(self) -> None:
        """Run the suite that the selected case is in, without the cases tagged `manual`, as `hilgui run` does."""
        cases = [case.loaded for case in self.tree.suite_cases()]
        self._run([case for case in cases if "manual" not in case.case.tags])

    def run_failed(self) -> None:
        """Run again what did not pass the last time."""
        if self._desk.is_busy:
            return
        home = self._bench.settings.home
        self._finding = Errand(
            self, "failed cases", lambda: failed_cases(home), self._run, lambda said, _: self.message.emit("info", said)
        )

    def cancel_running(self, _is_checked: bool = False) -> None:
        """End the case under way, its rig first, and say at once that it was heard."""
        if self._desk.is_busy:
            self._desk.cancel()
            self.now.setText(self.tr("ending what runs: the rig first…"))
            self.progress.setRange(0, 0)
            self.cancel.setEnabled(False)

    def add_folder(self, folder: Path) -> None:
        """Show the cases of another folder as well, from now on."""
        self._bench.memory.add(RECENT, str(folder))
        self.refresh()

    def save(self) -> None:
        """Save what is edited."""
        try:
            self.editor.write()
        except HilguiError as failure:
            self.message.emit("error", str(failure))

    def _run(self, cases: Sequence[LoadedCase]) -> None:
        if self.editor.is_changed:
            self.message.emit("warning", self.tr("Save or put back what you typed first: the file is what runs."))
            return
        if not self._desk.run(cases) and not self._desk.is_busy:
            self.message.emit("info", self.tr("Nothing to run: choose a case that is valid."))

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        title = Label(self.tr("Test cases"), self)
        mark(title, tone="heading")
        mark(self._count, tone="faint")
        copies = self.tr("Copy the command that does the same")
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(title)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(self._tool("terminal", copies, "Ctrl+Shift+C", self.copy_command))
        for name, words, keys, doer in self._doers():
            button = QPushButton(words, self)
            button.setAutoDefault(False)
            button.setToolTip(f"{words} ({keys})")
            button.clicked.connect(lambda _=False, doer=doer: doer())
            self._bind(keys, words, doer)
            self.buttons[name] = button
            if name != "save":
                head.addWidget(button)
        self.buttons["save"].hide()
        mark(self.buttons["run"], kind="primary")
        self.needs.setWordWrap(True)
        self.needs.setTextFormat(Qt.TextFormat.PlainText)
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(_LINES)
        self.log.setPlaceholderText(self.tr("The steps of the cases that run appear here."))
        self.log.setAccessibleName(self.tr("Steps of the cases that run"))
        mark(self.log, tone="mono")
        self._stack.addWidget(self._work_view())
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(self._running_bar())
        layout.addWidget(self.question)
        layout.addWidget(self._stack, 1)
        self._show_busy()

    def _doers(self) -> tuple[tuple[str, str, str, Callable[[], object]], ...]:
        return (
            ("folder", self.tr("Add folder…"), "Ctrl+Shift+F", self._choose_folder),
            ("failed", self.tr("Run failed again"), "F8", self.run_failed),
            ("suite", self.tr("Run suite"), "Ctrl+Shift+Return", self.run_suite),
            ("run", self.tr("Run selected"), "Ctrl+Return", self.run_selected),
            ("save", self.tr("Save the case"), "Ctrl+S", self.save),
        )

    def _running_bar(self) -> QFrame:
        self._bar = bar = QFrame(self)
        mark(bar, surface="raised")
        self.now.setTextFormat(Qt.TextFormat.PlainText)
        self.progress.setFixedWidth(220)
        self.progress.setAccessibleName(self.tr("Progress of the queue"))
        self.cancel = QPushButton(self.tr("Cancel (Esc)"), bar)
        self.cancel.setAutoDefault(False)
        mark(self.cancel, kind="small")
        # Wherever the focus is: a pressed button that is grey now, the rail. Of pages only the one in sight hears.
        bind(self, "Esc", self.cancel_running, Qt.ShortcutContext.WindowShortcut)
        self._keys.append(("Esc", self.tr("Cancel what runs: the rig first")))
        row = QHBoxLayout(bar)
        row.setContentsMargins(GAP, GAP_S, GAP, GAP_S)
        row.addWidget(self.now, 1)
        row.addWidget(self.progress)
        row.addWidget(self.cancel)
        return bar

    def _work_view(self) -> QWidget:
        about = QFrame(self)
        mark(about, surface="panel")
        inside = QVBoxLayout(about)
        inside.setContentsMargins(GAP, GAP_S, GAP, GAP_S)
        inside.addWidget(self.needs)
        left = splitter(Qt.Orientation.Vertical, self.tree, self.log, stretch=(3, 1))
        left.setSizes([420, 130])
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_S)
        column.addWidget(about)
        halves = splitter(Qt.Orientation.Vertical, self.verdict, self.editor, stretch=(2, 3))
        halves.setSizes([210, 330])
        column.addWidget(halves, 1)
        whole = splitter(Qt.Orientation.Horizontal, left, right, stretch=(2, 5))
        whole.setSizes([350, 860])
        return whole

    def _connect(self) -> None:
        desk = self._desk
        desk.began.connect(self._on_began)
        desk.happened.connect(self._on_happened)
        desk.asked.connect(self._on_asked)
        desk.ended.connect(self._on_ended)
        desk.failed.connect(self.trouble)
        self.question.answered.connect(self._on_answered)
        self.tree.itemSelectionChanged.connect(self._on_chosen)
        self.editor.saved.connect(lambda _: self.refresh())
        self.editor.save.clicked.connect(lambda _=False: self.save())
        self.verdict.open_asked.connect(self._open_run)
        self.cancel.clicked.connect(self.cancel_running)
        self.empty.asked.connect(self._choose_folder)

    def _all_places(self) -> list[Path]:
        if self._places:
            return self._places
        return [shipped("testcases"), *(path for path in self._bench.memory.existing(RECENT) if path.is_dir())]

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Add a folder of test cases"), str(Path.home()))
        if chosen:
            self.add_folder(Path(chosen))

    # -- what happens -------------------------------------------------------------------------------------------------

    def _show(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        files = catalogue.files
        if catalogue.trouble:
            self.message.emit("warning", catalogue.trouble)
        if not files:
            hint = self.tr("A case is a page of YAML. `hilgui cases new NAME` writes one to begin with; "
                           "docs/test-cases.md lists every key.")  # fmt: skip
            self.empty.say(self.tr("No test cases here"), hint, self.tr("Add a folder of cases…"))
            self._stack.setCurrentWidget(self.empty)
            self._count.clear()
            return
        self._stack.setCurrentIndex(0)
        cases = sum(len(file.cases) for file in files)
        broken = sum(bool(file.mistakes) for file in files)
        words = self.tr("{0} in {1}").format(
            amount(cases, self.tr("1 case"), self.tr("{0} cases")),
            amount(len(files), self.tr("1 file"), self.tr("{0} files")),
        )
        self._count.setText(words + (self.tr(", {0} not valid").format(broken) if broken else ""))
        self.tree.show_catalogue(catalogue)

    def _say_trouble(self, sentence: str, details: str) -> None:
        self._count.clear()
        self.trouble.emit(sentence, details)

    def _on_chosen(self) -> None:
        file, case = self.tree.current_file(), self.tree.current_case()
        if file is not None and file.path != self.editor.path and not self.editor.is_changed:
            self.editor.show_file(file.path, file.text)
        elif file is not None and file.path == self.editor.path and not self.editor.is_changed:
            if self.editor.text.toPlainText() != file.text:
                self.editor.show_file(file.path, file.text)
        self._say_needs(file, case)
        self._show_verdict(case)

    def _say_needs(self, file: CaseFile | None, case: Listed | None) -> None:
        if case is None:
            flaw = file.flaws[0] if file is not None and file.flaws else None
            self.needs.setText("" if flaw is None else self.tr("Line {0}: {1}").format(flaw.line, flaw.sentence))
            mark(self.needs, tone="missed" if flaw else "")
            return
        told = case.loaded.case
        lines = [f"{told.name} · {told.mode}{' · ' + ', '.join(told.tags) if told.tags else ''}"]
        lines.append(self.tr("Needs {0}").format(", ".join(case.needs) or self.tr("nothing")))
        if case.misfits:
            flaw = case.misfits[0]
            lines.append(self.tr("Does not fit its rig, line {0}: {1}").format(flaw.line, flaw.sentence))
        elif case.missing:
            lines.append(self.tr("Not here: {0}").format("; ".join(case.missing)))
        else:
            lines[-1] += self.tr(" – all of it is here")
        self.needs.setText("\n".join(lines))
        self.needs.setToolTip(as_tip(told.description))
        mark(self.needs, tone="missed" if case.missing or case.misfits else "")

    def _show_verdict(self, case: Listed | None) -> None:
        if self._trend is not None:
            self._trend.forget()
        if case is None:
            self.verdict.show_result(None, {})
            return
        name, shelf = case.loaded.id, self._shelf

        def look() -> tuple[CaseResult | None, Any, int | None]:
            results = shelf.results(name)
            last = results[0] if results else None
            return last, shelf.trend(name), worst_frame(last)

        self._trend = Errand(self, "trend", look, lambda found: self.verdict.show_result(*found), self.trouble.emit)

    def _on_began(self) -> None:
        self.log.clear()
        self.progress.setRange(0, 0)
        self.now.setText(self.tr("beginning…"))
        self.cancel.setEnabled(True)
        self._show_busy()

    def _on_happened(self, event: object) -> None:
        match event:
            case CaseBegan(case, _, number, count):
                self.now.setText(self.tr("{0} of {1}: {2}").format(number, count, case))
                self.progress.setRange(0, 0)
                self.tree.say(case, self.tr("▶ runs"))
                self.log.appendPlainText(case)
            case StepTaken(_, text, depth):
                self.log.appendPlainText(f"{'  ' * (depth + 1)}{text}")
            case RigStood(_, state, reason):
                self.log.appendPlainText(f"  rig: {state.name} ({reason})")
            case RunBegan(case, folder):
                self.log.appendPlainText(f"  {folder.name}")
            case Playing():
                self._show_playing(event)
            case CaseEnded(result):
                self.log.appendPlainText(f"  {result.word}: {'; '.join(result.reasons)}".rstrip(": "))
                self.tree.say(result.id, result.word, OUTCOME_TONES[result.outcome])

    def _show_playing(self, playing: Playing) -> None:
        if not self.cancel.isEnabled():  # it ends: its last frames are no news
            return
        if playing.frames:
            self.progress.setRange(0, playing.frames)
            self.progress.setValue(playing.evaluated)
        left = "" if playing.seconds_left is None else self.tr(" · {0} s left").format(f"{playing.seconds_left:.0f}")
        frames = self.tr("frame {0}").format(playing.evaluated)
        self.now.setText(f"{playing.case} · {frames}{left}")

    def _on_asked(self) -> None:
        questions = self._desk.operator.open_questions()
        self.question.ask(questions[0] if questions else None)
        if questions and not self.isVisible():
            self.message.emit("warning", self.tr("A test case asks: {0} (Test cases page)").format(questions[0].text))

    def _on_answered(self, question: Question, answer: str) -> None:
        flaw = self._desk.operator.reply(question, answer)
        if flaw:
            self.message.emit("warning", flaw)
        self._on_asked()

    def _on_ended(self, results: list[CaseResult]) -> None:
        self._show_busy()
        self.tree.forget_said()
        self.question.ask(None)
        if results:
            bad = [result.id for result in results if result.word != "PASS"]
            all_of_them = amount(len(results), self.tr("1 case"), self.tr("{0} cases"))
            words = self.tr("{0} of {1} passed").format(len(results) - len(bad), all_of_them)
            if bad:
                words += self.tr("; not: {0}. F8 runs them again.").format(", ".join(bad[:5]))
            self.message.emit("warning" if bad else "info", words)
        self.refresh()

    def _show_busy(self) -> None:
        is_busy = self._desk.is_busy
        self._bar.setVisible(is_busy)
        for name in ("run", "suite", "failed"):
            self.buttons[name].setEnabled(not is_busy)

    def _open_run(self, folder: Path | None, seq: int | None) -> None:
        if folder is not None:
            self.open_run_asked.emit(folder, seq)
