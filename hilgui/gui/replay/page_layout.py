"""How the parts of the Replay page share its room, remembered from one start to the next."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.memory import Memory
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP_S, GAP_XS, Theme, mark

_TOP_LEAST = 330  # px for picture and findings, when timeline and plots ask for more


class WarningBar(QFrame):
    """One sentence across the page, until it is closed."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        mark(self, surface="banner_warning")
        self._text = Label(self)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = QToolButton(self)
        self._close.setAccessibleName(self.tr("Close the warning"))
        self._close.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 6, 4)
        row.addWidget(self._text, 1)
        row.addWidget(self._close)
        self._draw()
        theme.changed.connect(self._draw)
        self.hide()

    def say(self, sentence: str) -> None:
        """Show a sentence."""
        self._text.setText(sentence)
        self.setAccessibleName(sentence)
        self.show()

    @property
    def sentence(self) -> str:
        """Give what is said, "" while hidden."""
        return "" if self.isHidden() else self._text.text()

    def _draw(self) -> None:
        self._close.setIcon(self._theme.icon("close"))


class PageLayout:
    """Picture and findings above, transport, timeline and plots below; every border can be moved."""

    def __init__(
        self,
        page: QWidget,
        banner: QWidget,
        picture: tuple[QWidget, QWidget, QWidget],
        side: tuple[QWidget, QWidget],
        bottom: tuple[QWidget, QWidget, QWidget],
    ) -> None:
        right = splitter(Qt.Orientation.Vertical, *side, stretch=(1, 1))
        right.setSizes([290, 190])
        top = splitter(Qt.Orientation.Horizontal, column(*picture), right, stretch=(1, 0))
        top.setSizes([720, 480])
        lower = splitter(Qt.Orientation.Vertical, bottom[1], bottom[2], stretch=(0, 1))
        outer = splitter(Qt.Orientation.Vertical, top, column(bottom[0], lower), stretch=(1, 0))
        self._outer, self._lower, self._transport = outer, lower, bottom[0]
        self._is_placed = False  # by the operator, now or at an earlier start
        outer.splitterMoved.connect(self._note_moved)
        self._splitters = {"outer": outer, "top": top, "side": right, "lower": lower}
        layout = QVBoxLayout(page)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(GAP_S)
        layout.addWidget(banner)
        layout.addWidget(outer, 1)

    def make_room(self) -> None:
        """Give timeline and plots what they ask for, as far as picture and findings keep enough.

        A border that the operator has moved stays.
        """
        total = sum(self._outer.sizes())
        if self._is_placed or not total:
            return
        wanted = self._transport.sizeHint().height() + GAP_XS + self._lower.sizeHint().height()
        bottom = min(wanted, total - _TOP_LEAST)
        self._outer.setSizes([total - bottom, bottom])

    def _note_moved(self) -> None:
        self._is_placed = True

    def remember(self, memory: Memory) -> None:
        """Keep where the borders are."""
        for name, part in self._splitters.items():
            memory.put_shape(f"replay/{name}", part.saveState())
        memory.put("replay/placed", "yes" if self._is_placed else "")

    def restore(self, memory: Memory) -> None:
        """Put the borders where they were."""
        self._is_placed = bool(memory.text("replay/placed"))
        for name, part in self._splitters.items():
            shape = memory.shape(f"replay/{name}")
            if shape is not None:
                part.restoreState(shape)


def column(*widgets: QWidget) -> QWidget:
    """Put widgets one below the other; the last one takes what is left."""
    body = QWidget()
    layout = QVBoxLayout(body)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP_XS)
    for widget in widgets:
        layout.addWidget(widget, 1 if widget is widgets[-1] else 0)
    return body
