"""The findings of all runs as a table: numbers of rows in memory, the rows themselves fetched by the page."""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QIcon

from hilgui.cornercases.suspects import suspect_in_words
from hilgui.gui.findings.thumbnails import SIZE, Thumbnails
from hilgui.gui.findings.words import state_icon, state_words
from hilgui.gui.label import as_tip
from hilgui.gui.replay.drive import clock
from hilgui.gui.severity_signs import SeveritySigns
from hilgui.gui.theme import Theme
from hilgui.records.triage import Triage, TriageState
from hilgui.report.finding_table import PAGE, Answer, Pages, page_of
from hilgui.triage import FindingRow, FindingsIndex

Index = QModelIndex | QPersistentModelIndex

_PAGES = 24


class Column(IntEnum):
    """The columns, from the left."""

    PICTURE = 0
    SEVERITY = 1
    KIND = 2
    CLASS = 3
    MODEL = 4
    SUSPECT = 5
    STATE = 6
    TIME = 7
    FRAMES = 8
    DRIVE = 9
    TAGS = 10
    WHY = 11


ORDERS = {
    Column.SEVERITY: "badness",
    Column.KIND: "kind",
    Column.CLASS: "class",
    Column.MODEL: "role",
    Column.SUSPECT: "suspect_model",
    Column.STATE: "state",
    Column.TIME: "time",
    Column.FRAMES: "frames",
    Column.DRIVE: "run",
    Column.TAGS: "tags",
}


class FindingsTable(QAbstractTableModel):
    """Shows what an answer of the index names; owns a connection of its own, for pages only. GUI thread."""

    def __init__(self, theme: Theme, home: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._home = home
        self._index: FindingsIndex | None = None
        self._ids: array[int] = array("q")
        self._pages: OrderedDict[int, list[FindingRow | None]] = OrderedDict()
        self._decided: dict[int, Triage] = {}  # by id: newer than the page
        self._signs = SeveritySigns(theme, self)
        self._thumbnails = Thumbnails(self)
        self._thumbnails.came.connect(self._on_thumbnails)
        self._has_pictures = False
        self._titles = {
            Column.PICTURE: self.tr("picture"),
            Column.SEVERITY: "",
            Column.KIND: self.tr("kind"),
            Column.CLASS: self.tr("class"),
            Column.MODEL: self.tr("model"),
            Column.SUSPECT: self.tr("suspect"),
            Column.STATE: self.tr("state"),
            Column.TIME: self.tr("time"),
            Column.FRAMES: self.tr("frames"),
            Column.DRIVE: self.tr("drive"),
            Column.TAGS: self.tr("tags"),
            Column.WHY: self.tr("why"),
        }

    def set_ids(self, ids: array[int], pages: Pages | None = None) -> None:
        """Take the findings of an answer, in its order, with the pages that came along."""
        self.beginResetModel()
        if self._index is None:
            self._index = FindingsIndex(self._home)
        self._ids = ids
        self._pages = OrderedDict(pages or {})
        self._decided.clear()
        self.endResetModel()

    def renew(self, pages: Pages | None = None) -> None:
        """Read again what the rows say: the same findings, perhaps decided about by somebody else."""
        self._pages = OrderedDict(pages or {})
        self.show_decision({})

    @property
    def thumbnails(self) -> Thumbnails:
        """Give the small pictures, for other views of the same findings."""
        return self._thumbnails

    def show_pictures(self, has_pictures: bool) -> None:
        """Show thumbnails, or not: only then are they read."""
        self._has_pictures = has_pictures

    def close(self) -> None:
        """Let go of the index and of the thumbnails; may be called twice."""
        self._thumbnails.close()
        if self._index is not None:
            self._index.close()
            self._index = None

    def finding(self, row: int) -> FindingRow | None:
        """Give the finding of a row; None where it went away since the answer."""
        if self._index is None or not 0 <= row < len(self._ids):
            return None
        number = row // PAGE
        if number not in self._pages:
            self._pages[number] = self._fetch(number)
            while len(self._pages) > _PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        found = self._pages[number][row % PAGE]
        if found is None:
            return None
        return replace(found, triage=self._decided[found.id]) if found.id in self._decided else found

    def row_of(self, id_: int) -> int | None:
        """Give the row of an id, None where the filters hide it."""
        try:
            return self._ids.index(id_)
        except ValueError:
            return None

    @property
    def ids(self) -> array[int]:
        """Give what is listed, by id."""
        return self._ids

    def id_at(self, row: int) -> int:
        """Give the id of a row."""
        return self._ids[row]

    def show_decision(self, decided: dict[int, Triage]) -> None:
        """Show at once what was decided, by id, before the index knows it."""
        self._decided.update(decided)
        if self._ids:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(Column) - 1))

    # -- Qt -----------------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """Count the rows."""
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """Count the columns."""
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give the titles."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[Column(section)]
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.SEVERITY:
            return self.tr("severity; the worst first")
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.SUSPECT:
            return as_tip(self.tr("who to look at first: one of the models, the label, the rig or its timing"))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows."""
        row = self.finding(index.row())
        if row is None:
            return None
        column = Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(f"{row.severity.label} · {row.finding.why}")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return text(row, column) or row.severity.label
        if role == Qt.ItemDataRole.DecorationRole:
            return self._decoration(row, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (Column.TIME, Column.FRAMES):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.SizeHintRole and column is Column.PICTURE:
            return QSize(*SIZE)
        return None

    def text_of(self, rows: Iterable[FindingRow]) -> str:
        """Write rows as tab-separated text, with titles, for the clipboard."""
        columns = [column for column in Column if column is not Column.PICTURE]
        titles = [self.tr("run"), self.tr("no"), *(self._titles[each] or self.tr("severity") for each in columns)]
        lines = ["\t".join([*titles, self.tr("assignee"), self.tr("note")])]
        for row in rows:
            cells = [text(row, column) or row.severity.label for column in columns[:1]]
            cells += [text(row, column) for column in columns[1:]]
            lines.append("\t".join([row.run_id, str(row.finding.number), *cells, row.triage.assignee, row.triage.note]))
        return "\n".join(lines)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _fetch(self, number: int) -> list[FindingRow | None]:
        assert self._index is not None
        return page_of(self._index, self._ids, number)

    def _decoration(self, row: FindingRow, column: Column) -> Any:
        if column is Column.SEVERITY:
            return self._signs.sign(row.severity)
        if column is Column.STATE and row.triage.state is not TriageState.OPEN:
            return self._theme.icon(state_icon(row.triage.state))
        if column is Column.PICTURE and self._has_pictures:
            return self._thumbnail(row)
        return None

    def _thumbnail(self, row: FindingRow) -> QIcon | None:
        return self._thumbnails.of(row.folder, row.finding)

    def _on_thumbnails(self) -> None:
        if not self._ids:
            return  # the list changed meanwhile
        last = self.index(len(self._ids) - 1, Column.PICTURE)
        self.dataChanged.emit(self.index(0, Column.PICTURE), last, [Qt.ItemDataRole.DecorationRole])

    def _colour(self, row: FindingRow, column: Column) -> Any:
        if column is Column.MODEL and row.role is not None:
            return self._theme.colour(row.role.value)
        if column is Column.SUSPECT and row.finding.suspect_model is not None:
            return self._theme.colour(row.finding.suspect_model.value)
        if column is Column.STATE and row.triage.state is TriageState.OPEN:
            return self._theme.colour("text_faint")
        return None


def words_of(answer: Answer) -> dict[Column, list[str]]:
    """Give the different words of each column that has few of them."""
    of = answer.counts
    return {
        Column.KIND: list(of["kind"]),
        Column.CLASS: list(of["label"]),
        Column.MODEL: list(of["role"]),
        Column.SUSPECT: [*of["suspect"], *of["suspect_model"]],
        Column.STATE: [state_words(TriageState(state)) for state in of["state"]],
        Column.DRIVE: list(of["drive"]),
    }


def text(row: FindingRow, column: Column) -> str:
    """Give the words of a cell."""
    finding = row.finding
    if column is Column.TIME:
        return f"#{finding.worst_seq}" if finding.worst_s != finding.worst_s else clock(finding.worst_s)[:-1]
    if column is Column.MODEL:
        return finding.role.value if finding.role is not None else "–"
    texts = {
        Column.KIND: finding.kind.value,
        Column.CLASS: row.label or "–",
        Column.SUSPECT: suspect_in_words(finding) or "–",
        Column.STATE: state_words(row.triage.state),
        Column.FRAMES: str(finding.frames),
        Column.DRIVE: row.drive,
        Column.TAGS: ", ".join(row.triage.tags),
        Column.WHY: finding.why,
    }
    return texts.get(column, "")
