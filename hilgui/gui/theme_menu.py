"""The menu of themes."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from hilgui.gui.memory import Memory
from hilgui.gui.theme import CHOICES, Choice, Theme


class ThemeMenu(QObject):
    """Dark, light, or as the system; remembers the choice."""

    def __init__(self, menu: QMenu, theme: Theme, memory: Memory, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._memory = memory
        names: dict[Choice, str] = {
            "system": self.tr("As the system"),
            "dark": self.tr("Dark"),
            "light": self.tr("Light"),
        }
        group = QActionGroup(self)
        for choice in CHOICES:
            action = menu.addAction(names[choice])
            action.setCheckable(True)
            action.setChecked(choice == theme.choice)
            action.triggered.connect(lambda _=False, choice=choice: self.choose(choice))
            group.addAction(action)
        self._actions = dict(zip(CHOICES, group.actions(), strict=True))

    def choose(self, choice: Choice) -> None:
        """Take a theme now and at the next start."""
        self._theme.choose(choice)
        self._actions[choice].setChecked(True)
        self._memory.theme = choice

    def toggle(self) -> None:
        """Go from dark to light, or back."""
        self.choose("light" if self._theme.colours.name == "dark" else "dark")
