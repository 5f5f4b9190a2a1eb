"""The frames behind a number: the worst first, one keystroke away from Replay."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from hilgui.evaluation import Behind
from hilgui.gui.evaluate.sheets import Link
from hilgui.gui.label import Label
from hilgui.gui.linked_table import Cell, LinkedTable, number
from hilgui.gui.replay.drive import clock
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import GAP, Theme, mark

_SHOWN = 2000


class FramesList(QWidget):
    """Shows where a figure comes from; a click goes to the frame."""

    frame_asked = Signal(object)  # int, the frame

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._title = Label(self)
        self._title.setWordWrap(True)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self.table = LinkedTable(theme, self.tr("Frames behind the figure"), self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addWidget(self._title)
        layout.addWidget(self.table, 1)
        self.is_looking = False
        self.table.asked.connect(self.frame_asked)
        mark(self._title, tone="soft")
        self.clear()

    def clear(self) -> None:
        """Say what belongs here."""
        self._title.setText(self.tr("Click a number, a bar or a curve: the frames behind it appear here."))
        self.table.put((), [])
        self.table.hide()

    def look(self, link: Link) -> None:
        """Say that frames are looked for."""
        self.say(link, self.tr("looking…"))
        self.is_looking = True

    def say(self, link: Link, sentence: str) -> None:
        """Say why there are none."""
        self.is_looking = False
        self._title.setText(f"{link.figure} · {link.role.value}: {sentence}")
        self.table.put((), [])
        self.table.hide()

    def show_frames(self, link: Link, found: list[Behind]) -> None:
        """List the frames."""
        if not found:
            self.say(link, self.tr("no frame has an error of this kind."))
            return
        self.is_looking = False
        words = amount(len(found), self.tr("1 frame"), self.tr("{0} frames"))
        self._title.setText(f"{link.figure} · {link.role.value}: {words}")
        rows = [
            [
                number(str(each.seq), each.seq),
                number("" if math.isnan(each.time_s) else clock(each.time_s)[:-1], each.seq),
                number("" if math.isnan(each.contribution) else f"{each.contribution:g}"[:6], each.seq),
                Cell(each.key, each.seq, colour="text_soft"),
            ]
            for each in found[:_SHOWN]
        ]
        self.table.put([self.tr("frame"), self.tr("time"), self.tr("errors"), self.tr("what")], rows)
        self.table.show()
