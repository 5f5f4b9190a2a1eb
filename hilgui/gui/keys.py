"""A key that does something while a widget has the focus."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

INSIDE = Qt.ShortcutContext.WidgetWithChildrenShortcut
ALONE = Qt.ShortcutContext.WidgetShortcut  # not while a field inside has the focus


def bind(owner: QWidget, keys: str, doer: Callable[[], object], where: Qt.ShortcutContext = INSIDE) -> None:
    """Call `doer` when the keys are pressed and the focus is in the owner, or as `where` says."""
    QShortcut(QKeySequence(keys), owner, context=where).activated.connect(doer)
