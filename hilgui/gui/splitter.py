"""Widgets side by side, with borders that can be moved."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget


def splitter(orientation: Qt.Orientation, *widgets: QWidget, stretch: tuple[int, ...]) -> QSplitter:
    """Put widgets side by side with borders that can be moved."""
    made = QSplitter(orientation)
    made.setChildrenCollapsible(False)
    made.setHandleWidth(5)
    for index, widget in enumerate(widgets):
        made.addWidget(widget)
        made.setStretchFactor(index, stretch[index])
    return made
