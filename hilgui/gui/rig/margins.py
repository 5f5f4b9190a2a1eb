"""Invariants of the cage with what is measured, and a bar for how near the limit that is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from hilgui.gui.label import Label, as_tip
from hilgui.gui.rig.margin_share import NEAR, used_up
from hilgui.gui.theme import GAP, GAP_S, Theme, mark
from hilgui.rigs.cage import Invariant, Margin

_SCALE = 1.2  # a bar ends beyond its limit, so that one sees how far beyond


class Bar(QWidget):
    """From nothing to beyond the limit, which is a line across."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._share: float | None = None
        self._tone = "good"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_share(self, share: float | None, tone: str) -> None:
        """Take another share of the limit."""
        if (share, tone) != (self._share, self._tone):
            self._share, self._tone = share, tone
            self.update()

    def sizeHint(self) -> QSize:
        """Ask for a line."""
        return QSize(80, 10)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw trough, bar, limit."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("field"))
        painter.drawRoundedRect(QRectF(self.rect()), 3, 3)
        if self._share is not None:
            width = self.width() * min(self._share, _SCALE) / _SCALE
            painter.setBrush(self._theme.colour(self._tone))
            painter.drawRoundedRect(QRectF(0, 0, max(width, 2.0), self.height()), 3, 3)
        painter.fillRect(QRectF(self.width() / _SCALE - 1, 0, 2, self.height()), self._theme.colour("text"))
        painter.end()


class _Row:
    def __init__(self, theme: Theme, invariant: Invariant, parent: QWidget) -> None:
        self.invariant = invariant
        self.name = Label(invariant.id, parent)
        told = f"{invariant.signal} {invariant.limit_text()} · {invariant.severity.value} · {invariant.hazard_id}: "
        self.name.setToolTip(as_tip(told + invariant.rationale))
        self.measured = Label("–", parent)
        self.measured.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.limit = Label(invariant.limit_text(), parent)
        mark(self.limit, tone="faint")
        self.bar = Bar(theme, parent)
        self.word = Label(parent)

    def show(self, margin: Margin | None) -> None:
        """Show what is measured now."""
        measured = None if margin is None else margin.measured
        share = used_up(self.invariant, measured)
        is_known = measured is not None and not math.isnan(measured)
        self.measured.setText(f"{measured:.3g}" if is_known else "–")
        if margin is None:
            tone, word = "faint", self.bar.tr("not judged")
        elif not margin.holds:
            tone, word = "missed", self.bar.tr("violated") if is_known else self.bar.tr("no signal")
        elif not is_known:
            tone, word = "faint", self.bar.tr("no signal")
        elif share is not None and share >= NEAR:
            tone, word = "warning", self.bar.tr("near")
        else:
            tone, word = "good", self.bar.tr("holds")
        if word != self.word.text():
            self.word.setText(word)
            mark(self.word, tone=tone)
        self.bar.show_share(share, tone if tone != "faint" else "line_strong")
        self.bar.setAccessibleName(f"{self.invariant.id}: {self.measured.text()}, {self.limit.text()}, {word}")


class MarginsPanel(QFrame):
    """One line for each invariant of the profile."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._rows: list[_Row] = []
        mark(self, surface="panel")
        head = Label(self.tr("Invariants"), self)
        mark(head, tone="section")
        self._inside = QWidget(self)
        self._grid = QGridLayout(self._inside)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(self._inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP_S)
        layout.addWidget(head)
        layout.addWidget(self._scroll, 1)

    @property
    def words(self) -> dict[str, str]:
        """Give the word beside each invariant."""
        return {row.invariant.id: row.word.text() for row in self._rows}

    def show_invariants(self, invariants: Sequence[Invariant]) -> None:
        """Make the lines of another profile."""
        self._inside = QWidget(self)
        self._grid = grid = QGridLayout(self._inside)
        grid.setContentsMargins(0, 0, GAP, 0)
        grid.setHorizontalSpacing(GAP)
        grid.setVerticalSpacing(GAP_S)
        self._rows = [_Row(self._theme, invariant, self._inside) for invariant in invariants]
        for number, row in enumerate(self._rows):
            for column, widget in enumerate((row.name, row.word)):
                grid.addWidget(widget, 2 * number, (0, 3)[column])
            grid.addWidget(row.measured, 2 * number, 1)
            grid.addWidget(row.limit, 2 * number, 2)
            grid.addWidget(row.bar, 2 * number + 1, 0, 1, 4)
        if not self._rows:
            none = Label(self.tr("The profile has no invariants: the cage only knows the channels' limits."), self)
            none.setWordWrap(True)
            mark(none, tone="warning")
            grid.addWidget(none, 0, 0, 1, 4)
        grid.setColumnStretch(0, 1)
        grid.setRowStretch(2 * len(self._rows) + 1, 1)
        self._scroll.setWidget(self._inside)
        self.show_margins({})

    def show_margins(self, margins: Mapping[str, Margin]) -> None:
        """Show what is measured."""
        for row in self._rows:
            row.show(margins.get(row.invariant.id))
