"""Where somebody is in the table of findings: kept while new findings come in above and below."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from PySide6.QtCore import QItemSelection, QItemSelectionModel
from PySide6.QtWidgets import QAbstractItemView, QTableView

from hilgui.gui.findings.table_model import Column, FindingsTable
from hilgui.gui.findings.table_view import FindingsView

_MOST = 5000  # chosen rows that are found again


@dataclass(frozen=True, slots=True)
class Place:
    """The current finding, those that are chosen, and the one at the top of the view, by their ids."""

    current: int | None
    chosen: tuple[int, ...]
    top: int | None

    @classmethod
    def of(cls, table: FindingsView, model: FindingsTable) -> Place:
        """Take the place of a table."""
        current, top = table.currentIndex(), table.rowAt(0)
        rows = islice((row for first, last in table.spans for row in range(first, last + 1)), _MOST)
        return cls(
            model.id_at(current.row()) if current.isValid() else None,
            tuple(model.id_at(row) for row in rows),
            model.id_at(top) if top >= 0 else None,
        )

    @property
    def ids(self) -> tuple[int, ...]:
        """Name the findings in sight."""
        return tuple(id_ for id_ in (self.current, self.top) if id_ is not None)

    def restore(self, table: QTableView, model: FindingsTable) -> bool:
        """Go back to it among other rows; False where the current finding is no longer listed."""
        row = None if self.current is None else model.row_of(self.current)
        if row is None:
            return False
        chosen = QItemSelection()
        wanted = set(self.chosen)
        for place, id_ in enumerate(model.ids):
            if id_ in wanted:
                chosen.select(model.index(place, 0), model.index(place, len(Column) - 1))
        flags = QItemSelectionModel.SelectionFlag
        table.selectionModel().setCurrentIndex(model.index(row, Column.KIND), flags.NoUpdate)
        table.selectionModel().select(chosen, flags.ClearAndSelect | flags.Rows)
        top = None if self.top is None else model.row_of(self.top)
        if top is not None:
            table.scrollTo(model.index(top, Column.KIND), QAbstractItemView.ScrollHint.PositionAtTop)
        return True
