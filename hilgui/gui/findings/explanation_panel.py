"""Why a model missed an object or showed a phantom: worked out on demand, kept beside the run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from hilgui.explanations import AskExplanation, Explanation, Wish
from hilgui.explanations.scene import is_explained
from hilgui.gui.busy_bar import BusyBar
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.findings.explanation_pictures import Explained, read_explained
from hilgui.gui.findings.still_tile import StillTile
from hilgui.gui.label import Label
from hilgui.gui.replay.drive import role_words
from hilgui.gui.scrolled import scrolled
from hilgui.gui.side_desk import SideDesk
from hilgui.gui.theme import GAP, GAP_S, Theme, mark
from hilgui.settings import Settings
from hilgui.triage import FindingRow

_AFTER_MS = 150  # somebody who walks through the list reads only where they stay
_TILES = 5  # the most pictures in a row


@dataclass(frozen=True, slots=True)
class _Still:
    name: str  # of the picture that is shown large
    image: str  # of the one on the tile
    words: str


class ExplanationPanel(QFrame):
    """Shows what is known about the finding that is looked at; a process beside the screen works out the rest."""

    failed = Signal(str, str)  # sentence, details
    picture_chosen = Signal(object, str)  # Path, words: somebody wants to see it large

    def __init__(self, theme: Theme, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._settings = settings
        self._desk = SideDesk(self)
        self._row: FindingRow | None = None
        self._asked: FindingRow | None = None  # what is being worked out
        self._shown: Explained | None = None
        self._errand: Errand[Explained | None] | None = None
        self._waits = QTimer(self)
        self._waits.setSingleShot(True)
        self._waits.setInterval(_AFTER_MS)
        self.go = QPushButton(self.tr("Explain"), self)
        self.busy = BusyBar(self, last=self.tr("writing…"))
        self._sentence = self._label("heading")
        self._hint = self._label("soft")
        self._foot = self._label("faint")
        self._titles: list[Label] = []
        self._words: list[Label] = []
        self._tiles: list[list[StillTile]] = []
        self._build()
        self._waits.timeout.connect(self._read)
        self._desk.failed.connect(self._on_failed)
        self._desk.busy_changed.connect(self.busy.show_busy)
        self._desk.progress.connect(self.busy.show_progress)
        self.busy.cancelled.connect(self.cancel)
        self.go.clicked.connect(lambda _=False: self.explain())
        self.show_finding(None)

    @property
    def is_busy(self) -> bool:
        """Say whether something is worked out or read."""
        return self._desk.is_busy or self._errand is not None or self._waits.isActive()

    @property
    def explanation(self) -> Explanation | None:
        """Give what is shown."""
        return None if self._shown is None else self._shown.explanation

    @property
    def command(self) -> str:
        """Give the command that does the same."""
        row = self._row
        return "" if row is None else shlex.join(["hilgui", "explain", str(row.folder), str(row.finding.number)])

    def show_finding(self, row: FindingRow | None) -> None:
        """Show another finding, or none; what was explained of it comes a moment later."""
        if row is not None and self._row is not None and row.id == self._row.id:
            self._row = row
            return
        self._row = row
        self._show(None)
        self._waits.stop()
        if self._can_explain and self.isVisible():
            self._waits.start()

    def explain(self) -> None:
        """Work it out, all methods; another one that is under way goes on first."""
        row = self._row
        if row is None or not self._can_explain or self._desk.is_busy:
            return
        assert row.finding.role is not None
        self._asked = row
        wish = Wish(row.folder, row.finding.number, row.finding.role, provider=self._settings.provider)
        self._desk.ask("explain", AskExplanation(wish, self._settings.home), self._on_explained)
        self._allow()

    def cancel(self) -> None:
        """End what is under way; nothing of it is kept."""
        self._asked = None
        self._desk.cancel()
        self._allow()

    def close_panel(self, timeout_s: float) -> None:
        """Let process and thread end; for the end of the application."""
        self._waits.stop()
        self._desk.close(timeout_s)
        let_go(timeout_s, self._errand)
        self._errand = None

    def showEvent(self, event: QShowEvent) -> None:
        """Read what was not worth reading while nobody saw it."""
        super().showEvent(event)
        if self._can_explain and self._shown is None and self._errand is None:
            self._waits.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Read nothing while nobody sees it."""
        super().hideEvent(event)
        self._waits.stop()

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        mark(self, surface="panel")
        self.setAccessibleName(self.tr("Explanation"))
        mark(self.go, kind="primary")
        self.go.setToolTip(self.tr("Work out why (X)"))
        body = QWidget(self)
        inner = QVBoxLayout(body)
        inner.setContentsMargins(10, 8, 10, 8)
        inner.setSpacing(GAP)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(self.go)
        row.addWidget(self.busy)
        row.addStretch(1)
        for widget in (self._sentence, self._hint):
            inner.addWidget(widget)
        inner.addLayout(row)
        for words in (
            self.tr("What the answer rests on"),
            self.tr("Nearest that were found"),
            self.tr("What would have saved it"),
        ):
            title, said = self._label("section"), self._label()
            title.setText(words)
            grid = QGridLayout()
            grid.setSpacing(GAP)
            grid.setColumnStretch(_TILES, 1)  # a row of few keeps them small
            tiles = [StillTile(self._theme, self) for _ in range(_TILES)]
            for place, tile in enumerate(tiles):
                grid.addWidget(tile, 0, place, Qt.AlignmentFlag.AlignTop)
                tile.chosen.connect(self._choose)
            self._titles.append(title)
            self._words.append(said)
            self._tiles.append(tiles)
            inner.addSpacing(GAP_S)
            inner.addWidget(title)
            inner.addLayout(grid)
            inner.addWidget(said)
        inner.addWidget(self._foot)
        inner.addStretch(1)
        scrolled(body, self)

    def _label(self, tone: str = "") -> Label:
        label = Label(self)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        if tone:
            mark(label, tone=tone)
        return label

    # -- inside -------------------------------------------------------------------------------------------------------

    @property
    def _can_explain(self) -> bool:
        row = self._row
        return row is not None and row.finding.role is not None and is_explained(row.finding)

    def _allow(self) -> None:
        is_mine = self._asked is not None and self._row is not None and self._asked.id == self._row.id
        self.go.setVisible(self._can_explain and not is_mine)
        self.go.setEnabled(not self._desk.is_busy)
        mark(self.go, kind="primary" if self._shown is None else "small")
        self.go.setText(self.tr("Explain") if self._shown is None else self.tr("Explain again"))

    def _read(self) -> None:
        row = self._row
        if row is None or row.finding.role is None:
            return
        if self._errand is not None:
            self._errand.forget()
        folder, home, number, role = row.folder, self._settings.home, row.finding.number, row.finding.role

        def read(found: Explained | None) -> None:
            self._errand = None
            if self._row is not None and self._row.id == row.id:
                self._show(found)

        self._errand = Errand(
            self, "explanation", lambda: read_explained(folder, home, number, role), read, self._on_unreadable
        )

    def _on_explained(self, _answer: tuple[Path, Explanation]) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and self._row is not None and asked.id == self._row.id:
            self._read()  # ten pictures are decoded on a thread
        self._allow()

    def _on_failed(self, sentence: str, details: str) -> None:
        self._asked = None
        self._allow()
        self._hint.setText(sentence)
        self._hint.show()
        self.failed.emit(sentence, details)

    def _on_unreadable(self, sentence: str, details: str) -> None:
        self._errand = None
        self.failed.emit(sentence, details)

    def _choose(self, name: object) -> None:
        if isinstance(name, _Still) and self._shown is not None:
            self.picture_chosen.emit(self._shown.folder / name.name, name.words)

    def _show(self, found: Explained | None) -> None:
        self._shown = found
        made = self.explanation
        self._sentence.setText("" if made is None else made.sentence)
        self._sentence.setVisible(made is not None)
        self._hint.setText(self._said_hint(made))
        self._hint.setVisible(bool(self._hint.text()))
        rows: list[tuple[tuple[_Still, ...], tuple[str, ...]]] = [((), ())] * 3
        if made is not None:
            rows = [self._rests_on(made), self._alike(made), self._saved(made)]
        for title, tiles, label, (stills, sentences) in zip(self._titles, self._tiles, self._words, rows, strict=True):
            title.setVisible(bool(sentences))
            label.setText("\n".join(sentences))
            label.setVisible(bool(sentences))
            for place, tile in enumerate(tiles):
                still = stills[place] if place < len(stills) else None
                tile.setVisible(still is not None)
                if still is not None and found is not None:
                    tile.show_still(found.images.get(still.image), still.words, still)
        self._foot.setText("" if made is None else self._said_foot(made))
        self._foot.setVisible(made is not None)
        self._allow()

    def _said_hint(self, made: Explanation | None) -> str:
        if made is not None:
            return " ".join(made.notes)
        if self._row is None:
            return self.tr("Choose a finding to see why it happened.")
        if not self._can_explain:
            return self.tr("Missed objects and phantoms are explained; this finding is about something else.")
        return self.tr(
            "Score against threshold, the places the answer rests on, the nearest objects that were found, and the "
            "smallest change of the picture that would have saved it. Takes a minute or less."
        )

    def _said_foot(self, made: Explanation) -> str:
        when = made.created[:16].replace("T", " ")
        masks = "" if made.saliency is None else self.tr(" · {0} masks").format(made.saliency.masks)
        words = self.tr("{0} · frame {1}{2} · seed {3} · {4} UTC")
        return words.format(role_words(made.role, made.model), f"{made.seq:,}", masks, made.seed, when)

    def _rests_on(self, made: Explanation) -> tuple[tuple[_Still, ...], tuple[str, ...]]:
        stills = [_Still(made.picture, made.picture, self.tr("as the model saw it"))]
        sentences: tuple[str, ...] = ()
        if made.saliency is not None:
            part = made.saliency
            words = self.tr("saliency: warm helps, cold hurts") if part.has_signal else self.tr("saliency: no signal")
            stills.append(_Still(part.whole, part.picture, words))
            sentences += part.sentences
        if made.occlusion is not None:
            hidden = made.occlusion
            words = self.tr("occlusion: what hiding costs") if hidden.has_signal else self.tr("occlusion: no signal")
            stills.append(_Still(hidden.picture, hidden.picture, words))
            sentences += hidden.sentences
        return (tuple(stills), sentences) if sentences else ((), ())

    def _alike(self, made: Explanation) -> tuple[tuple[_Still, ...], tuple[str, ...]]:
        part = made.alikes
        if part is None:
            return (), ()
        stills = [_Still(part.picture, part.picture, self.tr("this one"))] if part.nearest else []
        lines = list(part.sentences)
        for number, one in enumerate(part.nearest, 1):
            words = self.tr("{0}: #{1}, score {2}").format(number, one.seq, f"{one.score:.2f}")
            if one.is_same:
                words += self.tr(", the same object")
            stills.append(_Still(one.picture, one.picture, words))
            differs = ", ".join(one.differs) or self.tr("not noticeably different")
            lines.append(self.tr("Against {0} this one is: {1}.").format(number, differs))
        return tuple(stills), tuple(lines)

    def _saved(self, made: Explanation) -> tuple[tuple[_Still, ...], tuple[str, ...]]:
        part = made.rescue
        if part is None:
            return (), ()
        stills = [
            _Still(one.picture, one.picture, f"{one.name}: {one.words}, {one.score:.2f}")
            for one in part.tries
            if one.picture
        ]
        return tuple(stills), part.sentences
