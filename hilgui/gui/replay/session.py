"""One run that is open on the screen: its numbers, its feed, its decoder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from hilgui.gui.replay.decoder import Decoder
from hilgui.gui.replay.drive import Drive
from hilgui.gui.replay.feed import News, RunFeed
from hilgui.gui.replay.pictures import RunPictures

_LOOK_MS = 30
_FOLLOW_MS = 100  # once the run is on the screen: the feed has news once a second
_PATIENCE_S = 0.2  # how long the screen waits for a thread that should be ending anyway


class RunSession(QObject):
    """Opens a run folder in the background and keeps its drive up to date; GUI thread only.

    `opened` comes once, when the header and the frames stored so far are there; `grew` whenever more are;
    `finished` when a run that was open while it was written has ended.
    """

    opened = Signal()
    grew = Signal()
    finished = Signal()
    failed = Signal(str)
    noted = Signal(str)  # the recording is not as it was

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None
        self._feed: RunFeed | None = None
        self._decoder: Decoder | None = None
        self._drive: Drive | None = None
        self._told = ""
        self._retired: list[RunFeed | Decoder] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> Path | None:
        """Give the run folder."""
        return self._folder

    @property
    def drive(self) -> Drive | None:
        """Give the numbers, None until the run is opened."""
        return self._drive

    @property
    def decoder(self) -> Decoder | None:
        """Give the decoder, None until the run is opened."""
        return self._decoder

    @property
    def is_under_way(self) -> bool:
        """Say whether the run is still being written."""
        return self._drive is not None and self._drive.state == "running"

    def open(self, folder: Path) -> None:
        """Begin to open a run; another one that is open is closed."""
        self.close()
        self._folder = folder
        self._feed = RunFeed(folder)
        self._timer.start(_LOOK_MS)

    def close(self) -> None:
        """Let go of the run; threads end by themselves, mostly at once. May be called twice."""
        self._timer.stop()
        for owner in (self._feed, self._decoder):
            if owner is not None and not owner.close(_PATIENCE_S):
                self._retired.append(owner)
        self._retired = [owner for owner in self._retired if not owner.close(0)]
        self._feed = self._decoder = self._drive = self._folder = None
        self._told = ""

    def look(self) -> None:
        """Take what the threads have to tell; called by the timer."""
        while self._feed is not None and (news := self._feed.take()) is not None:
            if isinstance(news, str):
                self.close()
                self.failed.emit(news)
                return
            self._take(news)
        decoder = self._decoder
        if decoder is None:
            return
        told = decoder.failure or decoder.note
        if told and told != self._told:
            self._told = told
            self.noted.emit(told)
        if self._feed is not None and self._feed.is_over and decoder.is_open:
            self._timer.stop()  # nothing more to come

    def _take(self, news: News) -> None:
        is_first = self._drive is None
        if is_first or self._drive is None:
            self._drive = Drive(news.header, news.signals)
        drive = self._drive
        was_running = not is_first and drive.state == "running"
        changed = news.findings is not None or len(news.timeline.seq) > 0
        drive.extend(news.timeline)
        drive.state, drive.verdict, drive.ledger = news.state, news.verdict, news.ledger
        if news.findings is not None:
            drive.findings = news.findings
        if is_first:
            assert self._folder is not None
            self._decoder = Decoder(RunPictures(self._folder), name=self._folder.name)
            self._timer.setInterval(_FOLLOW_MS)
            self.opened.emit()
        elif changed or news.state != "running":
            self.grew.emit()
        if was_running and news.state != "running":
            self.finished.emit()
