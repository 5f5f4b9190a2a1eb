"""The last verdict of a case: every criterion with value, limit and unit, its trend, and the way to the frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from hilgui.errors import HilguiError
from hilgui.gui.cases.tree import OUTCOME_TONES, SIGNS
from hilgui.gui.label import Label, as_tip
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import GAP, GAP_L, GAP_S, Theme, mark
from hilgui.records import Outcome
from hilgui.sequencer.results import CaseResult
from hilgui.store import RunReader

Past = Sequence[tuple[str, float | None, Outcome]]
_KEPT = 30  # runs of a trend
_TONES = {Outcome.PASS: "good", Outcome.INCONCLUSIVE: "warning", Outcome.ABORTED: "soft"}


class Trend(QWidget):
    """One criterion over past runs, oldest first: a point each, coloured and shaped by its verdict."""

    def __init__(self, theme: Theme, name: str, past: Past, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._past = list(past)[-_KEPT:]
        last = ", ".join("–" if value is None else f"{value:.4g}" for _, value, _ in self._past[-5:])
        runs = amount(len(self._past), self.tr("1 run"), self.tr("{0} runs"))
        self.setAccessibleName(self.tr("{0} over {1}, the last: {2}").format(name, runs, last))
        self.setToolTip(as_tip(self.accessibleName()))

    def sizeHint(self) -> QSize:
        """Ask for a strip."""
        return QSize(140, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw circles for PASS and crosses for anything else, joined by a line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        values = [value for _, value, _ in self._past if value is not None and math.isfinite(value)]
        if values:
            low, span = min(values), max(values) - min(values)
            step = (self.width() - 12) / max(1, len(self._past) - 1)
            before: QPointF | None = None
            for number, (_, value, outcome) in enumerate(self._past):
                if value is None or not math.isfinite(value):
                    before = None
                    continue
                share = (value - low) / span if span else 0.5
                here = QPointF(6 + number * step, self.height() - 6 - share * (self.height() - 12))
                if before is not None:
                    painter.setPen(QPen(self._theme.colour("line_strong"), 1))
                    painter.drawLine(before, here)
                _draw_point(painter, here, self._theme.colour(OUTCOME_TONES[outcome]), outcome is Outcome.PASS)
                before = here
        painter.end()


def worst_frame(result: CaseResult | None) -> int | None:
    """Give the frame of the gravest finding of the last run of a case, None where there is none or it cannot be read.

    The run's page says why a run cannot be read; here it only means that there is no frame to go to.
    """
    if result is None or not result.runs:
        return None
    try:
        with closing(RunReader(Path(result.runs[-1]))) as reader:
            findings = reader.findings()
    except HilguiError:
        return None
    return max(findings, key=lambda finding: finding.severity).worst_seq if findings else None


def _draw_point(painter: QPainter, at: QPointF, colour: QColor, is_good: bool) -> None:
    painter.setPen(QPen(colour, 1.8))
    if is_good:
        painter.drawEllipse(at, 2.5, 2.5)
        return
    for dx, dy in ((3, 3), (3, -3)):
        painter.drawLine(at - QPointF(dx, dy), at + QPointF(dx, dy))


class VerdictPanel(QFrame):
    """Made anew for each case that is chosen."""

    open_asked = Signal(object, object)  # Path of a run; frame of its gravest finding, or None

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        mark(self, surface="panel")
        self.word = Label(self)
        self.about = Label(self)
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setWordWrap(True)
        mark(self.about, tone="soft")
        self.open_run = QPushButton(self.tr("Open the run"), self)
        self.open_run.setAutoDefault(False)
        mark(self.open_run, kind="small")
        self.reasons = Label(self)
        self.reasons.setWordWrap(True)
        self.reasons.setTextFormat(Qt.TextFormat.PlainText)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self.rows: list[tuple[str, ...]] = []
        self._run: Path | None = None
        self._seq: int | None = None
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(self.word)
        head.addWidget(self.about, 1)
        head.addWidget(self.open_run, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP_S, GAP, GAP)
        layout.setSpacing(GAP_S)
        layout.addLayout(head)
        layout.addWidget(self.reasons)
        layout.addWidget(self._scroll, 1)
        self.open_run.clicked.connect(lambda _=False: self.open_asked.emit(self._run, self._seq))
        self.show_result(None, {})

    def show_result(self, result: CaseResult | None, past: dict[str, Past], seq: int | None = None) -> None:
        """Show how the case ended last, and before; the button opens its run at frame `seq`."""
        self._seq = seq
        self._run = None if result is None or not result.runs else Path(result.runs[-1])
        self.open_run.setVisible(self._run is not None)
        where = self.tr("Open the run at its gravest finding, frame {0}") if seq is not None else ""
        self.open_run.setToolTip(where.format(seq))
        if result is None:
            self.word.setText(self.tr("never ran"))
            mark(self.word, tone="faint")
            self.about.setText(self.tr("Run it with Ctrl+Return: each criterion appears here with value and limit."))
            self.reasons.hide()
            self.rows = []
            self._scroll.setWidget(QWidget(self))
            return
        outcome = result.outcome
        sign = "·" if outcome is None else SIGNS.get(outcome, "·")
        self.word.setText(f"{sign} {result.word}")
        mark(self.word, tone=_TONES.get(outcome, "missed") if outcome is not None else "faint")
        frames = result.frames
        told = [result.started[:16].replace("T", " ") + " UTC", f"{result.duration_s:.1f} s", result.operator]
        if frames.captured:
            captured = amount(frames.captured, self.tr("1 frame"), self.tr("{0} frames"))
            told.append(self.tr("{0} of {1} judged").format(frames.evaluated, captured))
        lost = frames.lost + frames.candidate_skipped
        if lost:
            told.append(self.tr("{0} lost or skipped").format(lost))
        if result.attempts > 1:
            told.append(self.tr("attempt {0}").format(result.attempts))
        self.about.setText(" · ".join(filter(None, told)))
        sentences = [*result.reasons, *(self.tr("teardown: {0}").format(each) for each in result.teardown)]
        self.reasons.setText("\n".join(sentences))
        self.reasons.setVisible(bool(sentences))
        self._show_criteria(result, past)

    def _show_criteria(self, result: CaseResult, past: dict[str, Past]) -> None:
        inside = QWidget(self)
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, GAP, 0)
        grid.setHorizontalSpacing(GAP_L)
        grid.setVerticalSpacing(GAP_S)
        heads = (self.tr("criterion"), self.tr("value"), self.tr("limit"), self.tr("verdict"), self.tr("past runs"))
        for column, words in enumerate(heads):
            head = Label(words, inside)
            mark(head, tone="section")
            grid.addWidget(head, 0, column)
        self.rows = []
        for number, one in enumerate(result.criteria, 1):
            value = "–" if one.value is None else f"{one.value:.4g} {one.unit}".rstrip()
            cells = (one.title, value, f"{one.limit} {one.unit}".rstrip(), f"{SIGNS[one.outcome]} {one.outcome.value}")
            self.rows.append(cells)
            for column, words in enumerate(cells):
                label = Label(words, inside)
                label.setTextFormat(Qt.TextFormat.PlainText)
                label.setToolTip(as_tip(one.note))
                if column == 3:
                    mark(label, tone=_TONES.get(one.outcome, "missed"))
                grid.addWidget(label, number, column)
            grid.addWidget(Trend(self._theme, one.title, past.get(one.title, ()), inside), number, 4)
        grid.setColumnStretch(0, 1)
        grid.setRowStretch(len(result.criteria) + 1, 1)
        self._scroll.setWidget(inside)
