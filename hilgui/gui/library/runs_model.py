"""The runs of the library as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from hilgui.errors import StoreBroken
from hilgui.gui.label import as_tip
from hilgui.gui.theme import Theme
from hilgui.records import Role
from hilgui.store import RunReader, RunSummary, list_runs

Index = QModelIndex | QPersistentModelIndex
SORT_ROLE = Qt.ItemDataRole.UserRole

_DASH = "–"
_COLOURS = {"PASS": "good", "FAIL": "missed", "ERROR": "missed", "INCONCLUSIVE": "warning", "ABORTED": "warning"}
_MARKS = {"PASS": "●", "FAIL": "✕", "ERROR": "✕", "INCONCLUSIVE": "▲", "ABORTED": "■", "running": "…"}


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """One run with the AP (IoU .50:.95) of its models, where there was truth."""

    summary: RunSummary
    ap: dict[Role, float] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """Give the word for how it ended, or its state while there is none."""
        return self.summary.outcome or self.summary.state

    @property
    def difference(self) -> float | None:
        """Give the candidate's AP minus the baseline's, None where one is missing."""
        if len(self.ap) < 2:
            return None
        return self.ap[Role.CANDIDATE] - self.ap[Role.BASELINE]


def read_rows(root: Path) -> list[LibraryRow]:
    """Read every run of a folder, newest first; slow for many runs, so it belongs on an errand."""
    return [LibraryRow(summary, _ap(summary)) for summary in list_runs(root)]


def _ap(summary: RunSummary) -> dict[Role, float]:
    if summary.problem:
        return {}
    try:
        reader = RunReader(summary.folder)
    except StoreBroken:  # damaged between two looks: the row says so at the next reading
        return {}
    try:
        return {
            role: float(figures["map_50_95"])
            for role, figures in reader.figures().items()
            if figures and figures.get("map_50_95") is not None
        }
    except StoreBroken:
        return {}
    finally:
        reader.close()


class LibraryModel(QAbstractTableModel):
    """Shows `LibraryRow` records; sorting and filtering happen in a proxy by `SORT_ROLE` and text."""

    def __init__(self, theme: Theme, parent: Any = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: list[LibraryRow] = []
        self._heads = (
            self.tr("Date"),
            self.tr("Drive"),
            self.tr("Verdict"),
            self.tr("Frames"),
            self.tr("AP baseline"),
            self.tr("AP candidate"),
            self.tr("Δ AP"),
            self.tr("Findings"),
            self.tr("Baseline"),
            self.tr("Candidate"),
            self.tr("Run"),
        )
        theme.changed.connect(self._repaint)

    def put(self, rows: list[LibraryRow]) -> None:
        """Show these runs."""
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def row(self, number: int) -> LibraryRow:
        """Give the run of a row."""
        return self._rows[number]

    def rowCount(self, parent: Index | None = None) -> int:
        """Count the runs."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Count the columns."""
        return 0 if parent is not None and parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give text, order, alignment, colour or explanation of a cell."""
        row, column = self._rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _texts(row)[column]
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ToolTipRole:
                return as_tip(row.summary.problem or str(row.summary.folder))
            case Qt.ItemDataRole.ForegroundRole if column == 2:
                return self._theme.colour(_COLOURS.get(row.outcome, "text_soft"))
            case Qt.ItemDataRole.ForegroundRole if column >= 8:
                return self._theme.colour("text_soft")
        return _order(row)[column] if role == SORT_ROLE else None

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(self._heads) - 1))


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if 3 <= column <= 7 else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _texts(row: LibraryRow) -> tuple[str, ...]:
    summary = row.summary
    if summary.problem:
        return (_DASH, summary.problem, "✕ damaged", *[""] * 7, summary.name)
    return (
        _local(summary.created),
        summary.source,
        f"{_MARKS.get(row.outcome, '')} {row.outcome}".strip(),
        f"{summary.frames:,}",
        _figure(row.ap.get(Role.BASELINE)),
        _figure(row.ap.get(Role.CANDIDATE)),
        _signed(row.difference),
        f"{summary.findings:,}",
        summary.baseline,
        summary.candidate or _DASH,
        summary.name,
    )


def _order(row: LibraryRow) -> tuple[Any, ...]:
    summary = row.summary
    ap = [row.ap.get(role, -1.0) for role in (Role.BASELINE, Role.CANDIDATE)]
    return (
        summary.created,
        summary.source.lower(),
        row.outcome,
        summary.frames,
        *ap,
        row.difference if row.difference is not None else -2.0,
        summary.findings,
        summary.baseline.lower(),
        summary.candidate.lower(),
        summary.name,
    )


def _figure(value: float | None) -> str:
    return _DASH if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return _DASH if value is None else f"{value:+.3f}".replace("-", "−")


def _local(created: str) -> str:
    try:
        return datetime.fromisoformat(created).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return created
