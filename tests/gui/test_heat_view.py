"""The heat map holds two models in a narrow window: beside each other where they fit, else one below the other."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QScrollArea

from hilgui.gui.linked_table import Cell
from hilgui.gui.robustness.heat_view import HeatView

_NARROW_PX = 635  # of the map in a window of 1280 × 720, beside a scroll bar


@pytest.fixture
def scroll(qtbot, theme):
    scroll = QScrollArea()
    qtbot.addWidget(scroll)
    scroll.setWidgetResizable(True)
    scroll.setWidget(HeatView(theme, "Heat map", scroll))
    scroll.show()
    return scroll


def fill(heat: HeatView, columns: int, rows: int = 15) -> None:
    """Put two models with so many columns each."""
    cells = [Cell(f"{place}", place, shade=0.5, behind="baseline", is_number=True) for place in range(2 * columns)]
    names = ["elastic_transform_of_a_long_name", *(f"row {number}" for number in range(rows - 1))]
    titles = ["Row", *(f"B {place}" for place in range(2 * columns))]
    blocks = (("baseline: one", "baseline", columns), ("candidate: two", "candidate", columns))
    heat.put(titles, [(Cell(name, tip="common"), *cells) for name in names], blocks)


@pytest.mark.parametrize(("columns", "is_stacked"), [(7, False), (12, True)])
def test_two_models_never_scroll_sideways_and_every_field_can_be_clicked(qtbot, scroll, columns, is_stacked):
    heat = scroll.widget()
    fill(heat, columns)
    scroll.resize(_NARROW_PX, 500)
    qtbot.waitUntil(lambda: heat.is_stacked == is_stacked and not scroll.horizontalScrollBar().isVisible())
    assert heat.width() <= scroll.viewport().width()
    asked = []
    heat.asked.connect(asked.append)
    for column in range(1, 2 * columns + 1):
        place = heat.field_rect(14, column)
        assert heat.rect().contains(place)
        qtbot.mouseClick(heat, Qt.MouseButton.LeftButton, pos=place.center())
    assert asked == list(range(2 * columns))


def test_maps_come_beside_each_other_again_where_there_is_room(qtbot, scroll):
    heat = scroll.widget()
    fill(heat, 12, rows=3)
    scroll.resize(_NARROW_PX, 500)
    qtbot.waitUntil(lambda: heat.is_stacked)
    tall = heat.height()
    scroll.resize(1300, 500)
    qtbot.waitUntil(lambda: not heat.is_stacked)
    assert heat.height() < tall


def test_a_name_that_is_cut_is_told_whole(scroll):
    heat = scroll.widget()
    fill(heat, 7)
    assert heat.tip_at(QPoint(4, heat.field_rect(0, 1).center().y())) == "elastic_transform_of_a_long_name: common"
    assert heat.tip_at(QPoint(4, 4)) == ""
