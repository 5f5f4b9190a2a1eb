"""What the application remembers from one start to the next."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from hilgui.gui.theme import CHOICES, Choice
from hilgui.gui.typed_path import is_there

_RECENT = 10


class Memory:
    """A small INI file in the home of hilgui; damaged or missing values are simply forgotten.

    Belongs to the GUI thread. Values are texts, so that the file can be read and mended by hand.
    """

    def __init__(self, home: Path) -> None:
        self._settings = QSettings(str(home / "screen.ini"), QSettings.Format.IniFormat)

    @property
    def theme(self) -> Choice | None:
        """Give the theme that the operator chose, if any."""
        text = self.text("theme")
        return next((choice for choice in CHOICES if choice == text), None)

    @theme.setter
    def theme(self, choice: Choice) -> None:
        self.put("theme", choice)

    def text(self, key: str, default: str = "") -> str:
        """Give a remembered text."""
        value = self._settings.value(key, default)
        return value if isinstance(value, str) else default

    def put(self, key: str, text: str) -> None:
        """Remember a text."""
        self._settings.setValue(key, text)

    def texts(self, key: str) -> list[str]:
        """Give a remembered list, newest first."""
        value = self._settings.value(key, [])
        if isinstance(value, str):  # an INI list of one reads back as its only text
            return [value] if value else []
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def add(self, key: str, text: str) -> None:
        """Put a text at the head of a remembered list, once."""
        items = [text, *(item for item in self.texts(key) if item != text)]
        self._settings.setValue(key, items[:_RECENT])

    def drop(self, key: str, text: str) -> None:
        """Take a text out of a remembered list."""
        self._settings.setValue(key, [item for item in self.texts(key) if item != text])

    def existing(self, key: str) -> list[Path]:
        """Give the remembered paths that are still there, newest first."""
        return [path for path in map(Path, self.texts(key)) if is_there(path)]

    def shape(self, key: str) -> QByteArray | None:
        """Give a remembered geometry or window state."""
        value = self._settings.value(key)
        return value if isinstance(value, QByteArray) else None

    def put_shape(self, key: str, shape: QByteArray) -> None:
        """Remember a geometry or window state."""
        self._settings.setValue(key, shape)

    def save(self) -> None:
        """Write the file now."""
        self._settings.sync()
