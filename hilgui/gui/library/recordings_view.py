"""The recordings of the library: a strip of pictures, length, labels, conditions, and the runs that replayed them."""

from __future__ import annotations

import shlex
from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QImage, QPixmap, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from hilgui.gui.empty_page import EmptyPage
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.label import Label
from hilgui.gui.library.recordings import STRIP, THUMB_H, THUMB_W, Recording, look_at, read_recordings
from hilgui.gui.linked_table import Cell, LinkedTable, number
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.theme import GAP, GAP_S, mark

_PATIENCE_S = 5.0
_Looked = tuple[Recording, NDArray[np.uint8] | None]


class RecordingsView(BenchPage):
    """Lists at once, then looks at one recording after the other on an errand, as long as it is in sight."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._reading: Errand[list[Recording]] | None = None
        self._looking: Errand[_Looked] | None = None
        self._shown: dict[Path, Recording] = {}
        self._strips: dict[Path, QIcon | None] = {}
        self._waiting: deque[Path] = deque()
        self._chosen: Path | None = None
        self._blank = QIcon(QPixmap(STRIP * THUMB_W, THUMB_H))
        self.table = LinkedTable(bench.theme, self.tr("Recordings"), self)
        self.filter = QLineEdit(self)
        self.empty = EmptyPage(self)
        self._count = Label(self)
        self._command = Label(self)
        self._stack = QStackedWidget(self)
        self._build()

    @property
    def is_reading(self) -> bool:
        """Say whether recordings are still being looked at."""
        return self._reading is not None or self._looking is not None

    @property
    def recordings(self) -> list[Recording]:
        """Give the recordings that are shown."""
        words = self.filter.text().strip().lower()
        return [one for one in self._shown.values() if words in _all_words(one)]

    @property
    def command(self) -> str:
        """Give the command that shows the recording that was clicked last."""
        return shlex.join(["hilgui", "sources", "show", str(self._chosen or "RECORDING")])

    def refresh(self) -> None:
        """Collect the recordings again."""
        if self._reading is not None:
            self._reading.forget()
        settings = self._bench.settings
        self._reading = Errand(self, "recordings", lambda: read_recordings(settings), self._on_read, self._on_broken)

    def close_page(self) -> None:
        """Let the threads end."""
        self._waiting.clear()
        let_go(_PATIENCE_S, self._reading, self._looking)
        self._reading = self._looking = None

    def showEvent(self, event: QShowEvent) -> None:
        """Go on looking."""
        super().showEvent(event)
        self._look_on()

    def show_behind(self, link: object) -> None:
        """Open the newest run of a recording; say how one is replayed that has none."""
        one = self._shown.get(link) if isinstance(link, Path) else None
        if one is None:
            return
        self._chosen = one.path
        self._command.setText(self.command)
        if one.problem:
            self.message.emit("warning", f"{one.path}: {one.problem}")
        elif one.runs:
            self.open_run_asked.emit(one.runs[0], None)
        else:
            self.message.emit("info", self.tr("No run has replayed {0} yet; drop it on the window.").format(one.path))

    def _build(self) -> None:
        mark(self._count, tone="faint")
        mark(self._command, tone="mono")
        self._command.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.filter.setPlaceholderText(self.tr("Filter by name, condition, kind…"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(self.tr("Filter the recordings"))
        self.filter.setFixedWidth(300)
        self.filter.textChanged.connect(lambda _text: self._put())
        self.table.verticalHeader().setDefaultSectionSize(THUMB_H + GAP)
        self.table.setIconSize(QSize(STRIP * THUMB_W, THUMB_H))
        self.table.asked.connect(self.show_behind)
        self.empty.asked.connect(self.demo_asked)
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.empty)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(self._count)
        head.addStretch(1)
        head.addWidget(self.filter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, GAP, 0, 0)
        layout.setSpacing(GAP_S)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self._command)
        for keys, words, doer in (
            ("Ctrl+F", self.tr("Filter the recordings"), self.filter.setFocus),
            ("Ctrl+Shift+C", self.tr("Copy the command that shows the same"), self.copy_command),
            ("F5", self.tr("Look for recordings again"), self.refresh),
        ):
            self._bind(keys, words, doer)
        self._keys.append((self.tr("Enter"), self.tr("Open the newest run of the recording")))

    def _on_read(self, found: list[Recording]) -> None:
        self._reading = None
        known = self._shown
        self._shown = {}
        for one in found:
            before = known.get(one.path)
            self._shown[one.path] = one if before is None or before.facts is None else replace(before, runs=one.runs)
        self._waiting = deque(one.path for one in found if one.path not in self._strips)
        hint = self.tr("They come here with the first run. Drop a video, a folder of images or a bag on the window.")
        self.empty.say(self.tr("No recordings yet"), hint, self.tr("Run the demo"))
        self._stack.setCurrentIndex(0 if found else 1)
        self._put()
        self._fit()
        self._look_on()

    def _on_broken(self, sentence: str, details: str) -> None:
        self._reading = None
        self.trouble.emit(sentence, details)

    def _look_on(self) -> None:
        """Look at the next one; while nobody sees the page, nothing is decoded."""
        if self._looking is not None or not self._waiting or not self.isVisible():
            return
        one = self._shown.get(self._waiting.popleft())
        if one is None:
            self._look_on()
            return
        self._looking = Errand(
            self,
            "recording",
            lambda: look_at(one),
            self._on_looked,
            lambda sentence, _details: self._on_looked((replace(one, problem=sentence), None)),
        )

    def _on_looked(self, looked: _Looked) -> None:
        self._looking = None
        one, strip = looked
        known = self._shown.get(one.path)
        if known is not None:  # a refresh may have dropped it meanwhile, and knows its runs better
            self._shown[one.path] = replace(one, runs=known.runs)
            self._strips[one.path] = None if strip is None else _icon(strip)
        self._put()
        if not self._waiting:
            self._fit()
        self._look_on()

    def _fit(self) -> None:
        self.table.fit()
        self.table.setColumnWidth(0, STRIP * THUMB_W + GAP)

    def _put(self) -> None:
        titles = (self.tr("Pictures"), self.tr("Recording"), self.tr("Length"), self.tr("Frames"), self.tr("Size"),
            self.tr("Labels"), self.tr("Conditions"), self.tr("Runs"))  # fmt: skip
        found = self.recordings
        self.table.put(titles, [self._row(one) for one in found])
        total = len(self._shown)
        words = self.tr("{0} of {1} recordings").format(len(found), total)
        self._count.setText(words if len(found) != total else self.tr("{0} recordings").format(total))

    def _row(self, one: Recording) -> tuple[Cell, ...]:
        facts, path = one.facts, one.path
        if one.problem:
            state = Cell(self.tr("✕ cannot be read"), path, colour="missed", tip=one.problem)
        else:
            words, colour = (self.tr("✓ labels"), "good") if one.truth else (self.tr("none"), "text_faint")
            state = Cell(words, path, colour=colour, tip=one.truth)
        size = f"{facts.width} × {facts.height}" if facts is not None and facts.width else "–"
        return (
            Cell("", path, icon=lambda: self._strips.get(path) or self._blank),
            Cell(path.name, path, tip=str(path)),
            number(_length(one.length_s), path),
            number("–" if facts is None or facts.frames is None else f"{facts.frames:,}", path),
            Cell(size, path),
            state,
            Cell(", ".join(one.conditions.values()) or "–", path),
            number(f"{len(one.runs)}", path, tip=self.tr("A click opens the newest")),
        )


def _icon(strip: NDArray[np.uint8]) -> QIcon:
    height, width = strip.shape[:2]
    image = QImage(strip.data, width, height, 3 * width, QImage.Format.Format_BGR888)
    return QIcon(QPixmap.fromImage(image.copy()))


def _length(seconds: float) -> str:
    return "–" if not seconds else f"{int(seconds // 60)}:{seconds % 60:04.1f}"


def _all_words(one: Recording) -> str:
    kind = "" if one.facts is None else one.facts.kind
    return " ".join([str(one.path), kind, *one.conditions.values()]).lower()
