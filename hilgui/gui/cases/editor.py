"""The editor of a case: line numbers, colours, and every mistake beside its line while one types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QTextCursor, QTextFormat
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from hilgui.documents import Flaw
from hilgui.durable import write_whole
from hilgui.errors import CaseBroken
from hilgui.gui.cases.highlighter import YamlHighlighter
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.label import Label, as_tip
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import GAP, GAP_S, Theme, mark, mono
from hilgui.sequencer.loading import LoadedCase, check_case

SETTLES_MS = 300  # after the last key the text is read
_LARGEST = 1 << 20
_PATIENCE_S = 20.0


class _Numbers(QWidget):
    def __init__(self, text: CaseText) -> None:
        super().__init__(text)
        self._text = text

    def sizeHint(self) -> QSize:
        return QSize(self._text.numbers_width, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._text.paint_numbers(event)


class CaseText(QPlainTextEdit):
    """A text with numbers at its lines; lines with a mistake are marked by colour and by a sign beside the number."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._wrong: dict[int, str] = {}
        self.setFont(mono())
        mark(self, tone="mono")
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabChangesFocus(True)
        self._numbers = _Numbers(self)
        self.highlighter = YamlHighlighter(theme, self.document())
        self.blockCountChanged.connect(lambda _: self._make_room())
        self.updateRequest.connect(self._follow)
        theme.changed.connect(self._recolour)
        self._make_room()

    @property
    def numbers_width(self) -> int:
        """Give how wide the numbers are."""
        return 26 + self.fontMetrics().horizontalAdvance("9") * max(2, len(str(self.blockCount())))

    def show_wrong(self, wrong: dict[int, str]) -> None:
        """Mark lines, counted from 1, with what is wrong with them."""
        self._wrong = wrong
        marks = []
        for line in wrong:
            block = self.document().findBlockByNumber(line - 1)
            if not block.isValid():
                continue
            one = QTextEdit.ExtraSelection()
            tint = QColor(self._theme.colour("missed"))
            tint.setAlpha(46)
            one.format.setBackground(tint)
            one.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            one.cursor = QTextCursor(block)
            marks.append(one)
        self.setExtraSelections(marks)
        self._numbers.update()

    def go_to(self, line: int) -> None:
        """Put the cursor at a line, counted from 1."""
        block = self.document().findBlockByNumber(max(0, line - 1))
        self.setTextCursor(QTextCursor(block))
        self.centerCursor()
        self.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the numbers as high as the text."""
        super().resizeEvent(event)
        inside = self.contentsRect()
        self._numbers.setGeometry(QRect(inside.left(), inside.top(), self.numbers_width, inside.height()))

    def paint_numbers(self, event: QPaintEvent) -> None:
        """Paint the numbers of the lines in sight."""
        painter = QPainter(self._numbers)
        painter.fillRect(event.rect(), self._theme.colour("panel"))
        painter.setFont(self.font())
        block = self.firstVisibleBlock()
        while block.isValid():
            box = self.blockBoundingGeometry(block).translated(self.contentOffset())
            if box.top() > event.rect().bottom():
                break
            number = block.blockNumber() + 1
            is_wrong = number in self._wrong
            painter.setPen(self._theme.colour("missed" if is_wrong else "text_faint"))
            words = f"✕ {number}" if is_wrong else str(number)
            where = QRect(0, round(box.top()), self._numbers.width() - 6, round(box.height()))
            painter.drawText(where, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
            block = block.next()
        painter.end()

    def _recolour(self) -> None:
        self.show_wrong(self._wrong)

    def _make_room(self) -> None:
        self.setViewportMargins(self.numbers_width, 0, 0, 0)

    def _follow(self, rect: QRect, dy: int) -> None:
        if dy:
            self._numbers.scroll(0, dy)
        else:
            self._numbers.update(0, rect.y(), self._numbers.width(), rect.height())


class CaseEditor(QFrame):
    """One file; saved only when somebody asks, whole or not at all."""

    saved = Signal(object)  # Path
    read = Signal(object, object)  # list[LoadedCase], list[Flaw]: after each pause of typing

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._stored = ""
        self._errand: Errand[Sequence[LoadedCase | Flaw]] | None = None
        mark(self, surface="panel")
        self.text = CaseText(theme, self)
        self.text.setAccessibleName(self.tr("Text of the test case"))
        self.name = Label(self)
        self.name.setTextFormat(Qt.TextFormat.PlainText)
        self.verdict = Label(self)
        self.save = QPushButton(self.tr("Save"), self)
        self.undo = QPushButton(self.tr("Put back"), self)
        self.flaws = QListWidget(self)
        self.flaws.setAccessibleName(self.tr("Mistakes, with their lines"))
        self.flaws.setMaximumHeight(110)
        self.flaws.setWordWrap(True)
        for button in (self.save, self.undo):
            button.setAutoDefault(False)
            mark(button, kind="small")
        head = QHBoxLayout()
        head.setSpacing(GAP)
        for widget, stretch in ((self.name, 0), (self.verdict, 1), (self.undo, 0), (self.save, 0)):
            head.addWidget(widget, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP_S, GAP, GAP)
        layout.setSpacing(GAP_S)
        layout.addLayout(head)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.flaws)
        self._settles = QTimer(self)
        self._settles.setSingleShot(True)
        self._settles.setInterval(SETTLES_MS)
        self._settles.timeout.connect(self.check)
        self.text.textChanged.connect(self._on_typed)
        self.flaws.itemClicked.connect(self._go)
        self.flaws.itemActivated.connect(self._go)
        self.undo.clicked.connect(lambda _=False: self.text.setPlainText(self._stored))
        self.flaws.hide()

    @property
    def path(self) -> Path | None:
        """Give the file that is edited."""
        return self._path

    @property
    def is_changed(self) -> bool:
        """Say whether there is something to save."""
        return self._path is not None and self.text.toPlainText() != self._stored

    def show_file(self, path: Path, content: str) -> None:
        """Edit another file."""
        self._path, self._stored = path, content
        self.name.setText(path.name)
        self.name.setToolTip(as_tip(str(path)))
        self.text.setPlainText(content)
        self.check()

    def check(self) -> None:
        """Read the text now, as a runner would."""
        self._settles.stop()
        if self._path is None:
            return
        text = self.text.toPlainText()
        if self._errand is not None:
            self._errand.forget()
        if len(text) > _LARGEST:
            self._take([Flaw(1, "", self.tr("larger than 1 MiB; a case is a page of YAML"))])
            return
        path = self._path
        self._errand = Errand(  # a sweep of a thousand cases takes its time
            self,
            "case text",
            lambda: check_case(text, path),
            self._take,
            self._say_unread,
        )

    def _say_unread(self, sentence: str, _: str) -> None:
        self._take([Flaw(1, "", sentence)])

    def close_editor(self) -> None:
        """End the thread."""
        self._settles.stop()
        let_go(_PATIENCE_S, self._errand)

    def _take(self, found: Sequence[LoadedCase | Flaw]) -> None:
        flaws = [each for each in found if isinstance(each, Flaw)]
        self._show(flaws, len(found))
        self.read.emit([each for each in found if isinstance(each, LoadedCase)], flaws)

    def write(self) -> bool:
        """Save; says whether there was anything to save. Raises CaseBroken where the disk refuses."""
        if self._path is None or not self.is_changed:
            return False
        text = self.text.toPlainText()
        try:
            write_whole(self._path, text.encode())
        except OSError as failure:
            raise CaseBroken(f"{self._path} cannot be written: {failure}", path=self._path) from failure
        self._stored = text
        self._say_changed()
        self.saved.emit(self._path)
        return True

    def _on_typed(self) -> None:
        self._say_changed()
        self._settles.start()

    def _say_changed(self) -> None:
        self.save.setEnabled(self.is_changed)
        self.undo.setEnabled(self.is_changed)
        if self._path is not None:
            self.name.setText(f"{self._path.name}{' •' if self.is_changed else ''}")

    def _show(self, flaws: list[Flaw], cases: int) -> None:
        if flaws:
            words = amount(len(flaws), self.tr("1 mistake"), self.tr("{0} mistakes"))
        else:
            words = self.tr("valid") if cases == 1 else self.tr("valid: a sweep of {0} cases").format(cases)
        self.verdict.setText(words)
        mark(self.verdict, tone="missed" if flaws else "good")
        self.text.show_wrong({flaw.line: flaw.sentence for flaw in flaws})
        self.flaws.clear()
        for flaw in flaws:
            key = f"{flaw.key}: " if flaw.key else ""
            item = QListWidgetItem(self.tr("line {0}: {1}").format(flaw.line, f"{key}{flaw.sentence}"), self.flaws)
            item.setData(Qt.ItemDataRole.UserRole, flaw.line)
        self.flaws.setVisible(bool(flaws))

    def _go(self, item: QListWidgetItem) -> None:
        self.text.go_to(int(item.data(Qt.ItemDataRole.UserRole)))
