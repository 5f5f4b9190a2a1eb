"""A check for drift: each statistic against its limit over time, its alarms, and the frames behind them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from hilgui.gui.chart import Chart
from hilgui.gui.label import Label
from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.ink import picture_ink
from hilgui.gui.replay.pictures import for_screen
from hilgui.gui.robustness.drift_sheets import Place, alarm_rows, statistic_rows, statistic_words, verdict_words
from hilgui.gui.robustness.example_view import read_picture
from hilgui.gui.robustness.shown_result import ShownResult
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, Theme, mark
from hilgui.records import Role
from hilgui.robustness import Cell, Result, picture_path


class DriftView(ShownResult):
    """Chart of the chosen statistic, a table of all, alarms with their pictures. GUI thread only."""

    def __init__(self, theme: Theme, kind: str, parent: QWidget) -> None:
        super().__init__(kind, parent)
        self._row = ""
        self.words = Label(self)
        mark(self.words, tone="heading")
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.chart = Chart(
            theme,
            self.tr("Statistic against its limit"),
            self.tr("end of the window (s)"),
            "",
            self,
        )
        self.statistics = LinkedTable(theme, self.tr("Statistics, the furthest from its limit first"), self)
        self.alarms = LinkedTable(theme, self.tr("Alarms"), self)
        self.picture = FrameView(picture_ink(theme), self)
        self._under = Label(self)
        mark(self._under, tone="soft")
        self._under.setTextFormat(Qt.TextFormat.PlainText)
        self._under.setWordWrap(True)
        left = splitter(Qt.Orientation.Vertical, self.chart, self.statistics, stretch=(3, 2))
        left.setSizes([300, 260])
        side = QWidget(self)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self.picture, 1)
        column.addWidget(self._under)
        right = splitter(Qt.Orientation.Vertical, side, self.alarms, stretch=(3, 2))
        right.setSizes([300, 260])
        body = splitter(Qt.Orientation.Horizontal, left, right, stretch=(3, 2))
        body.setSizes([600, 580])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self.words)
        layout.addWidget(body, 1)
        self.statistics.asked.connect(self._show_statistic)
        self.alarms.asked.connect(self.show_place)
        self.chart.clicked.connect(lambda x, _y: self._show_nearest(x))
        self._theme = theme
        theme.changed.connect(self._restyle)  # a bound method ends with this widget, a lambda would outlive it
        self._show_no_picture()

    def _restyle(self) -> None:
        self.picture.set_ink(picture_ink(self._theme))

    def show_result(self, folder: Path, result: Result) -> None:
        """Show a check, its worst statistic first."""
        is_other = folder != self._folder
        self._folder, self._result = folder, result
        self.words.setText(verdict_words(self.tr, result))
        titles, rows = statistic_rows(self.tr, result)
        self.statistics.put(titles, rows)
        self.alarms.put(*alarm_rows(self.tr, result))
        if is_other:
            self._row = str(rows[0][0].link) if rows else ""
            self._show_no_picture()
        self._draw()

    def show_worst(self) -> None:
        """Show the first alarm."""
        alarms = self.alarms.rows
        if alarms:
            self.show_place(alarms[0][1].link)

    def copy(self) -> str:
        """Copy the table of statistics as text; gives its name."""
        self.statistics.copy()
        return self.statistics.accessibleName()

    def save(self, path: Path) -> list[Path]:
        """Save the chart as PNG or SVG; raises BenchBroken."""
        if self._result is None:
            return []
        self.chart.save(path)
        return [path]

    def show_place(self, link: object) -> None:
        """Show the window behind an alarm; its frame number leads to the frame in the run."""
        if not isinstance(link, Place) or self._result is None or self._folder is None:
            return
        self._row = link.row
        self._draw()
        if link.is_opened:
            self.frame_asked.emit(Path(self._result.question["run"]), link.seq)
            return
        cell = self._result.cell(link.row, link.column, Role.BASELINE)
        self._show_cell(cell)

    def _show_statistic(self, link: object) -> None:
        self._row = str(link)
        self._draw()

    def _cells(self) -> list[Cell]:
        if self._result is None:
            return []
        cells = [cell for cell in self._result.cells if cell.row == self._row]
        return sorted(cells, key=lambda cell: int(cell.column) if cell.column.isdecimal() else 0)

    def _places(self) -> list[float]:
        """Give where each window ends: seconds, frames where there is no time."""
        windows = [] if self._result is None else self._result.question.get("windows", [])
        return [float(last if last_s is None else last_s) for _, last, _, last_s in windows]

    def _draw(self) -> None:
        self.chart.clear_curves()
        cells, places = self._cells(), self._places()
        known = [(places[int(one.column) - 1], one) for one in cells if one.column.isdecimal()
                 and 0 < int(one.column) <= len(places)]  # fmt: skip
        if not known:
            return
        x = np.array([place for place, _ in known])
        values = _column([one for _, one in known], "value")
        limits = _column([one for _, one in known], "limit")
        figure, _, statistic = self._row.rpartition(" ")
        words = statistic_words(self.tr).get(statistic, statistic)
        self.chart.show_title(self.tr("{0}: {1}; dashed: its limit").format(figure, words))
        self.chart.add_curve(x, values, "accent")
        self.chart.add_points(x, values, "accent")
        self.chart.add_curve(x, limits, "warning", style="dash")
        above = values > limits
        if above.any():
            self.chart.add_points(x[above], values[above], "missed", 11.0)
        top = float(np.nanmax([*values, *limits, 0.0])) or 1.0
        self.chart.show_range((float(x.min()), float(x.max())), (0.0, top))

    def _show_nearest(self, x: float) -> None:
        places = self._places()
        cells = [one for one in self._cells() if one.column.isdecimal() and int(one.column) <= len(places)]
        if cells:
            self._show_cell(min(cells, key=lambda one: abs(places[int(one.column) - 1] - x)))

    def _show_cell(self, cell: Cell | None) -> None:
        if cell is None or not cell.examples or self._folder is None:
            self._show_no_picture(self.tr("No alarm in this window."))
            return
        example = cell.examples[0]
        self._under.setText(f"#{example.seq:,} · {example.words}")
        image = read_picture(picture_path(self._folder, example.changed))
        if image is None:
            self.picture.show_frame(None, (), self.tr("Of this window no picture was kept."))
            return
        self.picture.show_frame(for_screen(image), ())

    def _show_no_picture(self, words: str = "") -> None:
        self._under.setText("")
        self.picture.show_frame(
            None, (), words or self.tr("Choose an alarm or a window of the chart to see its frame.")
        )


def _column(cells: list[Cell], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = [one.by_class.get(name) for one in cells]
    return np.array([math.nan if value is None else value for value in values], np.float64)
