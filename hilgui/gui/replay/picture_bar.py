"""The strip above the picture: which layers are shown, how the models are compared, the zoom."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, GAP_S, mark


class PictureBar(QFrame):
    """Holds buttons for actions and tells the zoom."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(6, 2, 6, 2)
        self._row.setSpacing(GAP_S)
        self._zoom = Label(self)
        self._zoom.setMinimumWidth(44)
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        mark(self._zoom, tone="soft")
        mark(self, surface="panel")

    def add_actions(self, actions: tuple[QAction | None, ...], *, with_text: bool = False) -> None:
        """Put buttons at the end, None makes a gap."""
        for action in actions:
            if action is None:
                self._row.addSpacing(GAP)
                continue
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setAccessibleName(action.text())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setIconSize(QSize(16, 16))
            if with_text:
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            self._row.addWidget(button)

    def finish(self) -> None:
        """Put the zoom at the end."""
        self._row.addWidget(self._zoom)
        self._row.addStretch(1)

    def show_zoom(self, factor: float) -> None:
        """Tell how large the picture is."""
        self._zoom.setText(f"{factor:.0%}" if factor < 10 else f"{factor:.0f}×")
