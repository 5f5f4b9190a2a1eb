"""What one sees when nothing is open: the first step, in one click or one drop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from hilgui.gui.label import Label, as_tip
from hilgui.gui.theme import GAP, GAP_L, GAP_S, GAP_XL, GAP_XS, Theme, mark

_WIDTH = 860
_LOGO = 56
_RECENT = 6


class Welcome(QWidget):
    """Offers the demo, a recording, a run, and what was open before; sends intentions only."""

    demo_asked = Signal()
    recording_asked = Signal()
    run_asked = Signal()
    path_asked = Signal(Path)  # something recent

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._buttons: list[tuple[QPushButton, str]] = []
        card = QWidget(self)
        card.setMaximumWidth(_WIDTH)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        layout.setSpacing(GAP_L)
        layout.addLayout(self._head(card))
        columns = QHBoxLayout()
        columns.setSpacing(GAP_XL)
        columns.addLayout(self._steps(card), 1)
        columns.addLayout(self._right(card), 1)
        layout.addLayout(columns)
        around = QHBoxLayout(self)
        around.addStretch(1)
        around.addWidget(card, 100, Qt.AlignmentFlag.AlignVCenter)
        around.addStretch(1)
        self._draw_icons()
        theme.changed.connect(self._draw_icons)

    @property
    def demo(self) -> QPushButton:
        """Give the button of the demo, for focus and tests."""
        return self._buttons[0][0]

    def show_recent(self, paths: Sequence[Path]) -> None:
        """List what was open before; nothing to list, nothing shown."""
        while self._recent.count():
            item = self._recent.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.deleteLater()
        self._recent_title.setVisible(bool(paths))
        for path in paths[:_RECENT]:
            button = QPushButton(self._shortened(path), self)
            button.setAutoDefault(True)
            button.setToolTip(as_tip(str(path)))
            button.setIcon(self._theme.icon(_icon_of(path)))
            mark(button, kind="link")
            button.clicked.connect(lambda _=False, path=path: self.path_asked.emit(path))
            self._recent.addWidget(button)

    def show_hot(self, is_hot: bool) -> None:
        """Light up while something droppable is over the window."""
        mark(self._drop, hot="true" if is_hot else "false")

    def _head(self, parent: QWidget) -> QHBoxLayout:
        logo = Label(parent)
        logo.setPixmap(QApplication.windowIcon().pixmap(_LOGO, _LOGO))
        title = Label("hilgui", parent)
        mark(title, tone="title")
        words = Label(
            self.tr("Replay a drive through the baseline and a candidate in shadow. See where they miss, and why."),
            parent,
        )
        words.setWordWrap(True)
        mark(words, tone="soft")
        texts = QVBoxLayout()
        texts.setSpacing(GAP_XS)
        texts.addWidget(title)
        texts.addWidget(words)
        row = QHBoxLayout()
        row.setSpacing(GAP_L)
        row.addWidget(logo)
        row.addLayout(texts, 1)
        return row

    def _steps(self, parent: QWidget) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(GAP)
        column.addWidget(self._section(self.tr("Start"), parent))
        for words, hint, icon, signal in (
            (
                self.tr("Show the demo"),
                self.tr("A night drive through two small models. Opens the finished run where there is one."),
                "play",
                self.demo_asked,
            ),
            (
                self.tr("Open a recording…   Ctrl+O"),
                self.tr("A video or a folder of images, with your models; labels beside it are found."),
                "recording",
                self.recording_asked,
            ),
            (
                self.tr("Open a run…   Ctrl+Shift+O"),
                self.tr("A replay that was stored before, here or on another bench."),
                "folder",
                self.run_asked,
            ),
        ):
            column.addWidget(self._step(words, hint, icon, signal, parent))
        column.addStretch(1)
        mark(self._buttons[0][0], kind="primary")
        return column

    def _step(self, words: str, hint: str, icon: str, signal: object, parent: QWidget) -> QFrame:
        panel = QFrame(parent)
        mark(panel, surface="panel")
        button = QPushButton(words, panel)
        button.setAutoDefault(True)  # Enter presses it, as Space does
        button.setAccessibleDescription(hint)
        button.clicked.connect(signal)
        text = Label(hint, panel)
        text.setWordWrap(True)
        mark(text, tone="soft")
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(GAP + GAP_S, GAP + GAP_S, GAP + GAP_S, GAP + GAP_S)
        layout.setSpacing(GAP)
        layout.addWidget(button)
        layout.addWidget(text)
        self._buttons.append((button, icon))
        return panel

    def _right(self, parent: QWidget) -> QVBoxLayout:
        self._drop = QFrame(parent)
        mark(self._drop, surface="drop")
        self._drop_icon = Label(self._drop)
        self._drop_icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        words = Label(self.tr("Drop a file anywhere on the window"), self._drop)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        kinds = Label(self.tr("recording · model (.onnx) · labels · run folder"), self._drop)
        kinds.setAlignment(Qt.AlignmentFlag.AlignCenter)
        mark(kinds, tone="faint")
        inside = QVBoxLayout(self._drop)
        inside.setContentsMargins(GAP_L, GAP_L, GAP_L, GAP_L)
        inside.setSpacing(GAP_S)
        inside.addWidget(self._drop_icon)
        inside.addWidget(words)
        inside.addWidget(kinds)
        self._recent_title = self._section(self.tr("Recent"), parent)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        column = QVBoxLayout()
        column.setSpacing(GAP)
        column.addWidget(self._section(self.tr("Bring your own"), parent))
        column.addWidget(self._drop)
        column.addWidget(self._recent_title)
        column.addLayout(self._recent)
        column.addStretch(1)
        hint = Label(self.tr("Press ? for all shortcuts."), parent)
        mark(hint, tone="faint")
        column.addWidget(hint)
        self._recent_title.hide()
        return column

    def _section(self, words: str, parent: QWidget) -> Label:
        label = Label(words, parent)
        mark(label, tone="section")
        return label

    def _shortened(self, path: Path) -> str:
        return QFontMetrics(self.font()).elidedText(path.name, Qt.TextElideMode.ElideMiddle, 340)

    def _draw_icons(self) -> None:
        for button, icon in self._buttons:
            is_primary = button.property("kind") == "primary"
            if is_primary:
                button.setIcon(self._theme.picture(icon, "on_accent", 18, self.devicePixelRatioF()))
            else:
                button.setIcon(self._theme.icon(icon))
        self._drop_icon.setPixmap(self._theme.picture("drop", "text_faint", 32, self.devicePixelRatioF()))


def _icon_of(path: Path) -> str:
    return "run" if path.is_dir() and (path / "run.sqlite").exists() else "recording"
