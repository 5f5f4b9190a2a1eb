"""One frame of a run with what models and labels say about it; beside another run's it shows what differs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from hilgui.gui.label import Label
from hilgui.gui.replay.frame_view import FrameView
from hilgui.gui.replay.ink import picture_ink
from hilgui.gui.replay.overlay import things_of
from hilgui.gui.replay.player import Player
from hilgui.gui.replay.session import RunSession
from hilgui.gui.theme import GAP_S, Theme, mark
from hilgui.scaling import Cut


class StillView(QWidget):
    """Opens a run in the background and stands at a frame; GUI thread only."""

    def __init__(self, theme: Theme, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = title
        self._session = RunSession(self)
        self.player = Player(self)
        self._wanted = 0
        self._head = Label(title, self)
        mark(self._head, tone="soft")
        self.view = FrameView(picture_ink(theme), self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_S)
        layout.addWidget(self._head)
        layout.addWidget(self.view, 1)
        self._session.opened.connect(self._on_opened)
        self._session.failed.connect(lambda sentence: self.view.show_frame(None, (), sentence))
        self.player.picture_changed.connect(self._on_picture)
        self.view.cut_changed.connect(self._on_cut)
        theme.changed.connect(self._on_theme)  # a bound method ends with this widget, a lambda would outlive it
        self.rest()

    @property
    def folder(self) -> Path | None:
        """Give the run that is open here."""
        return self._session.folder

    def show_frame(self, folder: Path, seq: int) -> None:
        """Show a frame of a run."""
        self._wanted = seq
        self._head.setText(f"{self._title} · {folder.name} #{seq}")
        if folder == self._session.folder and self._session.drive is not None:
            self.player.go_to_seq(seq)
        elif folder != self._session.folder:
            self.player.load(None, None)
            self.view.show_frame(None, (), self.tr("Opening {0} …").format(folder.name))
            self._session.open(folder)

    def _on_theme(self) -> None:
        self.view.set_ink(picture_ink(self._theme))

    def rest(self) -> None:
        """Let go of the run; may be called twice."""
        self.player.load(None, None)
        self._session.close()
        self._head.setText(self._title)
        self.view.show_frame(None, (), self.tr("Choose a finding to see both runs at its frame."))

    def _on_opened(self) -> None:
        drive = self._session.drive
        assert drive is not None
        self.player.load(drive, self._session.decoder)
        self._on_cut(self.view.cut)
        self.view.set_names({role: facts.name for role, facts in drive.header.models.items()})
        self.player.go_to_seq(self._wanted)

    def _on_picture(self) -> None:
        picture, drive = self.player.picture, self._session.drive
        if picture is None or drive is None:
            return
        problem = ""
        if picture.image is None:
            problem = self.tr("No picture of frame {0}: {1}.").format(picture.seq, picture.problem.rstrip("."))
        self.view.show_frame(picture.image, things_of(picture.moment, drive.header), problem, picture.ready)

    def _on_cut(self, cut: Cut) -> None:
        if self._session.decoder is not None:
            self._session.decoder.cut = cut
