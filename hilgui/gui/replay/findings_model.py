"""The findings of a run as a table: worst first, filtered and sorted without asking Qt row by row."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from hilgui.cornercases.rank import badness
from hilgui.gui.label import as_tip
from hilgui.gui.replay.drive import clock
from hilgui.gui.severity_signs import SeveritySigns
from hilgui.gui.theme import Theme
from hilgui.records import Finding, Kind, Role, Severity

Index = QModelIndex | QPersistentModelIndex
_DISPLAY, _TIP = int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.ToolTipRole)
_SPOKEN, _ICON = int(Qt.ItemDataRole.AccessibleTextRole), int(Qt.ItemDataRole.DecorationRole)
_INK, _SIDE = int(Qt.ItemDataRole.ForegroundRole), int(Qt.ItemDataRole.TextAlignmentRole)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class Column(IntEnum):
    """The columns, from the left."""

    SEVERITY = 0
    KIND = 1
    MODEL = 2
    TIME = 3
    WHAT = 4
    FRAMES = 5


@dataclass(frozen=True, slots=True)
class Filter:
    """Which findings are listed; None and "" mean all."""

    kind: Kind | None = None
    least: Severity = Severity.LOW
    role: Role | None = None
    text: str = ""

    def accepts(self, finding: Finding) -> bool:
        """Say whether a finding is listed. The text is looked for in kind, objects, model and reason."""
        if self.kind is not None and finding.kind is not self.kind:
            return False
        if finding.severity < self.least or (self.role is not None and finding.role is not self.role):
            return False
        if not self.text:
            return True
        haystack = f"{finding.kind} {finding.role or ''} {what(finding)} {finding.severity.label} {finding.why}"
        return all(word in haystack.lower() for word in self.text.lower().split())


def what(finding: Finding) -> str:
    """Name the objects of a finding, and the camera in a drive of several."""
    objects = ", ".join(sorted({found.label for found in finding.objects})) or "frame"
    return f"{objects} · {finding.channel}" if finding.channel else objects


_KEYS: dict[Column, Callable[[Finding], Any]] = {
    Column.SEVERITY: badness,
    Column.KIND: lambda finding: (finding.kind.value, badness(finding)),
    Column.MODEL: lambda finding: (finding.role or "", badness(finding)),
    Column.TIME: lambda finding: (finding.first_seq, finding.number),
    Column.WHAT: lambda finding: (what(finding), badness(finding)),
    Column.FRAMES: lambda finding: (-finding.frames, finding.number),
}


class FindingsModel(QAbstractTableModel):
    """Rows are findings; the order and the choice are made here, in one go."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._findings: tuple[Finding, ...] = ()
        self._shown: list[Finding] = []
        self._row_of: dict[int, int] = {}
        self._texts: dict[int, tuple[str, ...]] = {}  # of each finding that was in sight, by its number
        self._filter = Filter()
        self._column = Column.SEVERITY
        self._is_reversed = False
        self._has_time = True
        self._signs = SeveritySigns(theme, self)
        self._titles = {
            Column.SEVERITY: "",
            Column.KIND: self.tr("kind"),
            Column.MODEL: self.tr("model"),
            Column.TIME: self.tr("time"),
            Column.WHAT: self.tr("what"),
            Column.FRAMES: self.tr("frames"),
        }

    def set_findings(self, findings: tuple[Finding, ...], *, has_time: bool) -> None:
        """Take the findings of a run; while rows only come to those that are there, the others stay as they are."""
        if findings is self._findings and has_time == self._has_time:
            return
        self._findings, self._has_time = findings, has_time
        self._texts.clear()
        shown = self._chosen()
        if not self._grow(shown):
            self._reset(shown)

    def set_filter(self, filter_: Filter) -> None:
        """List only what the filter accepts."""
        self._filter = filter_
        self._reset(self._chosen())

    @property
    def filter(self) -> Filter:
        """Give what is listed."""
        return self._filter

    @property
    def total(self) -> int:
        """Count the findings of the run."""
        return len(self._findings)

    def finding(self, row: int) -> Finding:
        """Give the finding of a row."""
        return self._shown[row]

    def row_of(self, number: int) -> int | None:
        """Give the row of a finding by its number, None where the filter hides it."""
        return self._row_of.get(number)

    def worst(self) -> Finding | None:
        """Give the worst finding that is listed, however the list is sorted."""
        return min(self._shown, key=badness, default=None)

    # -- Qt -----------------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """Count the rows."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        """Count the columns."""
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give the titles."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[Column(section)]
        if role == Qt.ItemDataRole.ToolTipRole and section == Column.SEVERITY:
            return self.tr("severity")
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give what a cell shows; asked a thousand times for each page in sight."""
        finding = self._shown[index.row()]
        column = index.column()
        if role == _DISPLAY:
            return self._cells(finding)[column]
        if role == _TIP:
            return as_tip(f"{finding.severity.label} · {finding.why}")
        if role == _SPOKEN:
            return self._cells(finding)[column] or finding.severity.label
        if role == _ICON and column == Column.SEVERITY:
            return self._signs.sign(finding.severity)
        if role == _INK and column == Column.MODEL and finding.role is not None:
            return self._theme.colour(finding.role.value)
        if role == _SIDE and column in (Column.TIME, Column.FRAMES):
            return _RIGHT
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort; ascending severity puts the worst first."""
        self._column = Column(column)
        self._is_reversed = order is Qt.SortOrder.DescendingOrder
        self._reset(self._chosen())

    def text_of(self, rows: list[int]) -> str:
        """Write rows as tab-separated text, with titles, for the clipboard."""
        titles = ["severity", "kind", "model", "time", "what", "frames", "why"]
        lines = [
            [found.severity.label, *(self._text(found, column) for column in list(Column)[1:]), found.why]
            for found in (self._shown[row] for row in rows)
        ]
        return "\n".join("\t".join(line) for line in [titles, *lines])

    # -- inside -------------------------------------------------------------------------------------------------------

    def _chosen(self) -> list[Finding]:
        """Choose and sort the findings that are listed."""
        shown = [finding for finding in self._findings if self._filter.accepts(finding)]
        return sorted(shown, key=_KEYS[self._column], reverse=self._is_reversed)

    def _reset(self, shown: list[Finding]) -> None:
        self.beginResetModel()
        self._shown = shown
        self._row_of = {finding.number: row for row, finding in enumerate(shown)}
        self.endResetModel()

    def _grow(self, shown: list[Finding]) -> bool:
        """Put new rows between those that are there and tell which of these changed; False where one moved or went."""
        stay = [finding for finding in shown if finding.number in self._row_of]
        if not stay or [finding.number for finding in stay] != [finding.number for finding in self._shown]:
            return False
        changed = {new.number for old, new in zip(self._shown, stay, strict=True) if old != new}
        self._shown = stay
        for first, end in _fresh(shown, self._row_of):
            self.beginInsertRows(QModelIndex(), first, end - 1)
            self._shown[first:first] = shown[first:end]
            self.endInsertRows()
        self._row_of = {finding.number: row for row, finding in enumerate(shown)}
        for number in changed:
            row = self._row_of[number]
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(Column) - 1))
        return True

    def _cells(self, finding: Finding) -> tuple[str, ...]:
        """Give the texts of a row, written once."""
        texts = self._texts.get(finding.number)
        if texts is None:
            texts = self._texts[finding.number] = tuple(self._text(finding, column) for column in Column)
        return texts

    def _text(self, finding: Finding, column: Column) -> str:
        if column is Column.KIND:
            return finding.kind.value
        if column is Column.MODEL:
            return finding.role.value if finding.role is not None else "–"
        if column is Column.TIME:
            return clock(finding.worst_s)[:-1] if self._has_time else f"#{finding.worst_seq}"
        if column is Column.WHAT:
            return what(finding)
        if column is Column.FRAMES:
            return str(finding.frames)
        return ""


def _fresh(shown: list[Finding], known: Container[int]) -> Iterator[tuple[int, int]]:
    """Give the stretches (first row, end) of findings whose numbers are not known, from the top."""
    rows = groupby(enumerate(shown), key=lambda entry: entry[1].number in known)
    for is_known, entries in rows:
        if not is_known:
            stretch = [row for row, _ in entries]
            yield stretch[0], stretch[-1] + 1
