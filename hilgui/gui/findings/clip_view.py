"""The clip of a finding in a loop, with the truth and both models over it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from hilgui.gui.replay.account import thing_of_finding
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.ink import picture_ink
from hilgui.gui.replay.overlay import things_of
from hilgui.gui.replay.pictures import for_screen
from hilgui.gui.replay.player import Player
from hilgui.gui.replay.session import RunSession
from hilgui.gui.robustness.example_view import read_picture
from hilgui.gui.theme import Theme
from hilgui.records import Finding
from hilgui.scaling import Cut
from hilgui.triage import FindingRow

_AFTER_MS = 150  # somebody who walks through the list opens only the run where they stay


class ClipView(QWidget):
    """Opens the run of a finding when that is shown, lets its clip run, marks its object. GUI thread only."""

    failed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._session = RunSession(self)
        self._player = Player(self)
        self._row: FindingRow | None = None
        self.view = FrameView(picture_ink(theme), self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._waits = QTimer(self)
        self._waits.setSingleShot(True)
        self._waits.setInterval(_AFTER_MS)
        self._waits.timeout.connect(self._open)
        self._session.opened.connect(self._on_opened)
        self._session.failed.connect(self._on_failed)
        self._player.picture_changed.connect(self._on_picture)
        self.view.cut_changed.connect(self._on_cut)
        theme.changed.connect(self._restyle)
        self.show_finding(None)

    @property
    def player(self) -> Player:
        """Give what plays."""
        return self._player

    @property
    def finding_id(self) -> int | None:
        """Give the id of the finding that is shown."""
        return None if self._row is None else self._row.id

    @property
    def folder(self) -> Path | None:
        """Give the run that is open here."""
        return self._session.folder

    def show_finding(self, row: FindingRow | None) -> None:
        """Show another finding, or none; its clip begins to run a moment later."""
        self._row = row
        self._player.pause()
        if row is None:
            self._waits.stop()
            self.view.show_frame(None, (), self.tr("Choose a finding to see its clip."))
            return
        if row.folder == self._session.folder and self._session.drive is not None:
            self._play(row.finding)
        else:
            self.view.show_frame(None, (), self.tr("Opening {0} …").format(row.drive))
            self._waits.start()

    def toggle(self) -> None:
        """Play or pause."""
        self._player.toggle()

    def step(self, frames: int) -> None:
        """Pause and go some frames on, or back."""
        self._player.step(frames)

    def go_to_worst(self) -> None:
        """Pause at the worst frame."""
        if self._row is not None and self._session.drive is not None:
            self._player.pause()
            self._player.go_to_seq(self._row.finding.worst_seq)

    def show_still(self, path: Path, words: str) -> None:
        """Pause and show a picture of an explanation large, until the clip is moved again."""
        image = read_picture(path)
        self._player.pause()
        if image is None:
            self.view.show_frame(None, (), self.tr("The picture {0} is gone; explain again.").format(path.name))
            return
        self.view.show_frame(for_screen(image), ())
        self.view.set_mark(words)

    def rest(self) -> None:
        """Let go of the run; may be called twice."""
        self._waits.stop()
        self._player.load(None, None)
        self._session.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Open the run again after a rest."""
        super().showEvent(event)
        if self._row is not None and self._session.folder is None:
            self._waits.start()

    def _open(self) -> None:
        if self._row is None:
            return
        self._player.load(None, None)
        self._session.open(self._row.folder)

    def _on_opened(self) -> None:
        drive = self._session.drive
        assert drive is not None
        self._player.load(drive, self._session.decoder)
        self._on_cut(self.view.cut)
        self.view.set_names({role: facts.name for role, facts in drive.header.models.items()})
        if self._row is not None:
            self._play(self._row.finding)

    def _play(self, finding: Finding) -> None:
        drive = self._session.drive
        if drive is None or not len(drive):
            return
        first = finding.first_seq if finding.clip_first is None else finding.clip_first
        last = finding.last_seq if finding.clip_last is None else finding.clip_last
        self._player.set_loop(drive.row_of(first), drive.row_of(last))
        self._player.go_to_seq(first)
        if first != last:
            self._player.play()

    def _on_picture(self) -> None:
        picture, drive, row = self._player.picture, self._session.drive, self._row
        if picture is None or drive is None:
            return
        self.view.set_mark("")
        things = things_of(picture.moment, drive.header)
        problem = ""
        if picture.image is None:
            problem = self.tr("No picture of frame {0}: {1}.").format(picture.seq, picture.problem.rstrip("."))
        self.view.show_frame(picture.image, things, problem, picture.ready)
        if row is None or not row.finding.objects or picture.seq != row.finding.worst_seq:
            return
        found = row.finding.objects[0]
        thing = thing_of_finding(things, found.box, row.finding.role)
        self.view.select(thing)
        if thing is None:
            self.view.show_ghost(found.box, f"{row.finding.kind.value} · {found.label}")

    def _on_failed(self, sentence: str) -> None:
        self.view.show_frame(None, (), sentence)
        self.failed.emit(sentence)

    def _on_cut(self, cut: Cut) -> None:
        if self._session.decoder is not None:
            self._session.decoder.cut = cut

    def _restyle(self) -> None:
        self.view.set_ink(picture_ink(self._theme))
