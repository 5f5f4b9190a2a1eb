"""The tree of suites and cases, with the last verdict and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from hilgui.documents import Flaw
from hilgui.gui.cases.catalogue import CaseFile, Catalogue, Listed
from hilgui.gui.label import as_tip
from hilgui.gui.theme import Theme
from hilgui.records import Outcome
from hilgui.sequencer.loading import SUFFIX

OUTCOME_TONES = {
    Outcome.PASS: "good",
    Outcome.FAIL: "missed",
    Outcome.ERROR: "missed",
    Outcome.INCONCLUSIVE: "warning",
    Outcome.ABORTED: "text_soft",
    None: "text_faint",
}
SIGNS = {Outcome.PASS: "✓", Outcome.FAIL: "✕", Outcome.ERROR: "!", Outcome.INCONCLUSIVE: "?", Outcome.ABORTED: "–"}

_THING = Qt.ItemDataRole.UserRole


class CaseTree(QTreeWidget):
    """Items carry a `CaseFile` or a `Listed`; several may be selected."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._catalogue = Catalogue({}, {})
        self._said: dict[str, tuple[str, str]] = {}  # while cases run
        self.setColumnCount(2)
        self.setHeaderLabels([self.tr("Case"), self.tr("Last verdict")])
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName(self.tr("Suites and cases"))
        self.setIndentation(14)
        head = self.header()
        head.setStretchLastSection(False)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        theme.changed.connect(self._show_again)

    def show_catalogue(self, catalogue: Catalogue) -> None:
        """Show what was found; what was selected stays selected."""
        chosen = {self.key(item) for item in self.selectedItems()}
        self._catalogue = catalogue
        self.blockSignals(True)
        self.clear()
        for folder, files in catalogue.suites.items():
            suite = QTreeWidgetItem(self, [folder.rpartition("/")[2] or folder, ""])
            suite.setToolTip(0, as_tip(folder))
            suite.setData(0, _THING, files)
            font = suite.font(0)
            font.setBold(True)
            suite.setFont(0, font)
            for file in files:
                self._add_file(suite, file)
            suite.setExpanded(True)
        for item in self._items():
            if self.key(item) in chosen:
                item.setSelected(True)
                self.setCurrentItem(item)
        first = next((item for item in self._items() if isinstance(item.data(0, _THING), CaseFile)), None)
        if self.currentItem() is None and first is not None:
            self.setCurrentItem(first)
        self.blockSignals(False)
        self.viewport().update()
        self.itemSelectionChanged.emit()

    def forget_said(self) -> None:
        """Forget what was said of cases that ran; the next catalogue has their results."""
        self._said.clear()

    def _show_again(self) -> None:
        said = dict(self._said)
        self.show_catalogue(self._catalogue)
        for case, words in said.items():
            self.say(case, *words)

    def key(self, item: QTreeWidgetItem) -> str:
        """Name an item across two readings."""
        thing = item.data(0, _THING)
        if isinstance(thing, Listed):
            return thing.loaded.id
        return str(thing.path) if isinstance(thing, CaseFile) else item.text(0)

    def chosen_cases(self) -> list[Listed]:
        """Give the cases of all selected items, each once."""
        return _cases(self.selectedItems())

    def suite_cases(self) -> list[Listed]:
        """Give the cases of the suite that the current item is in."""
        item = self.currentItem()
        while item is not None and item.parent() is not None:
            item = item.parent()
        return [] if item is None else _cases([item])

    def current_file(self) -> CaseFile | None:
        """Give the file of the current item."""
        item = self.currentItem()
        while item is not None and not isinstance(item.data(0, _THING), CaseFile):
            item = item.parent()
        return None if item is None else item.data(0, _THING)

    def current_case(self) -> Listed | None:
        """Give the case of the current item, the first of a sweep."""
        item = self.currentItem()
        cases = [] if item is None else _cases([item])
        return cases[0] if cases else None

    def choose(self, name: str) -> bool:
        """Go to a case by its id or file name; says whether it is there."""
        for item in self._items():
            if name in (self.key(item), item.text(0)):
                self.setCurrentItem(item)
                return True
        return False

    def say(self, case: str, words: str, tone: str = "accent") -> None:
        """Write something beside a case while it runs."""
        self._said[case] = (words, tone)
        for item in self._items():
            if self.key(item) == case or (isinstance(item.data(0, _THING), CaseFile) and _only(item) == case):
                item.setText(1, words)
                item.setForeground(1, QBrush(self._theme.colour(tone)))

    def _items(self) -> list[QTreeWidgetItem]:
        found: list[QTreeWidgetItem] = []
        waiting = [self.invisibleRootItem()]
        while waiting:
            item = waiting.pop(0)
            inside = [child for row in range(item.childCount()) if (child := item.child(row)) is not None]
            found += inside
            waiting += inside
        return found

    def _add_file(self, suite: QTreeWidgetItem, file: CaseFile) -> None:
        item = QTreeWidgetItem(suite, [file.path.name.removesuffix(SUFFIX), ""])
        item.setData(0, _THING, file)
        if file.flaws:
            self._say_flaw(item, file.flaws[0])
        elif len(file.cases) == 1:
            self._say_last(item, file.cases[0])
        else:
            item.setText(1, self.tr("{0} cases").format(len(file.cases)))
            item.setForeground(1, QBrush(self._theme.colour("text_faint")))
            for case in file.cases:
                child = QTreeWidgetItem(item, [case.loaded.id.partition("[")[2].rstrip("]"), ""])
                child.setData(0, _THING, case)
                self._say_last(child, case)
            if file.mistakes:  # a folded sweep hides the line of the one that does not fit
                self._say_flaw(item, file.mistakes[0])

    def _say_flaw(self, item: QTreeWidgetItem, flaw: Flaw) -> None:
        item.setText(1, self.tr("✕ line {0}").format(flaw.line))
        item.setForeground(1, QBrush(self._theme.colour("missed")))
        for column in (0, 1):
            item.setToolTip(column, as_tip(flaw.sentence))

    def _say_last(self, item: QTreeWidgetItem, case: Listed) -> None:
        last = self._catalogue.newest.get(case.loaded.id)
        item.setToolTip(0, as_tip(case.loaded.case.name))
        if case.misfits:
            self._say_flaw(item, case.misfits[0])
        elif case.missing:
            item.setText(1, self.tr("! not here"))
            item.setToolTip(1, as_tip("; ".join(case.missing)))
            item.setForeground(1, QBrush(self._theme.colour("phantom")))
        elif last is not None:
            item.setText(1, f"{SIGNS.get(last.outcome, '·') if last.outcome else '·'} {last.word}")
            item.setForeground(1, QBrush(self._theme.colour(OUTCOME_TONES[last.outcome])))
        else:
            item.setText(1, self.tr("never ran"))
            item.setForeground(1, QBrush(self._theme.colour("text_faint")))


def _only(item: QTreeWidgetItem) -> str:
    cases = _cases([item])
    return cases[0].loaded.id if len(cases) == 1 else ""


def _cases(items: Sequence[QTreeWidgetItem]) -> list[Listed]:
    found: dict[str, Listed] = {}
    for item in items:
        thing = item.data(0, _THING)
        if isinstance(thing, Listed):
            found[thing.loaded.id] = thing
        files = (thing,) if isinstance(thing, CaseFile) else thing if isinstance(thing, tuple) else ()
        for file in files:
            found |= {case.loaded.id: case for case in file.cases}
    return list(found.values())
