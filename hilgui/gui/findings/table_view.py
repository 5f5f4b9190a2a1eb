"""How the table of findings looks: dense rows, whole rows chosen, widths that fit."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from hilgui.gui.findings.table_model import Column, FindingsTable
from hilgui.gui.findings.thumbnails import SIZE
from hilgui.gui.theme import mark

_WIDTHS = {
    Column.PICTURE: SIZE[0] + 12,
    Column.SEVERITY: 32,
    Column.KIND: 116,
    Column.CLASS: 66,
    Column.MODEL: 82,
    Column.SUSPECT: 82,
    Column.STATE: 84,
    Column.TIME: 70,
    Column.FRAMES: 62,
    Column.DRIVE: 130,
    Column.TAGS: 90,
}


def set_up_table(table: QTableView, model: FindingsTable, name: str) -> None:
    """Give the table its model, its widths and its manners."""
    table.setModel(model)
    mark(table, surface="dense")
    table.setShowGrid(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setIconSize(QSize(*SIZE))
    table.setAccessibleName(name)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    head = table.horizontalHeader()
    head.setHighlightSections(False)
    head.setStretchLastSection(True)
    head.setSectionsClickable(True)
    head.setSortIndicatorShown(True)
    head.setSortIndicator(Column.SEVERITY, Qt.SortOrder.AscendingOrder)
    head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for each, width in _WIDTHS.items():
        table.setColumnWidth(each, width)
