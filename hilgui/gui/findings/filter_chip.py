"""A filter as a chip: says what it lets through, opens a list with counts."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from hilgui.gui.theme import mark

_MOST = 40  # entries; the rest is found by text
_WIDEST = 30  # letters


class FilterChip(QToolButton):
    """Any number of values of one field; none chosen lets everything pass."""

    changed = Signal()

    def __init__(self, title: str, parent: QWidget, *, words: Callable[[str], str] = str) -> None:
        super().__init__(parent)
        self._title = title
        self._words = words
        self._chosen: tuple[str, ...] = ()
        self._counts: dict[str, int] = {}
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        mark(self, kind="chip")
        self._draw()

    @property
    def chosen(self) -> tuple[str, ...]:
        """Give the values that pass; none means all."""
        return self._chosen

    def choose(self, values: tuple[str, ...]) -> None:
        """Let only these pass; tells nobody."""
        self._chosen = values
        self._draw()

    def offer(self, counts: dict[str, int]) -> None:
        """Take the values that there are, with how many findings each would bring."""
        self._counts = {value: count for value, count in counts.items() if value}

    def _fill(self) -> None:
        self._menu.clear()
        values = dict.fromkeys([*self._chosen, *self._counts])
        for value in list(values)[:_MOST]:
            count = self._counts.get(value, 0)
            words = self._words(value) if count < 0 else f"{self._words(value)}  ({count:,})"
            action = self._menu.addAction(words)
            action.setCheckable(True)
            action.setChecked(value in self._chosen)
            action.triggered.connect(lambda on, value=value: self._toggle(value, on))
        if not values:
            self._menu.addAction(self.tr("nothing to choose from")).setEnabled(False)
        if self._chosen:
            self._menu.addSeparator()
            self._menu.addAction(self.tr("All")).triggered.connect(lambda _=False: self._set(()))

    def _toggle(self, value: str, is_on: bool) -> None:
        self._set((*self._chosen, value) if is_on else tuple(each for each in self._chosen if each != value))

    def _set(self, values: tuple[str, ...]) -> None:
        self.choose(values)
        self.changed.emit()

    def _draw(self) -> None:
        said = ", ".join(self._words(value) for value in self._chosen)
        said = said if len(said) <= _WIDEST else said[: _WIDEST - 1] + "…"
        self.setText(f"{self._title}: {said}" if said else f"{self._title} ▾")
        self.setAccessibleName(self.tr("Filter by {0}").format(self.text()))
        mark(self, state="on" if self._chosen else "")
