"""The menus and their actions, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from hilgui.gui.memory import Memory
from hilgui.gui.pages import Entry
from hilgui.gui.rail import Rail
from hilgui.gui.recent import Recent
from hilgui.gui.theme import Theme
from hilgui.gui.theme_menu import ThemeMenu


class Menus(QObject):
    """Owns the actions of the window; what they do is given by name in `doers`."""

    def __init__(
        self,
        window: QMainWindow,
        theme: Theme,
        memory: Memory,
        recent: Recent,
        doers: Mapping[str, Callable[[], object]],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._theme = theme
        self._doers = doers
        self._actions: dict[str, QAction] = {}
        self._build_file(recent)
        self._view = window.menuBar().addMenu(self.tr("&View"))
        self._pages_end = self._view.addSeparator()
        self._build_view(memory)
        self._build_help()
        self._page_group = QActionGroup(self)
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def add_pages(self, entries: tuple[Entry, ...], rail: Rail, show_page: Callable[[str], object]) -> None:
        """Give each page its place in the menu, its key and its button; called once."""
        for place, entry in enumerate(entries, start=1):
            action = QAction(entry.words, self)
            action.setShortcut(QKeySequence(f"Ctrl+{place % 10}"))
            action.setCheckable(True)
            action.setData(entry.icon)
            action.triggered.connect(lambda _=False, name=entry.name: show_page(name))
            self._view.insertAction(self._pages_end, action)
            self._page_group.addAction(action)
            self._actions[entry.name] = action
            rail.add(action)

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys that work everywhere."""
        native = QKeySequence.SequenceFormat.NativeText
        return [
            (action.shortcut().toString(native), action.text().replace("&", ""))
            for action in self._actions.values()
            if not action.shortcut().isEmpty()
        ]

    def _build_file(self, recent: Recent) -> None:
        file = self._window.menuBar().addMenu(self.tr("&File"))
        self._act(file, "open_recording", self.tr("&Open recording…"), "Ctrl+O", "recording")
        self._act(file, "open_run", self.tr("Open &run…"), "Ctrl+Shift+O", "folder")
        self._act(file, "run", self.tr("Run &models…"), "Ctrl+R", "run")
        recent.live_in(file.addMenu(self.tr("Re&cent")))
        self._act(file, "demo", self.tr("Show the &demo"), "Ctrl+D", "play")
        file.addSeparator()
        self._act(file, "stop", self.tr("&Stop the run"), "Ctrl+.", "stop").setEnabled(False)
        self._act(file, "close_run", self.tr("&Close run"), "Ctrl+W").setEnabled(False)
        file.addSeparator()
        self._act(file, "quit", self.tr("&Quit"), "Ctrl+Q")

    def _build_view(self, memory: Memory) -> None:
        menu = self._view.addMenu(self.tr("&Theme"))
        self.theme = ThemeMenu(menu, self._theme, memory, self)
        menu.addSeparator()
        self._act(menu, "other_theme", self.tr("Dark ↔ light"), "Ctrl+T", doer=self.theme.toggle)
        self._act(self._view, "full_screen", self.tr("&Full screen"), "F11")

    def _build_help(self) -> None:
        about = self._window.menuBar().addMenu(self.tr("&Help"))
        self._act(about, "shortcuts", self.tr("&Keyboard shortcuts"), "?", "keyboard")
        self._act(about, "about", self.tr("&About hilgui"), "", "info")
        close = QAction(self.tr("Close the newest message"), self)
        close.setShortcut("Shift+Esc")
        close.triggered.connect(lambda _=False: self._doers["close_message"]())
        self._window.addAction(close)
        self._actions["close_message"] = close

    def _act(
        self, menu: QMenu, name: str, words: str, keys: str, icon: str = "", *, doer: Callable[[], object] | None = None
    ) -> QAction:
        made = menu.addAction(words)
        made.setShortcut(QKeySequence(keys))
        made.setProperty("icon_name", icon)
        made.triggered.connect(lambda _=False: (doer or self._doers[name])())
        self._actions[name] = made
        return made

    def _draw_icons(self) -> None:
        for action in self._actions.values():
            name = action.property("icon_name")
            if name:
                action.setIcon(self._theme.icon(name))
