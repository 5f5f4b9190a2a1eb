"""The Library page: runs, models and recordings of this bench, each in its own view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from hilgui.gui.keys import bind
from hilgui.gui.label import Label
from hilgui.gui.library.models_view import ModelsView
from hilgui.gui.library.recordings_view import RecordingsView
from hilgui.gui.library.runs_view import RunsView
from hilgui.gui.page import Bench, Page
from hilgui.gui.theme import GAP, GAP_L, mark

_SHOWN = "library_view"


class LibraryPage(Page):
    """Each view reads on errands of its own when it comes into sight."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self.runs = RunsView(bench.theme, bench.settings.runs, self)
        self.models = ModelsView(bench, self)
        self.recordings = RecordingsView(bench, self)
        self.tabs = QTabWidget(self)
        self._views: tuple[RunsView | ModelsView | RecordingsView, ...] = (self.runs, self.models, self.recordings)
        self._keys: list[tuple[str, str]] = []
        self._build()

    @property
    def is_reading(self) -> bool:
        """Say whether the view in sight is still being read."""
        return any(view.is_reading for view in self._views)

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys of this page and of the view in sight."""
        return [*self._keys, *self._views[self.tabs.currentIndex()].shortcuts()]

    def refresh(self) -> None:
        """Read what is in sight again; the other views read when somebody goes there."""
        current = self.tabs.currentWidget()
        if isinstance(current, Page):
            current.refresh()

    def close_page(self) -> None:
        """Let the threads end, and remember which view was shown."""
        self._bench.memory.put(_SHOWN, str(self.tabs.currentIndex()))
        for view in self._views:
            view.close_page()

    def import_models(self, paths: Sequence[Path]) -> None:
        """Ask about models that were dropped, one after the other."""
        self.tabs.setCurrentWidget(self.models)
        self.models.import_models(paths)

    def _build(self) -> None:
        heading = Label(self.tr("Library"), self)
        mark(heading, tone="heading")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.setAccessibleName(self.tr("Runs, models, recordings"))
        names = (self.tr("Runs"), self.tr("Models"), self.tr("Recordings"))
        for number, (view, name) in enumerate(zip(self._views, names, strict=True), 1):
            self.tabs.addTab(view, name)
            view.message.connect(self.message)
            view.trouble.connect(self.trouble)
            view.open_run_asked.connect(self.open_run_asked)
            view.demo_asked.connect(self.demo_asked)
            keys = f"Alt+{number}"
            bind(self, keys, partial(self.tabs.setCurrentWidget, view))
            self._keys.append((keys, self.tr("Show: {0}").format(name)))
        self.tabs.setCurrentIndex(int(self._bench.memory.text(_SHOWN, "0")))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP_L)
        layout.setSpacing(GAP)
        layout.addWidget(heading)
        layout.addWidget(self.tabs, 1)
