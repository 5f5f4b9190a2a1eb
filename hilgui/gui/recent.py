"""What was open lately: in the menu and on the welcome page."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu

from hilgui.gui.label import as_tip
from hilgui.gui.memory import Memory
from hilgui.gui.theme import Theme

_ON_WELCOME = 4  # of each kind


class Recent(QObject):
    """Runs and recordings that were open, newest first; what is gone from the disk is left out."""

    asked = Signal(Path)

    def __init__(self, theme: Theme, memory: Memory, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._memory = memory

    @property
    def paths(self) -> list[Path]:
        """Give a few of each, for the welcome page."""
        kinds = ("recent_runs", "recent_recordings")
        return [path for kind in kinds for path in self._memory.existing(kind)[:_ON_WELCOME]]

    def note_run(self, folder: Path) -> None:
        """Remember a run as the last one."""
        self._memory.add("recent_runs", str(folder))
        self._memory.put("last_run", str(folder))

    def forget_last(self) -> None:
        """Open nothing by itself at the next start."""
        self._memory.put("last_run", "")

    def live_in(self, menu: QMenu) -> None:
        """Fill a menu each time it opens."""
        menu.aboutToShow.connect(lambda: self._fill(menu))

    def _fill(self, menu: QMenu) -> None:
        menu.clear()
        groups = (
            (self.tr("Runs"), self._memory.existing("recent_runs"), "run"),
            (self.tr("Recordings"), self._memory.existing("recent_recordings"), "recording"),
        )
        for words, paths, icon in groups:
            if paths:
                menu.addSection(words)
            for path in paths:
                action = menu.addAction(self._theme.icon(icon), path.name)
                action.setToolTip(as_tip(str(path)))
                action.triggered.connect(lambda _=False, path=path: self.asked.emit(path))
        if menu.isEmpty():
            menu.addAction(self.tr("nothing yet")).setEnabled(False)
