"""Text that is shown as it is written: names come from files, models and devices, and may look like HTML."""

from __future__ import annotations

import html
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel


class Label(QLabel):
    """A QLabel that never takes its text for HTML; the only kind that pages use."""

    def __init__(self, *arguments: Any) -> None:
        """See QLabel."""
        super().__init__(*arguments)
        self.setTextFormat(Qt.TextFormat.PlainText)


def as_tip(text: str) -> str:
    """Give a tool tip that shows exactly this text: Qt takes one that looks like HTML for HTML."""
    if "<" not in text and "&lt;" not in text:  # what Qt::mightBeRichText looks for
        return text
    return f'<qt><span style="white-space:pre-wrap">{html.escape(text)}</span></qt>'
