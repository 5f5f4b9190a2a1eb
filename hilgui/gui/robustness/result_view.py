"""One result: figures over the whole, the heat map of both models, and the frames behind each of its fields."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from hilgui.gui.linked_table import LinkedTable
from hilgui.gui.robustness.example_view import ExampleView
from hilgui.gui.robustness.heat_view import HeatView
from hilgui.gui.robustness.sheets import (
    Link,
    blocks_of,
    example_rows,
    examples_of,
    headline_rows,
    heat_rows,
    note_rows,
)
from hilgui.gui.robustness.shown_result import ShownResult
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, ROW, Theme
from hilgui.records import Role
from hilgui.robustness import Example, Result
from hilgui.robustness.heat_map import save_heat_map

_HEAD_PX = 30  # of a table


class ResultView(ShownResult):
    """Shows any result document; of which kind is told by its tab. GUI thread only."""

    def __init__(self, theme: Theme, kind: str, parent: QWidget) -> None:
        super().__init__(kind, parent)
        self._link: Link | None = None
        self.headlines = LinkedTable(theme, self.tr("Figures over the whole"), self)
        self.heat = HeatView(theme, self.tr("Heat map"), self)
        self.examples = LinkedTable(theme, self.tr("Frames that went worst"), self)
        self.notes = LinkedTable(theme, self.tr("Critical objects, checks and notes"), self)
        self.pictures = ExampleView(theme, self)
        lists = QTabWidget(self)
        lists.setDocumentMode(True)
        lists.addTab(self.examples, self.tr("Frames"))
        lists.addTab(self.notes, self.tr("First lost, checks, notes"))
        for policy in (self.headlines.setVerticalScrollBarPolicy, self.headlines.setHorizontalScrollBarPolicy):
            policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setAlignment(Qt.AlignmentFlag.AlignTop)
        scroll.setWidget(self.heat)
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addWidget(self.headlines)
        column.addWidget(scroll, 1)
        right = splitter(Qt.Orientation.Vertical, self.pictures, lists, stretch=(3, 2))
        right.setSizes([380, 200])
        body = splitter(Qt.Orientation.Horizontal, left, right, stretch=(3, 2))
        body.setSizes([700, 480])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.addWidget(body)
        self.heat.asked.connect(self.show_field)
        self.notes.asked.connect(self.show_field)
        self.examples.asked.connect(self._show_example)

    def show_result(self, folder: Path, result: Result) -> None:
        """Show a result, another one or the same grown."""
        is_other = folder != self._folder
        self._folder, self._result = folder, result
        self.headlines.put(*headline_rows(self.tr, result))
        self.headlines.setFixedHeight(max(3, len(self.headlines.rows)) * ROW + _HEAD_PX + 4)
        self.heat.put(*heat_rows(self.tr, result, result.roles), blocks_of(result))
        self.notes.put(*note_rows(self.tr, result))
        if is_other:
            self._link = None
            self.examples.put(*example_rows(self.tr, result, []))
            self.pictures.clear()

    def show_worst(self) -> None:
        """Choose the field in which most is lost, of those with pictures if there are any; nothing where none is."""
        fields = {
            (bool(self._examples(cell.link)), cell.shade, -row, -column): (row, column)
            for row, cells in enumerate(self.heat.rows)
            for column, cell in enumerate(cells)
            if isinstance(cell.link, Link)
        }
        if fields:
            self.heat.choose(*fields[max(fields)])

    def copy(self) -> str:
        """Copy the heat map as text; gives its name."""
        self.heat.copy()
        return self.heat.accessibleName()

    def save(self, path: Path) -> list[Path]:
        """Save the heat map of each model; raises CallWrong, StoreBroken."""
        result = self._result
        made: list[Path] = []
        for role in () if result is None else result.roles:
            assert result is not None
            made.append(path if len(result.roles) == 1 else path.with_stem(f"{path.stem}-{role.value}"))
            save_heat_map(made[-1], result, role)
        return made

    def show_field(self, link: object) -> None:
        """List the frames behind a field and show the worst."""
        if not isinstance(link, Link) or self._result is None:
            return
        self._link = link
        found = self._examples(link)
        self.examples.put(*example_rows(self.tr, self._result, found))
        if found:
            self._show_example(found[0])
        else:
            self.pictures.clear()

    def _examples(self, link: Link) -> list[tuple[Role, Example]]:
        return [] if self._result is None else examples_of(self._result, link)

    def _show_example(self, chosen: object) -> None:
        if isinstance(chosen, tuple) and self._folder is not None and self._link is not None:
            role, example = chosen
            assert isinstance(role, Role)
            assert isinstance(example, Example)
            whose = role.value if self._result is not None and len(self._result.models) > 1 else ""
            name = " ".join(filter(None, (self._link.row, self._link.column, whose)))
            self.pictures.show_example(self._folder, role, example, name)
