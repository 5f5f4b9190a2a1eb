"""The rail on the left: one button for each page that exists."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QToolButton, QVBoxLayout, QWidget

from hilgui.gui.theme import GAP_S, Theme, mark

_WIDTH = 72


class Rail(QFrame):
    """Buttons for the actions it is given; the icon of an action is named by its `data`."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._actions: list[QAction] = []
        mark(self, surface="rail")
        self.setAccessibleName(self.tr("Pages"))
        self.setFixedWidth(_WIDTH)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, GAP_S, 0, GAP_S)
        self._layout.setSpacing(GAP_S)
        self._layout.addStretch(1)
        theme.changed.connect(self._draw)

    def add(self, action: QAction) -> None:
        """Add a button for a page."""
        button = QToolButton(self)
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(QSize(24, 24))
        button.setFixedSize(_WIDTH - 1, 58)
        button.setAccessibleName(action.text())
        mark(button, kind="rail")
        self._layout.insertWidget(len(self._actions), button)
        self._actions.append(action)
        self._draw()

    def _draw(self) -> None:
        for action in self._actions:
            action.setIcon(self._theme.icon(action.data()))
