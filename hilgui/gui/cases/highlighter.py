"""Colours of YAML for the editor of cases: keys, texts, numbers, comments, holes of sweeps."""

from __future__ import annotations

import re

from PySide6.QtGui import QFont, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from hilgui.gui.theme import Theme

_RULES = (
    (re.compile(r"(?:^\s*(?:-\s+)?|[{,]\s*)([A-Za-z_][\w.-]*)\s*(?=:(?:\s|$))"), "baseline", 1),
    (re.compile(r":\s+(-?\d+(?:\.\d+)?)\b"), "candidate", 1),
    (re.compile(r"\"[^\"]*\"|'[^']*'"), "good", 0),
    (re.compile(r"\$\{[^}]*\}"), "phantom", 0),
)
_COMMENT = re.compile(r"(?:^|\s)#.*$")


class YamlHighlighter(QSyntaxHighlighter):
    """Goes line by line; good enough for a page of YAML."""

    def __init__(self, theme: Theme, document: QTextDocument) -> None:
        super().__init__(document)
        self._theme = theme
        theme.changed.connect(self.rehighlight)

    def highlightBlock(self, text: str) -> None:
        """Colour one line."""
        for pattern, colour, group in _RULES:
            for found in pattern.finditer(text):
                shape = QTextCharFormat()
                shape.setForeground(self._theme.colour(colour))
                if colour == "phantom":
                    shape.setFontWeight(QFont.Weight.Bold)
                self.setFormat(found.start(group), found.end(group) - found.start(group), shape)
        comment = _COMMENT.search(text)
        if comment is not None:
            shape = QTextCharFormat()
            shape.setForeground(self._theme.colour("text_faint"))
            shape.setFontItalic(True)
            self.setFormat(comment.start(), len(text) - comment.start(), shape)
