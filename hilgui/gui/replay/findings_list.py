"""The list of findings with its filters; choosing one goes there."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from hilgui.gui.label import Label
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.findings_model import Column, Filter, FindingsModel
from hilgui.gui.theme import GAP, GAP_S, ROW, SMALL_PT, Theme, mark, sans
from hilgui.records import Finding, Kind, Role, Severity

_SEARCH_AFTER_MS = 120
_SEVERITY_WIDTH = 26
_LONGEST = {  # a column is as wide as the longest word in it
    Column.KIND: max((kind.value for kind in Kind), key=len),
    Column.MODEL: f"{Role.CANDIDATE.value}  ",
    Column.TIME: "00:00.00",
    Column.FRAMES: "frames ",
}


class FindingsList(QFrame):
    """Shows the findings of a run, worst first; `chosen` is emitted when the operator picks one."""

    chosen = Signal(object)  # Finding
    play_asked = Signal()  # the clip of the chosen one

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = FindingsModel(theme, self)
        self._kind = QComboBox(self)
        self._severity = QComboBox(self)
        self._role = QComboBox(self)
        self._search = QLineEdit(self)
        self._count = Label(self)
        self._table = QTableView(self)
        self._waits = QTimer(self)
        self._is_silent = False
        self._offered: dict[Kind, int] | None = None
        self._build()

    def set_drive(self, drive: Drive | None) -> None:
        """Take the findings of a run, or none; what was chosen stays chosen while it is there."""
        current = self.current()
        has_time = drive is None or drive.has_time
        self._model.set_findings(() if drive is None else drive.findings, has_time=has_time)
        self._offer_kinds(() if drive is None else drive.findings)
        if current is not None:
            self.mark(current)
        self._tell_count()

    @property
    def model(self) -> FindingsModel:
        """Give the table behind the list."""
        return self._model

    @property
    def table(self) -> QTableView:
        """Give the view."""
        return self._table

    def current(self) -> Finding | None:
        """Give the finding that is chosen."""
        index = self._table.currentIndex()
        return self._model.finding(index.row()) if index.isValid() else None

    def mark(self, finding: Finding | None) -> None:
        """Show a finding as chosen without telling anybody; None takes the choice away."""
        self._is_silent = True
        try:
            row = None if finding is None else self._model.row_of(finding.number)
            if row is None:
                self._table.clearSelection()
                self._table.setCurrentIndex(QModelIndex())
            else:
                self._go_to_row(row)
        finally:
            self._is_silent = False

    def go(self, direction: int) -> bool:
        """Choose the next (1) or previous (-1) finding of the list, around its end; say whether there is one."""
        rows = self._model.rowCount()
        if not rows:
            return False
        index = self._table.currentIndex()
        row = (index.row() + direction) % rows if index.isValid() else (0 if direction > 0 else rows - 1)
        self._go_to_row(row)
        return True

    def go_to_worst(self) -> bool:
        """Choose the worst finding of the list; say whether there is one."""
        worst = self._model.worst()
        row = None if worst is None else self._model.row_of(worst.number)
        if row is None:
            return False
        if self._table.currentIndex().row() == row:
            self.chosen.emit(worst)  # go back to it
        self._go_to_row(row)
        return True

    def search(self) -> None:
        """Put the keyboard into the text search."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    def set_filter(self, filter_: Filter) -> None:
        """Show only what the filter accepts."""
        current = self.current()
        self._model.set_filter(filter_)
        if current is not None:
            self.mark(current)
        self._tell_count()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Copy rows as text, play with Return; leave the search with Escape or Down."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self._table and event.matches(QKeySequence.StandardKey.Copy):
                rows = sorted({index.row() for index in self._table.selectionModel().selectedRows()})
                QGuiApplication.clipboard().setText(self._model.text_of(rows))
                return True
            if watched is self._table and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.play_asked.emit()
                return True
            if watched is self._search and event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Down):
                if event.key() == Qt.Key.Key_Escape:
                    self._search.clear()
                self._table.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return super().eventFilter(watched, event)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        mark(self, surface="panel")
        self.setMinimumWidth(440)
        self.setAccessibleName(self.tr("Findings"))
        self._search.setPlaceholderText(self.tr("Search findings"))
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName(self.tr("Search findings"))
        self._search.installEventFilter(self)
        self._kind.setAccessibleName(self.tr("Kind of finding"))
        self._severity.setAccessibleName(self.tr("Least severity"))
        self._role.setAccessibleName(self.tr("Model"))
        self._offer_kinds(())
        for text, least in (
            (self.tr("every severity"), Severity.LOW),
            (self.tr("medium and high"), Severity.MEDIUM),
            (self.tr("high"), Severity.HIGH),
        ):
            self._severity.addItem(text, least)
        self._role.addItem(self.tr("both models"), None)
        self._role.addItem(self.tr("candidate"), Role.CANDIDATE)
        self._role.addItem(self.tr("baseline"), Role.BASELINE)
        mark(self._count, tone="soft")
        self._build_table()
        self._waits.setSingleShot(True)
        self._waits.setInterval(_SEARCH_AFTER_MS)
        self._waits.timeout.connect(self._apply)
        self._search.textChanged.connect(self._waits.start)
        for box in (self._kind, self._severity, self._role):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
            box.currentIndexChanged.connect(self._apply)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.setSpacing(GAP_S)
        second.setSpacing(GAP_S)
        first.addWidget(self._search, 1)
        first.addWidget(self._count)
        for box in (self._kind, self._severity, self._role):
            second.addWidget(box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_S, GAP_S, GAP_S, GAP_S)
        layout.setSpacing(GAP_S)
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self._table, 1)

    def _build_table(self) -> None:
        table = self._table
        table.setModel(self._model)
        table.setFont(sans(SMALL_PT))
        table.setAccessibleName(self.tr("Findings, worst first"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setSortingEnabled(True)
        table.verticalHeader().hide()
        table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        table.verticalHeader().setDefaultSectionSize(ROW)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(_SEVERITY_WIDTH)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.resizeSection(Column.SEVERITY, _SEVERITY_WIDTH)
        for column, text in _LONGEST.items():
            header.resizeSection(column, table.fontMetrics().horizontalAdvance(text) + 2 * GAP)
        header.setSectionResizeMode(Column.WHAT, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicator(Column.SEVERITY, Qt.SortOrder.AscendingOrder)
        table.installEventFilter(self)
        table.selectionModel().currentRowChanged.connect(self._on_current)
        table.clicked.connect(self._on_clicked)
        table.doubleClicked.connect(lambda index: self.play_asked.emit())

    def _offer_kinds(self, findings: tuple[Finding, ...]) -> None:
        counts: dict[Kind, int] = {}
        for finding in findings:
            counts[finding.kind] = counts.get(finding.kind, 0) + 1
        if counts == self._offered:
            return
        self._offered = counts
        wanted = self._kind.currentData()
        self._kind.blockSignals(True)
        self._kind.clear()
        self._kind.addItem(self.tr("every kind"), None)
        for kind in Kind:
            if kind in counts or kind == wanted:
                self._kind.addItem(f"{kind.value} ({counts.get(kind, 0)})", kind)
        self._kind.setCurrentIndex(max(self._kind.findData(wanted), 0))
        self._kind.blockSignals(False)

    def _apply(self) -> None:
        kind, role = self._kind.currentData(), self._role.currentData()
        self.set_filter(
            replace(
                self._model.filter,
                kind=None if kind is None else Kind(kind),
                least=Severity(self._severity.currentData()),
                role=None if role is None else Role(role),
                text=self._search.text(),
            )
        )

    def _tell_count(self) -> None:
        shown, total = self._model.rowCount(), self._model.total
        self._count.setText(str(total) if shown == total else self.tr("{0} of {1}").format(shown, total))

    def _go_to_row(self, row: int) -> None:
        index = self._model.index(row, Column.KIND)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self._table.selectionModel().setCurrentIndex(index, flags)
        self._table.scrollTo(index)

    def _on_current(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid() and not self._is_silent and not self._table.signalsBlocked():
            self.chosen.emit(self._model.finding(current.row()))

    def _on_clicked(self, index: QModelIndex) -> None:
        """Go there again: a click on the chosen row changes no current row."""
        self.chosen.emit(self._model.finding(index.row()))
