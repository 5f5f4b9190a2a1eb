"""The Evaluate page: every figure of the open run, sure or not, with curves, errors, slices, and the frames behind."""

from __future__ import annotations

import math
import shlex
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QSlider,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.evaluation import Behind
from hilgui.gui.busy_bar import BusyBar
from hilgui.gui.chart import Chart
from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.evaluate.frames_list import FramesList
from hilgui.gui.evaluate.panels import BeliefPanel, ConfusionPanel, CurvesPanel
from hilgui.gui.evaluate.sheets import Link, class_rows, figure_rows, slice_rows
from hilgui.gui.label import Label
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.short_numbers import amount
from hilgui.gui.side_desk import SideDesk
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.records import Role
from hilgui.report import Changes
from hilgui.report.measured import AskBehind, Measure, Measured, Slice, at_threshold, stored
from hilgui.report.slices import Sliced

_PATIENCE_S = 5.0
_STEPS = 100  # of the threshold slider
_SETTLES_MS = 500  # after the slider stands still the run is judged again
_FOLLOWS_MS = 3000  # between two looks at a run under way
_REST = 3.0  # rest between two looks, in times of what the last one took: the run under way needs the processor
_SLICED_REST = 8.0  # ... and between two slicings: they begin anew each time


class EvaluatePage(BenchPage):
    """Shows figures that a process beside it works out; counts of the slider come from kept scores at once."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._desk = SideDesk(self)
        self._errand: Errand[Measured] | None = None
        self._measured: Measured | None = None
        self._key: tuple[Path, float | None] | None = None  # what is shown, or on its way
        self._sliced_key: tuple[Path, float | None, int | None] | None = None  # with the frames of a run under way
        self._asked_s = 0.0  # when the figures were asked for
        self._sliced_from_s = 0.0  # slices of a run under way rest until then
        self._threshold: float | None = None
        self._link: Link | None = None
        theme = bench.theme
        self.figures = LinkedTable(theme, self.tr("Figures"), self)
        self.classes = LinkedTable(theme, self.tr("Figures by class"), self)
        self.slices = LinkedTable(theme, self.tr("Slices"), self)
        self.curves = CurvesPanel(theme, self)
        self.belief = BeliefPanel(theme, self)
        self.confusion = ConfusionPanel(theme, self)
        self.frames = FramesList(theme, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.busy = BusyBar(self)
        self.empty = EmptyPage(self)
        self.tabs = QTabWidget(self)
        self._settles = QTimer(self)
        self._follows = QTimer(self)
        self._stack = QStackedWidget(self)
        self._build()
        self._connect()

    # -- what the window asks ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the open run: stored figures at once, then measured ones with their intervals."""
        folder = self._bench.run.folder
        if folder is None:
            self._say_empty(self.tr("No run is open"), self.tr("Open a run to see how good its models are, how sure"
                " that is, and which frames are to blame. The Library lists the runs; or begin with the demo."),
                self.tr("Run the demo"))  # fmt: skip
            return
        if self._measured is not None and self._measured.folder == folder and not self._measured.is_under_way:
            return
        if self._measured is None or self._measured.folder != folder:
            self._measured = self._sliced_key = None
            self._sliced_from_s = 0.0
            self.slices.put((), [])
            self._set_threshold(None)
            self.frames.clear()
            self._title.setText(folder.name)
            if self._errand is not None:
                self._errand.forget()
            self._ask_stored(folder)
        self._measure()

    def close_page(self) -> None:
        """Let the process and the thread end."""
        self._settles.stop()
        self._follows.stop()
        self._desk.close(_PATIENCE_S)
        let_go(_PATIENCE_S, self._errand)

    # -- what the operator does ---------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Say whether figures are being worked out."""
        return self._desk.is_busy or self._settles.isActive()

    @property
    def measured(self) -> Measured | None:
        """Give what is shown."""
        return self._measured

    @property
    def charts(self) -> dict[str, Chart]:
        """Give the plots by the names of their files."""
        return {
            "precision-recall": self.curves.by_recall,
            "threshold": self.curves.by_score,
            "reliability": self.belief.reliability,
            "errors": self.belief.errors,
        }

    @property
    def command(self) -> str:
        """Give the command that prints what is in sight."""
        folder = self._bench.run.folder
        is_known = folder is not None and self._bench.settings.runs in folder.parents
        run = "last" if folder is None else folder.name if is_known else str(folder)
        is_sliced = self.tabs.currentWidget() is self.slices
        words = ["hilgui", "slices" if is_sliced else "evaluate", run]
        if self._threshold is not None:
            words += ["--threshold", f"{self._threshold:g}"]
        if self._link is not None and is_sliced == (self._link.frames is not None):
            words += ["--explain"] if is_sliced else ["--explain", self._link.figure]
        elif self.tabs.currentWidget() is self.classes:
            words += ["--by", "class"]
        return shlex.join(words)

    def choose_threshold(self, threshold: float | None) -> None:
        """Judge at another score, None for that of the cards: rates at once, the rest when it is worked out."""
        if threshold is not None:
            threshold = round(min(max(threshold, 0.0), 1.0) * _STEPS) / _STEPS
        if threshold == self._threshold:
            return
        self._set_threshold(threshold)
        if self._measured is not None:
            cards = self._measured.thresholds
            if threshold is not None:
                self._measured = at_threshold(self._measured, threshold)
                self._show_rates(self._measured)
            self._say_threshold(cards if threshold is None else self._measured.thresholds)
            self._settles.start()
        self._say_command()

    def show_behind(self, link: Link) -> None:
        """List the frames behind a number."""
        measured = self._measured
        if measured is None:
            return
        self._link = link
        self._say_command()
        if link.frames is not None:
            found = [Behind(run, seq, self.tr("where most are"), math.nan, math.nan) for run, seq in link.frames]
            self.frames.show_frames(link, found)
        else:
            self.frames.look(link)
            self._desk.ask(
                "behind", AskBehind(link.role, link.figure), lambda found: self.frames.show_frames(link, found)
            )

    def save_plots(self, folder: Path) -> list[Path]:
        """Save every plot as PNG and SVG; raises BenchBroken where one cannot be written."""
        run = self._bench.run.folder
        made = []
        for name, chart in self.charts.items():
            for ending in ("png", "svg"):
                path = folder / f"{'' if run is None else run.name + '-'}{name}.{ending}"
                chart.save(path)
                made.append(path)
        return made

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        heading = Label(self.tr("Evaluate"), self)
        mark(heading, tone="heading")
        self._title, self._score, self._command = Label(self), Label(self), Label(self)
        mark(self._title, tone="faint")
        mark(self._command, tone="mono")
        self._command.setMinimumWidth(100)
        self._command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.slider.setRange(0, _STEPS)
        self.slider.setFixedWidth(170)
        self.slider.setAccessibleName(self.tr("Score threshold"))
        self.slider.setToolTip(self.tr("Judge at another score: rates at once, everything else in a moment ([ and ])"))
        self._score.setMinimumWidth(165)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(heading)
        head.addWidget(self._title)
        head.addStretch(1)
        head.addWidget(self.busy)
        head.addWidget(self._score)
        head.addWidget(self.slider)
        for icon, words, keys, doer in (
            ("undo", self.tr("Back to the thresholds of the models"), "Backspace", lambda: self.choose_threshold(None)),
            ("copy", self.tr("Copy the figures as text"), "Ctrl+Shift+T", self._copy),
            ("terminal", self.tr("Copy the command that prints the same"), "Ctrl+Shift+C", self.copy_command),
            ("export", self.tr("Save the plots as PNG and SVG"), "Ctrl+S", self._ask_where),
        ):
            head.addWidget(self._tool(icon, words, keys, doer))
        self.tabs.setDocumentMode(True)
        for page, words in (
            (self.curves, self.tr("Curves")),
            (self.classes, self.tr("Classes")),
            (self.confusion, self.tr("Confusion")),
            (self.belief, self.tr("Calibration and errors")),
            (self.slices, self.tr("Slices")),
        ):
            self.tabs.addTab(page, words)
        right = splitter(Qt.Orientation.Vertical, self.tabs, self.frames, stretch=(3, 2))
        right.setSizes([380, 220])
        body = splitter(Qt.Orientation.Horizontal, self.figures, right, stretch=(2, 3))
        body.setSizes([576, 600])
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(body, 1)
        column.addWidget(self._command)
        self._stack.addWidget(inside)
        self._stack.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        for keys, words, step in (("[", self.tr("Lower the threshold"), -1), ("]", self.tr("Raise the threshold"), 1)):
            self._bind(keys, words, partial(self._step, step))
        self._keys.append((self.tr("Enter"), self.tr("The frames behind the figure; on a frame: show it on Replay")))
        self._keys.append(("Ctrl+C", self.tr("Copy the table as text")))

    def _connect(self) -> None:
        self._settles.setSingleShot(True)
        self._settles.setInterval(_SETTLES_MS)
        self._settles.timeout.connect(self._measure)
        self._follows.setSingleShot(True)
        self._follows.setInterval(_FOLLOWS_MS)
        self._follows.timeout.connect(self._follow)
        self._desk.failed.connect(self._on_failure)
        self._desk.busy_changed.connect(self._on_busy)
        self._desk.progress.connect(self.busy.show_progress)
        self.busy.cancelled.connect(self._desk.cancel)
        self.slider.valueChanged.connect(lambda value: self.choose_threshold(value / _STEPS))
        self.curves.threshold_moved.connect(self.choose_threshold)
        self.tabs.currentChanged.connect(lambda _place: self._on_tab())
        for asking in (self.figures, self.classes, self.slices, self.curves, self.belief, self.confusion):
            asking.asked.connect(self.show_behind)
        self.frames.frame_asked.connect(lambda seq: self.open_run_asked.emit(self._bench.run.folder, seq))
        self.empty.asked.connect(self.demo_asked)
        self._bench.run.changed.connect(self._on_run)  # a bound method ends with this widget

    # -- inside -------------------------------------------------------------------------------------------------------

    def _on_run(self) -> None:
        if self.isVisible():
            self.refresh()

    def _measure(self) -> None:
        folder = self._bench.run.folder
        if folder is None:
            return
        self._key = (folder, self._threshold)
        key = self._key
        self._asked_s = time.monotonic()
        self._desk.ask(
            "measure", Measure(folder, Changes(threshold=self._threshold)), lambda found: self._on_measured(key, found)
        )

    def _on_busy(self, is_busy: bool) -> None:
        """Show that work is done, but not each time that figures in sight are renewed while the drive plays."""
        is_renewed = self._measured is not None and self._measured.is_under_way and bool(self._measured.kept)
        self.busy.show_busy(is_busy and not is_renewed)

    def _follow(self) -> None:
        folder = self._bench.run.folder
        if folder is None or not self.isVisible():
            return
        if not self._desk.is_busy:
            self._measure()
        elif self._waits_for_figures and self._errand is None:
            self._ask_stored(folder)

    def _ask_stored(self, folder: Path) -> None:
        self._errand = Errand(self, "stored figures", lambda: stored(folder), self._on_stored, self.trouble.emit)

    @property
    def _waits_for_figures(self) -> bool:
        """Say whether nothing but what was stored is shown: the process that measures takes seconds to start."""
        return self._measured is None or not (self._measured.kept or self._measured.is_whole)

    def _on_stored(self, measured: Measured) -> None:
        self._errand = None
        if self._waits_for_figures and measured.folder == self._bench.run.folder and self._threshold is None:
            self._show(measured)
            self._measured = measured
            if measured.is_under_way:
                self._follows.start(_FOLLOWS_MS)

    def _on_measured(self, key: tuple[Path, float | None], measured: Measured) -> None:
        if key != (self._bench.run.folder, self._threshold):
            return
        self._measured = measured
        self._show(measured)
        for note in measured.notes:
            self.message.emit("info", note)
        if measured.is_behind and self.isVisible():
            self._measure()
        elif measured.is_under_way:
            took_ms = 1000 * (time.monotonic() - self._asked_s)
            self._follows.start(max(_FOLLOWS_MS, round(_REST * took_ms)))
        self._on_tab()

    def _show(self, measured: Measured) -> None:
        if not measured.has_truth or not any(measured.figures.values()):
            hint = self.tr("Figures need labels. Give them when you run the models (Ctrl+R), or judge the stored run "
                "by a label file: hilgui rejudge RUN --truth LABELS.")  # fmt: skip
            words = self.tr("Nothing is measured yet") if measured.is_under_way else self.tr("This run has no labels")
            if measured.has_truth and measured.is_under_way:
                words, hint = self.tr("Measuring…"), self.tr("The drive plays; its figures come in a moment.")
            elif measured.has_truth and not measured.is_whole:
                words, hint = self.tr("Measuring…"), self.tr("This run was made before figures were stored with it.")
            self._say_empty(words, hint)
            if measured.is_under_way:
                self._follows.start()
            return
        self._stack.setCurrentIndex(0)
        under_way = self.tr(" · under way") if measured.is_under_way else ""
        found = sum(measured.findings.values())
        frames = amount(measured.frames, self.tr("1 frame"), self.tr("{0} frames"))
        findings = amount(found, self.tr("1 finding"), self.tr("{0} findings"))
        self._title.setText(f"{measured.run_id} · {frames} · {findings}{under_way}")
        self._say_threshold(measured.thresholds)
        self._show_rates(measured)
        self.curves.show_measured(measured)
        self.belief.show_measured(measured)
        self.confusion.show_measured(measured)
        self._say_command()

    def _show_rates(self, measured: Measured) -> None:
        self.figures.put(*figure_rows(self.tr, measured))
        self.classes.put(*class_rows(self.tr, measured))
        self.curves.show_threshold(measured)

    def _on_tab(self) -> None:
        if self.tabs.currentWidget() is self.slices:
            self._slice()
        self._say_command()

    def _slice(self) -> None:
        """Ask for the slices of what is shown, where they are not there yet."""
        measured, key = self._measured, self._key
        if measured is None or key is None or not (measured.is_whole or measured.kept):
            return
        wanted = (*key, measured.frames if measured.is_under_way else None)
        now_s = time.monotonic()
        if wanted == self._sliced_key or (measured.is_under_way and now_s < self._sliced_from_s):
            return
        self._sliced_key = wanted
        self._desk.ask("slices", Slice(*key), lambda sliced: self._on_sliced(key[0], now_s, sliced))

    def _on_sliced(self, folder: Path, asked_s: float, sliced: list[Sliced]) -> None:
        if folder != self._bench.run.folder:
            return
        now_s = time.monotonic()
        self._sliced_from_s = now_s + _SLICED_REST * (now_s - asked_s)
        self.slices.put(*slice_rows(self.tr, sliced))

    def _on_failure(self, sentence: str, details: str) -> None:
        self._sliced_key = None
        if self._link is not None and self._link.frames is None and self.frames.is_looking:
            self.frames.say(self._link, sentence)
            return
        self.trouble.emit(sentence, details)

    def _set_threshold(self, threshold: float | None) -> None:
        self._threshold = threshold
        if threshold is not None and self.slider.value() != round(threshold * _STEPS):
            self.slider.blockSignals(True)
            self.slider.setValue(round(threshold * _STEPS))
            self.slider.blockSignals(False)

    def _say_threshold(self, thresholds: Mapping[Role, float]) -> None:
        values = list(thresholds.values())
        if not values:
            return
        words = " / ".join(dict.fromkeys(f"{value:.2f}" for value in values)).replace("0.", ".")
        whose = self.tr(" (cards)") if self._threshold is None else ""
        self._score.setText(self.tr("score ≥ {0}{1}").format(words, whose))
        if self._threshold is None:
            self.slider.blockSignals(True)
            self.slider.setValue(round(values[0] * _STEPS))
            self.slider.blockSignals(False)

    def _say_empty(self, words: str, hint: str, button: str = "") -> None:
        self.empty.say(words, hint, button)
        self._stack.setCurrentIndex(1)

    def _say_command(self) -> None:
        self._command.setText(self.command)

    def _step(self, step: int) -> None:
        self.choose_threshold((self.slider.value() + step) / _STEPS)

    def _copy(self) -> None:
        shown = self.tabs.currentWidget()
        table = shown if isinstance(shown, LinkedTable) and shown.hasFocus() else self.figures
        table.copy()
        self.message.emit("info", self.tr("Copied: {0}").format(table.accessibleName()))

    def _ask_where(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("A folder for the plots"))
        if not chosen:
            return
        try:
            made = self.save_plots(Path(chosen))
        except HilguiError as failure:
            self.message.emit("error", str(failure))
            return
        self.message.emit("info", self.tr("{0} plots saved to {1}").format(len(made), chosen))
