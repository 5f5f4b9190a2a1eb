"""What the window asks of the Replay page."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, cast

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QWidget

from hilgui.gui.bridge import Bridge
from hilgui.gui.memory import Memory
from hilgui.gui.theme import Theme


class RunPage(Protocol):
    """A widget that shows one run, stored or under way."""

    status_changed: SignalInstance  # ReplayStatus
    message: SignalInstance  # tone ("info", "warning", "error"), sentence
    opened: SignalInstance  # Path of the run on the screen

    def open_run(self, folder: Path) -> None:
        """Show a stored run; returns at once, trouble arrives as a message."""
        ...

    def follow(self, bridge: Bridge) -> None:
        """Show each run of the engine; called once."""
        ...

    def close_run(self) -> None:
        """Let go of the run; may be called twice."""
        ...

    def remember(self) -> None:
        """Keep the layout for the next start."""
        ...

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys of the page with their meaning."""
        ...


def make_replay_page(theme: Theme, parent: QWidget, memory: Memory) -> RunPage:
    """Make the Replay page; it brings the plots along, which take a moment to load."""
    from hilgui.gui.replay.page import ReplayPage

    return cast("RunPage", ReplayPage(theme, parent, memory))
