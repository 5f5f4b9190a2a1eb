"""Messages on the screen: what happened, to which thing, what to try; nothing pops up in the way."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.gui.label import Label
from hilgui.gui.theme import GAP, GAP_S, Theme, mark

_MOST = 4
_INFO_STAYS_MS = 9000
_DETAILS_PX = 150


class Tone(Enum):
    """How loud a message is: name of the icon, colour, and look of its frame."""

    INFO = ("info", "accent", "banner_info")
    WARNING = ("warning", "warning", "banner_warning")
    ERROR = ("error", "missed", "banner_error")

    def __init__(self, icon: str, colour: str, surface: str) -> None:
        self.icon = icon
        self.colour = colour
        self.surface = surface


class Banner(QFrame):
    """One message: sentence, details that fold out, copy, close, and perhaps one thing to do about it."""

    closed = Signal()

    def __init__(self, theme: Theme, tone: Tone, sentence: str, details: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.tone = tone
        self.sentence = sentence
        self.details = details
        self._theme = theme
        self._times = 1
        mark(self, surface=tone.surface)
        self.setAccessibleName(sentence)
        self._icon = Label(self)
        self._text = Label(sentence, self)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._count = Label(self)
        mark(self._count, tone="faint")
        self._count.hide()
        self._more = QPushButton(self.tr("Details"), self)
        self._more.setAutoDefault(True)
        self._more.setCheckable(True)
        self._more.setVisible(bool(details))
        self._more.toggled.connect(self._fold_out)
        self._copy = QToolButton(self)
        self._copy.setToolTip(self.tr("Copy the message and its details"))
        self._copy.setAccessibleName(self.tr("Copy message"))
        self._copy.clicked.connect(self.copy)
        self._close = QToolButton(self)
        self._close.setToolTip(self.tr("Close (Shift+Esc)"))
        self._close.setAccessibleName(self.tr("Close message"))
        self._close.clicked.connect(self.closed)
        self._body = QPlainTextEdit(details, self)
        self._body.setReadOnly(True)
        self._body.setAccessibleName(self.tr("Details"))
        self._body.setFixedHeight(_DETAILS_PX)
        mark(self._body, tone="mono")
        self._body.hide()
        self._row = QHBoxLayout()
        self._row.setSpacing(GAP)
        self._row.addWidget(self._icon)
        self._row.addWidget(self._text, 1)
        for widget in (self._count, self._more, self._copy, self._close):
            self._row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP + GAP_S, GAP, GAP, GAP)
        layout.addLayout(self._row)
        layout.addWidget(self._body)
        self._draw_icons()
        theme.changed.connect(self._draw_icons)

    def offer(self, words: str, action: Callable[[], None]) -> None:
        """Add a button that does something about it and closes the message."""
        button = QPushButton(words, self)
        button.setAutoDefault(True)
        button.clicked.connect(action)
        button.clicked.connect(self.closed)
        self._row.insertWidget(2, button)

    def again(self) -> None:
        """Note that the same thing happened once more."""
        self._times += 1
        self._count.setText(f"×{self._times}")
        self._count.show()

    def copy(self) -> None:
        """Put sentence and details on the clipboard."""
        QGuiApplication.clipboard().setText(f"{self.sentence}\n\n{self.details}".strip())

    def _fold_out(self, is_open: bool) -> None:
        self._body.setVisible(is_open)

    def _draw_icons(self) -> None:
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(self._theme.picture(self.tone.icon, self.tone.colour, 18, ratio))
        self._copy.setIcon(self._theme.icon("copy"))
        self._close.setIcon(self._theme.icon("close"))


class Messages(QWidget):
    """A short stack of banners at the top of the page; nothing here blocks, the oldest leaves first."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._banners: list[Banner] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(GAP, GAP, GAP, 0)
        self._layout.setSpacing(GAP_S)
        self.setAccessibleName(self.tr("Messages"))
        self.hide()

    @property
    def banners(self) -> list[Banner]:
        """Give what is shown, oldest first."""
        return list(self._banners)

    def show_error(self, sentence: str, details: str = "") -> Banner:
        """Say that something failed; stays until closed."""
        return self._show(Tone.ERROR, sentence, details)

    def show_warning(self, sentence: str, details: str = "") -> Banner:
        """Say that something needs a look; stays until closed."""
        return self._show(Tone.WARNING, sentence, details)

    def show_info(self, sentence: str, details: str = "") -> Banner:
        """Say that something happened; leaves by itself."""
        banner = self._show(Tone.INFO, sentence, details)
        QTimer.singleShot(_INFO_STAYS_MS, banner, banner.closed.emit)
        return banner

    def withdraw(self, sentence: str) -> None:
        """Close the messages that say this: it is true no more."""
        for banner in self.banners:
            if banner.sentence == sentence:
                self._remove(banner)

    def close_newest(self) -> bool:
        """Close the newest message; False when there is none."""
        if not self._banners:
            return False
        self._remove(self._banners[-1])
        return True

    def _show(self, tone: Tone, sentence: str, details: str) -> Banner:
        sentence = f"{sentence[:1].upper()}{sentence[1:]}"
        for known in self._banners:
            if (known.tone, known.sentence) == (tone, sentence):
                known.again()
                return known
        while len(self._banners) >= _MOST:
            self._remove(self._banners[0])
        banner = Banner(self._theme, tone, sentence, details, self)
        banner.closed.connect(lambda: self._remove(banner))
        self._banners.append(banner)
        self._layout.addWidget(banner)
        self.show()
        return banner

    def _remove(self, banner: Banner) -> None:
        if banner not in self._banners:
            return
        self._banners.remove(banner)
        banner.hide()
        banner.deleteLater()
        self.setVisible(bool(self._banners))
