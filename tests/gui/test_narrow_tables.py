"""Tables in little room: short numbers, words cut off before figures, colours behind cells."""

import math

import pytest
from PySide6.QtWidgets import QApplication

from hilgui.gui.linked_table import Cell, LinkedTable, number, squeezed
from hilgui.gui.short_numbers import short, span


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.46812, ".468"), (-0.0123, "−.012"), (1.0, "1.000"), (0.0, ".000"), (5.2412, "5.24"), (18.04, "18.0"),
        (9.996, "10.0"), (1803.4, "1,803"), (24.0, "24"), (math.nan, "–"), (None, "–"),
    ],
)  # fmt: skip
def test_numbers_are_short(value, words):
    assert short(value) == words


def test_intervals_and_differences_have_their_signs():
    assert span(0.437, 0.497) == ".437–.497"
    assert (span(1.0, 8.0), span(0.0, 4.0), span(4.975, 17.02)) == ("1–8", "0–4", "5.0–17.0")
    assert span(-0.1, 0.02, is_signed=True) == "−.100–+.020"
    assert short(0.0, is_signed=True) == ".000"


def test_words_give_way_to_numbers_the_last_column_first():
    wanted, words = [200, 80, 80, 200], [True, False, False, True]
    assert squeezed(wanted, words, 600) == [208, 88, 88, 208]
    assert squeezed(wanted, words, 500) == [200, 80, 80, 140]
    assert squeezed(wanted, words, 400) == [176, 80, 80, 64]


def test_a_table_that_scrolls_anyway_narrows_no_words():
    wanted, words = [200, 80, 80, 200], [True, False, False, True]
    assert squeezed(wanted, words, 328) == [104, 80, 80, 64]
    assert squeezed(wanted, words, 327) == wanted
    assert squeezed([90, 80, 80], [True, False, True], 234) == [90, 80, 64]  # a short name stays whole


@pytest.fixture
def table(qtbot, theme):
    table = LinkedTable(theme, "figures")
    qtbot.addWidget(table)
    return table


def test_a_table_fits_its_room_and_follows_it(qtbot, table):
    long = "time_to_first_detection_s_of_everything"
    table.resize(900, 200)
    table.show()
    table.put(["figure", "value", "why"], [[Cell(long), number(".468"), Cell("words " * 20)]])
    for width in (900, 420, 760):
        table.resize(width, 200)
        QApplication.processEvents()
        assert table.horizontalScrollBar().maximum() == 0
        assert table.columnWidth(1) >= table.sizeHintForColumn(1)
    assert long in table.model().data(table.model().index(0, 0), 3)  # Qt.ToolTipRole: what is cut off is told


def test_two_thousand_rows_are_not_measured_one_by_one(qtbot, table, monkeypatch):
    table.resize(900, 200)
    table.show()
    asked, answer = [], table.model().data
    monkeypatch.setattr(type(table.model()), "data", lambda _self, *place: (asked.append(1), answer(*place))[1])
    rows = [[number(str(row)), Cell("short" if row != 1990 else "the longest words of all")] for row in range(2000)]
    table.put(["frame", "what"], rows)
    assert len(asked) < len(rows)
    assert table.columnWidth(1) > table.fontMetrics().horizontalAdvance("the longest words of all")


def test_widths_that_somebody_chose_stay(qtbot, table):
    table.resize(500, 200)
    table.show()
    table.put(["figure", "value", "why"], [[Cell("recall"), number(".468"), Cell("words")]])
    table.setColumnWidth(0, 333)
    table.resize(700, 200)
    QApplication.processEvents()
    assert table.columnWidth(0) == 333


def test_the_colour_behind_a_cell_is_painted(qtbot, table, theme):
    table.resize(300, 120)
    table.show()
    table.put(["there", "shown"], [[Cell("car"), Cell("7", shade=1.0, behind="good")]])
    QApplication.processEvents()
    place = table.visualRect(table.model().index(0, 1)).adjusted(2, 2, -2, -2).topRight()
    seen = table.viewport().grab().toImage().pixelColor(place)
    plain = theme.colour("panel")
    assert abs(seen.green() - plain.green()) + abs(seen.red() - plain.red()) > 30
