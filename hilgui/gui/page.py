"""What a page of the rail is, and what the window hands to one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from hilgui.gui.bridge import Bridge
from hilgui.gui.cases.desk import CaseDesk
from hilgui.gui.memory import Memory
from hilgui.gui.rig.link import RigLink
from hilgui.gui.theme import Theme
from hilgui.settings import Settings


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
