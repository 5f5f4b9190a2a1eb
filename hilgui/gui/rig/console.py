"""The console: every byte of the ports with its time, filtered, held still, copied, saved."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import BenchBroken
from hilgui.gui.label import Label
from hilgui.gui.rig.link import line_of
from hilgui.gui.theme import GAP, GAP_S, Theme, mark
from hilgui.rigs.transcript import Direction, Entry

KEPT = 10_000  # pieces


class Console(QFrame):
    """Keeps the newest pieces; what is shown follows the filter, and stands still while it is paused."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._names: dict[str, str] = {}
        self._lost = 0
        self._next: dict[str, int] = {}
        mark(self, surface="panel")
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(KEPT)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(self.tr("Bytes sent and received"))
        self.text.setPlaceholderText(self.tr("Every byte that goes over the ports appears here."))
        mark(self.text, tone="mono")
        self.filter = QLineEdit(self)
        self.filter.setPlaceholderText(self.tr("text, -text leaves out"))
        self.filter.setAccessibleName(self.tr("Filter of the console"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(180)
        self._count = Label(self)
        mark(self._count, tone="faint")
        self.chips = {
            Direction.SENT: self._chip(self.tr("> sent")),
            Direction.RECEIVED: self._chip(self.tr("< received")),
            Direction.NOTE: self._chip(self.tr("# notes")),
        }
        self.pause = self._tool("pause", self.tr("Hold the console still"), checkable=True)
        self.copy = self._tool("copy", self.tr("Copy what is shown"))
        self.save = self._tool("export", self.tr("Save what is kept, byte for byte (JSONL) or as shown (text)…"))
        self._build()
        self.filter.textChanged.connect(lambda _: self._show_all())
        self.pause.toggled.connect(lambda is_held: None if is_held else self._show_all())
        self.copy.clicked.connect(lambda _=False: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        theme.changed.connect(self._draw_icons)
        self._draw_icons()

    def begin(self) -> None:
        """Empty it for another rig."""
        self._entries.clear()
        self._names.clear()
        self._next.clear()
        self._lost = 0
        self._show_all()

    def name_port(self, port: str, device: str) -> None:
        """Call a port by its device."""
        self._names[port] = device

    def add(self, entries: Sequence[Entry]) -> None:
        """Take what went over the wires; a gap in the numbers is counted as lost."""
        for entry in entries:
            awaited = self._next.get(entry.port, entry.seq)
            self._lost += max(0, entry.seq - awaited)
            self._next[entry.port] = entry.seq + 1
        self._entries.extend(entries)
        if not self.pause.isChecked():
            lines = [line for entry in entries if (line := self._line(entry))]
            if lines:
                self.text.appendPlainText("\n".join(lines))
                self._go_to_end()
        self._say_count()

    def write(self, path: Path) -> None:
        """Save everything kept: `.jsonl` with exact bytes, anything else as lines; raises BenchBroken."""
        is_exact = path.suffix == ".jsonl"
        lines = [entry.as_json() if is_exact else line_of(entry, self._names) for entry in self._entries]
        try:
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as failure:
            raise BenchBroken(f"{path} cannot be written: {failure}", path=path) from failure

    def ask_where(self) -> Path | None:
        """Let the operator choose a file."""
        kinds = self.tr("Exact bytes (*.jsonl);;Text (*.txt)")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the console"), "rig-console.jsonl", kinds)
        return Path(chosen) if chosen else None

    def _line(self, entry: Entry) -> str:
        if not self.chips[entry.direction].isChecked():
            return ""
        line = line_of(entry, self._names)
        return line if is_wanted(line, self.filter.text()) else ""

    def _show_all(self) -> None:
        self.text.setPlainText("\n".join(line for entry in self._entries if (line := self._line(entry))))
        self._go_to_end()
        self._say_count()

    def _go_to_end(self) -> None:
        bar = self.text.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _say_count(self) -> None:
        words = self.tr("{0} kept").format(f"{len(self._entries):,}")
        if self._lost:
            words += self.tr(", {0} lost").format(f"{self._lost:,}")
        if self.pause.isChecked():
            words += self.tr(", held still")
        self._count.setText(words)

    def _build(self) -> None:
        head = Label(self.tr("Console"), self)
        mark(head, tone="section")
        row = QHBoxLayout()
        row.setSpacing(GAP_S)
        row.addWidget(head)
        row.addWidget(self._count)
        row.addStretch(1)
        for widget in (*self.chips.values(), self.filter, self.pause, self.copy, self.save):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP_S, GAP, GAP)
        layout.setSpacing(GAP_S)
        layout.addLayout(row)
        layout.addWidget(self.text, 1)

    def _chip(self, words: str) -> QToolButton:
        chip = QToolButton(self)
        chip.setText(words)
        chip.setCheckable(True)
        chip.setChecked(True)
        chip.toggled.connect(lambda _: self._show_all())
        mark(chip, kind="chip")
        return chip

    def _tool(self, icon: str, words: str, *, checkable: bool = False) -> QToolButton:
        tool = QToolButton(self)
        tool.setProperty("icon_name", icon)
        tool.setToolTip(words)
        tool.setAccessibleName(words)
        tool.setCheckable(checkable)
        return tool

    def _draw_icons(self) -> None:
        for tool in (self.pause, self.copy, self.save):
            tool.setIcon(self._theme.icon(tool.property("icon_name")))


def is_wanted(line: str, words: str) -> bool:
    """Say whether a line has every word, and none of those with a minus before them."""
    low = line.casefold()
    return all(
        word[1:] not in low if word.startswith("-") and len(word) > 1 else word in low
        for word in words.casefold().split()
    )
