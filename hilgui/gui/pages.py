"""The pages of the window in the order of the rail: to add one, write its file and add its line to `PAGES`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication
from PySide6.QtWidgets import QWidget

from hilgui.gui.page import Bench, Page, RunPage


@dataclass(frozen=True, slots=True)
class Entry:
    """One place on the rail. Its key is Ctrl and its place, counted from 1; 0 is the tenth."""

    name: str
    text: str  # as it is looked up in the translation
    icon: str  # of assets/icons
    make: Callable[[Bench, QWidget], Page]  # imports the page: the window is there before anything is loaded

    @property
    def words(self) -> str:
        """Give the name in the operator's language."""
        return QCoreApplication.translate("Pages", self.text)

    @property
    def module(self) -> str:
        """Name the module that `make` imports."""
        return f"hilgui.gui.{self.name}.page"


def make_replay(bench: Bench, parent: QWidget) -> RunPage:
    """Make the Replay page; it brings the plots along, which take a moment to load."""
    from hilgui.gui.replay.page import ReplayPage

    page = ReplayPage(bench.theme, parent, bench.memory)
    page.corrupting.use(bench.settings)
    return page


def make_findings(bench: Bench, parent: QWidget) -> Page:
    """Make the Findings page; it loads the store and the index."""
    from hilgui.gui.findings.page import FindingsPage

    return FindingsPage(bench, parent)


def make_evaluate(bench: Bench, parent: QWidget) -> Page:
    """Make the Evaluate page; it brings the plots along."""
    from hilgui.gui.evaluate.page import EvaluatePage

    return EvaluatePage(bench, parent)


def make_compare(bench: Bench, parent: QWidget) -> Page:
    """Make the Compare page."""
    from hilgui.gui.compare.page import ComparePage

    return ComparePage(bench, parent)


def make_cases(bench: Bench, parent: QWidget) -> Page:
    """Make the Test cases page; it loads the sequencer."""
    from hilgui.gui.cases.page import CasesPage

    return CasesPage(bench, parent)


def make_rig(bench: Bench, parent: QWidget) -> Page:
    """Make the Rig page."""
    from hilgui.gui.rig.page import RigPage

    return RigPage(bench, parent)


def make_decide(bench: Bench, parent: QWidget) -> Page:
    """Make the Decide page; it loads the gate and the evidence."""
    from hilgui.gui.decide.page import DecidePage

    return DecidePage(bench, parent)


def make_robustness(bench: Bench, parent: QWidget) -> Page:
    """Make the Robustness page; it loads the suites."""
    from hilgui.gui.robustness.page import RobustnessPage

    return RobustnessPage(bench, parent)


def make_library(bench: Bench, parent: QWidget) -> Page:
    """Make the Library page; it loads the store and the registry."""
    from hilgui.gui.library.page import LibraryPage

    return LibraryPage(bench, parent)


PAGES: tuple[Entry, ...] = (
    Entry("replay", str(QT_TRANSLATE_NOOP("Pages", "Replay")), "replay", make_replay),
    Entry("findings", str(QT_TRANSLATE_NOOP("Pages", "Findings")), "findings", make_findings),
    Entry("evaluate", str(QT_TRANSLATE_NOOP("Pages", "Evaluate")), "evaluation", make_evaluate),
    Entry("compare", str(QT_TRANSLATE_NOOP("Pages", "Compare")), "compare", make_compare),
    Entry("cases", str(QT_TRANSLATE_NOOP("Pages", "Test cases")), "test_cases", make_cases),
    Entry("rig", str(QT_TRANSLATE_NOOP("Pages", "Rig")), "rig", make_rig),
    Entry("decide", str(QT_TRANSLATE_NOOP("Pages", "Decide")), "decide", make_decide),
    Entry("robustness", str(QT_TRANSLATE_NOOP("Pages", "Robustness")), "robustness", make_robustness),
    Entry("library", str(QT_TRANSLATE_NOOP("Pages", "Library")), "library", make_library),
)
"""Replay, Findings, Evaluate, Compare, Test cases, Rig, Decide, Robustness, Library: those that exist, so ordered."""
