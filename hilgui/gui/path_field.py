"""A line for a path: typed, chosen, dropped or remembered; says beneath what is wrong or what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.gui.label import Label, as_tip
from hilgui.gui.theme import GAP_S, GAP_XS, Theme, mark
from hilgui.gui.typed_path import is_folder, is_there, typed_path


class PathField(QWidget):
    """An editable box with remembered paths, a button that browses, and a line for hints.

    `filters` is a Qt name filter for files; `folders` offers folders as well; `wraps` gives a long hint more lines.
    """

    changed = Signal(str)

    def __init__(
        self, theme: Theme, name: str, *, filters: str, folders: bool, parent: QWidget, wraps: bool = False
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._filters = filters
        self._box = QComboBox(self)
        self._box.setEditable(True)
        self._box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._box.setMinimumContentsLength(24)
        self._box.setAccessibleName(name)
        self._box.editTextChanged.connect(self.changed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self._box)
        self._browse = QToolButton(self)
        self._browse.setIcon(theme.icon("folder"))
        self._theme = theme
        theme.changed.connect(self._draw_icon)  # a method of a widget: forgotten when the widget goes
        self._browse.setAccessibleName(self.tr("Browse for {thing}").format(thing=name))
        self._browse.setToolTip(self.tr("Browse…"))
        if folders:
            menu = QMenu(self)
            menu.addAction(self.tr("File…"), self._choose_file)
            menu.addAction(self.tr("Folder…"), self._choose_folder)
            self._browse.setMenu(menu)
            self._browse.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        else:
            self._browse.clicked.connect(self._choose_file)
        self._hint = Label(self)
        self._hint.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # cut, not wider
        self._hint.setTextFormat(Qt.TextFormat.PlainText)
        self._hint.setWordWrap(wraps)
        self._hint.hide()
        row = QHBoxLayout()
        row.setSpacing(GAP_S)
        row.addWidget(self._box, 1)
        row.addWidget(self._browse)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_XS)
        layout.addLayout(row)
        layout.addWidget(self._hint)
        self.setAcceptDrops(True)

    @property
    def text(self) -> str:
        """Give what stands there, without blanks around it."""
        return self._box.currentText().strip()

    @text.setter
    def text(self, text: str) -> None:
        self._box.setEditText(text)

    def remember(self, paths: Sequence[Path]) -> None:
        """Offer these in the list; what stands in the line stays."""
        text = self.text
        self._box.clear()
        self._box.addItems([str(path) for path in paths])
        self._box.setEditText(text)

    def say(self, sentence: str, tone: str = "faint") -> None:
        """Write a hint beneath the line; tone "missed" also marks the line as wrong."""
        self._hint.setText(sentence)
        self._hint.setToolTip(as_tip(sentence))
        self._hint.setVisible(bool(sentence))
        mark(self._hint, tone=tone)
        edit = self._box.lineEdit()
        if edit is not None:
            edit.setAccessibleDescription(sentence)
        mark(self._box, state="wrong" if tone == "missed" and sentence else "")

    @property
    def hint(self) -> str:
        """Give the sentence beneath the line."""
        return self._hint.text()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take one local path."""
        if event.mimeData().hasUrls() and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Write the path into the line."""
        self.text = event.mimeData().urls()[0].toLocalFile()
        event.acceptProposedAction()

    def _draw_icon(self) -> None:
        self._browse.setIcon(self._theme.icon("folder"))

    def _choose_file(self) -> None:
        title = self.tr("Choose: {thing}").format(thing=self._name)
        chosen, _ = QFileDialog.getOpenFileName(self, title, self._start(), self._filters)
        if chosen:
            self.text = chosen

    def _choose_folder(self) -> None:
        title = self.tr("Choose: {thing}").format(thing=self._name)
        chosen = QFileDialog.getExistingDirectory(self, title, self._start())
        if chosen:
            self.text = chosen

    def _start(self) -> str:
        path = typed_path(self.text)
        if self.text and is_there(path):
            return str(path)
        return str(path.parent) if self.text and is_folder(path.parent) else str(Path.home())
