"""The pages in the middle of the window, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from hilgui.gui.page import Bench, Page
from hilgui.gui.pages import Entry


class PageStack(QStackedWidget):
    """Owns the pages. Knows them by the names of their entries."""

    made = Signal(str, object)  # name, Page: once for each page, before it is shown

    def __init__(self, entries: Sequence[Entry], bench: Bench, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries = tuple(entries)
        self._bench = bench
        self._pages: dict[str, Page] = {}

    def page(self, name: str) -> Page:
        """Give a page, made now if need be. Raises KeyError for a name without an entry."""
        if name not in self._pages:
            entry = {each.name: each for each in self.entries}[name]
            page = entry.make(self._bench, self)
            self._pages[name] = page
            self.addWidget(page)
            self.made.emit(name, page)
        return self._pages[name]

    def existing(self, name: str) -> Page | None:
        """Give a page that was made already."""
        return self._pages.get(name)

    @property
    def current_name(self) -> str:
        """Give the name of the page in sight, "" for the welcome page."""
        return next((name for name, page in self._pages.items() if page is self.currentWidget()), "")

    def refresh_current(self) -> None:
        """Let the page in sight look again."""
        page = self._pages.get(self.current_name)
        if page is not None:
            page.refresh()

    def shortcuts(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Give the keys of every page that was made, the one in sight first."""
        order = sorted(self.entries, key=lambda entry: entry.name != self.current_name)
        groups = [(entry.words, self._pages[entry.name].shortcuts()) for entry in order if entry.name in self._pages]
        return [(words, keys) for words, keys in groups if keys]

    def close_pages(self) -> None:
        """End every page."""
        for page in self._pages.values():
            page.close_page()
