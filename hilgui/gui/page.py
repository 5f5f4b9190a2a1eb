"""What a page of the rail is, and what the window hands to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QToolButton, QWidget

from hilgui.gui.bridge import Bridge
from hilgui.gui.cases.desk import CaseDesk
from hilgui.gui.keys import bind
from hilgui.gui.memory import Memory
from hilgui.gui.rig.link import RigLink
from hilgui.gui.theme import Theme
from hilgui.settings import Settings

_ICON = QSize(18, 18)


class OpenRun(QObject):
    """The run that is open on the Replay page; other pages may follow it."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None

    @property
    def folder(self) -> Path | None:
        """Give the run folder, None while no run is open."""
        return self._folder

    def put(self, folder: Path | None) -> None:
        """Take another run, or none."""
        if folder != self._folder:
            self._folder = folder
            self.changed.emit()


@dataclass(frozen=True, slots=True, eq=False)
class Bench:
    """What a page may use; all of it lives longer than any page."""

    settings: Settings
    theme: Theme
    memory: Memory
    bridge: Bridge
    run: OpenRun
    rig: RigLink
    cases: CaseDesk


class Page(QWidget):
    """A widget with a place on the rail, made when somebody first goes there; GUI thread only.

    The window connects the signals. A page that has nothing to say in one of the methods leaves it as it is.
    """

    message = Signal(str, str)  # tone ("info", "warning", "error"), sentence
    trouble = Signal(str, str)  # sentence, details; shown as an error that folds out
    open_run_asked = Signal(object, object)  # Path of a run folder; frame number, or None for where the run opens
    demo_asked = Signal()
    status_changed = Signal(object)  # ReplayStatus, for the strip

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys of the page with their meaning, for the overlay of shortcuts."""
        return []

    def refresh(self) -> None:
        """Look again; called when the page comes into sight, and on the page in sight when a run has ended."""

    def close_page(self) -> None:
        """Remember what should come back and end what runs; called once, when the application ends."""

    def showEvent(self, event: QShowEvent) -> None:
        """Look again when the page comes into sight."""
        super().showEvent(event)
        if not event.spontaneous():
            self.refresh()


class BenchPage(Page):
    """A page with tools and keys, and the command that does the same at a terminal."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._keys: list[tuple[str, str]] = []
        self._tools: dict[QToolButton, str] = {}  # with the names of their icons
        bench.theme.changed.connect(self._draw_icons)

    @property
    def command(self) -> str:
        """Give the command that shows or does what is in sight."""
        raise NotImplementedError

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys of this page."""
        return self._keys

    def copy_command(self) -> None:
        """Copy the command, and say which."""
        QGuiApplication.clipboard().setText(self.command)
        self.message.emit("info", self.tr("Copied: {0}").format(self.command))

    def _bind(self, keys: str, words: str, doer: Callable[[], object]) -> None:
        """Give the page a key, and the key a line in the overlay of shortcuts."""
        bind(self, keys, doer)
        self._keys.append((keys, words))

    def _tool(self, icon: str, words: str, keys: str, doer: Callable[[], object]) -> QToolButton:
        """Make a button with an icon, and bind its key."""
        self._bind(keys, words, doer)
        return self._button(icon, words, keys, doer)

    def _button(self, icon: str, words: str, keys: str, doer: Callable[[], object]) -> QToolButton:
        """Make a button with an icon; whose key it is, the page knows."""
        button = QToolButton(self)
        button.setToolTip(f"{words} ({keys})")
        button.setAccessibleName(words)
        button.setIcon(self._bench.theme.icon(icon))
        button.setIconSize(_ICON)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda _=False: doer())
        self._tools[button] = icon
        return button

    def _draw_icons(self) -> None:
        for button, icon in self._tools.items():
            button.setIcon(self._bench.theme.icon(icon))


class RunPage(Page):
    """The page that shows one run, stored or under way."""

    opened = Signal(object)  # Path of the run on the screen

    def open_run(self, folder: Path, seq: int | None = None) -> None:
        """Show a stored run at a frame; returns at once, trouble arrives as a message."""
        raise NotImplementedError

    def follow(self, bridge: Bridge) -> None:
        """Show each run of the engine; called once."""
        raise NotImplementedError

    def close_run(self) -> None:
        """Let go of the run; may be called twice."""
        raise NotImplementedError
