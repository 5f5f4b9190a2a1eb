"""The list of findings grows without losing its place: rows come in between, changed ones say so, else all anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPersistentModelIndex, Qt
from pytestqt.modeltest import ModelTester

from hilgui.gui.replay.findings_model import Column, FindingsModel
from hilgui.gui.theme import Theme
from hilgui.records import Finding, Severity
from tests.gui.replay_run import findings


@pytest.fixture
def model(theme: Theme, qtmodeltester: ModelTester) -> FindingsModel:
    made = FindingsModel(theme)
    made.sort(Column.TIME)
    qtmodeltester.check(made)
    made.set_findings((numbered(1, 20), numbered(2, 40)), has_time=False)
    return made


def numbered(number: int, seq: int, severity: Severity = Severity.HIGH) -> Finding:
    return replace(findings()[0], number=number, first_seq=seq, worst_seq=seq, severity=severity)


def numbers(model: FindingsModel) -> list[int]:
    return [model.finding(row).number for row in range(model.rowCount())]


def test_new_rows_come_between_the_old_ones(model: FindingsModel) -> None:
    resets, spans, kept = [], [], QPersistentModelIndex(model.index(1, 0))
    model.modelReset.connect(lambda: resets.append(1))
    model.rowsInserted.connect(lambda parent, first, last: spans.append((first, last)))
    grown = (*(numbered(n, seq) for n, seq in ((3, 10), (4, 15), (5, 30), (6, 50))), numbered(1, 20), numbered(2, 40))

    model.set_findings(grown, has_time=False)

    assert numbers(model) == [3, 4, 1, 5, 2, 6]
    assert [model.row_of(number) for number in range(1, 7)] == [2, 4, 0, 1, 3, 5]
    assert spans == [(0, 1), (3, 3), (5, 5)] and not resets
    assert kept.row() == 4


def test_a_row_that_changed_says_so_and_is_written_anew(model: FindingsModel) -> None:
    changed = []
    model.dataChanged.connect(lambda first, last: changed.append((first.row(), last.row())))
    time = model.index(1, Column.TIME)
    assert time.data() == "#40"

    model.set_findings((numbered(1, 20), replace(numbered(2, 40), worst_seq=44)), has_time=False)

    assert changed == [(1, 1)]
    assert time.data(Qt.ItemDataRole.DisplayRole) == "#44"


@pytest.mark.parametrize("now", [(), ((1, 20),), ((1, 60), (2, 40))])
def test_rows_that_moved_or_went_make_the_list_anew(model: FindingsModel, now: tuple[tuple[int, int], ...]) -> None:
    resets = []
    model.modelReset.connect(lambda: resets.append(1))

    model.set_findings(tuple(numbered(number, seq) for number, seq in now), has_time=False)

    assert resets == [1]
    assert numbers(model) == [number for number, _ in sorted(now, key=lambda entry: entry[1])]
