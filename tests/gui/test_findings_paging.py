"""The table of findings pages: however many there are, a screen asks for a few pages and holds a bounded number."""

from __future__ import annotations

from array import array
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from hilgui.gui.findings import table_model
from hilgui.gui.findings.table_model import Column, FindingsTable, Index
from hilgui.gui.findings.table_view import FindingsView
from hilgui.gui.theme import Theme
from hilgui.report.finding_table import PAGE
from hilgui.triage import FindingRow, FindingsIndex, Query
from tests.unit.triage.many import make_run

SCREEN = 40  # rows that are seen at once


class Counting(FindingsTable):
    """Counts the pages that are asked for, and how often somebody wants to know the number of rows."""

    asked: int = 0
    counted: int = 0

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        self.counted += 1
        return super().rowCount(parent)

    def _fetch(self, number: int) -> list[FindingRow | None]:
        self.asked += 1
        return super()._fetch(number)


def filled(home: Path, runs: int, each: int, theme: Theme) -> tuple[Counting, array[int]]:
    folders = [make_run(home / "runs", each, f"run-{n:02d}") for n in range(runs)]
    with closing(FindingsIndex(home)) as index:
        index.refresh(folders)
        ids = index.ids(Query())
    model = Counting(theme, home, theme)
    model.set_ids(ids)
    return model, ids


def look_at(model: Counting, first: int) -> None:
    """Ask for every cell of a screen, as a table does when it paints."""
    for row in range(first, min(first + SCREEN, model.rowCount())):
        for column in Column:
            if column is not Column.PICTURE:
                assert model.data(model.index(row, column)) is not None


def scroll(model: Counting, ids: array[int]) -> None:
    for first in range(0, len(ids), SCREEN):
        look_at(model, first)
        assert len(model._pages) <= table_model._PAGES
    assert model.asked == -(-len(ids) // PAGE)  # each page once, on the way down


def test_scrolling_asks_for_every_page_once_and_holds_few(tmp_path: Path, theme: Theme) -> None:
    model, ids = filled(tmp_path, 2, 2500, theme)
    with closing(model):
        look_at(model, 0)
        assert model.asked == 1  # nothing but the first page before somebody scrolls
        model.asked = 0
        model.set_ids(ids)
        scroll(model, ids)


def test_a_jump_to_the_end_asks_for_the_end_only(tmp_path: Path, theme: Theme) -> None:
    model, ids = filled(tmp_path, 1, 3000, theme)
    with closing(model):
        look_at(model, len(ids) - SCREEN)
        assert model.asked <= 2
        last = model.finding(len(ids) - 1)
        assert last is not None
        assert last.id == ids[-1]


@pytest.mark.slow
@pytest.mark.timeout(600)  # a million cells, on a busy machine
def test_a_hundred_thousand_findings_are_scrolled_from_end_to_end(tmp_path: Path, theme: Theme) -> None:
    model, ids = filled(tmp_path, 20, 5000, theme)
    assert len(ids) == 100_000
    with closing(model):
        scroll(model, ids)
        assert sum(len(page) for page in model._pages.values()) <= table_model._PAGES * PAGE


def test_titles_are_painted_without_looking_through_all_that_is_chosen(
    tmp_path: Path, theme: Theme, qtbot: QtBot
) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    model, ids = filled(tmp_path, 1, PAGE, theme)
    with closing(model):
        model.set_ids(ids * 100)
        view = FindingsView(theme, page)
        view.set_up(model, "findings")
        view.selectAll()
        assert view.spans == [(0, 100 * PAGE - 1)]
        model.counted = 0
        view.grab()
        assert model.counted < 100 * PAGE
