"""The way from finding to finding: by key, by a click in the list or in the timeline, and the clip in a loop."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from hilgui.cornercases.rank import badness
from hilgui.gui.replay.findings_list import FindingsList
from hilgui.gui.replay.player import Player
from hilgui.gui.replay.session import RunSession
from hilgui.gui.replay.spotlight import Spotlight
from hilgui.records import Finding, Kind


class FindingsWalk(QObject):
    """Moves the player to findings and lets the spotlight say why they were flagged."""

    left_live = Signal()  # before each move: the newest frame is not followed any more
    message = Signal(str, str)

    def __init__(
        self, session: RunSession, player: Player, findings: FindingsList, spotlight: Spotlight, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._player = player
        self._findings = findings
        self._spotlight = spotlight
        findings.chosen.connect(self._on_chosen)
        findings.play_asked.connect(self.play_clip)

    def go_to_worst(self) -> None:
        """Go to the worst finding of the list."""
        if not self._findings.go_to_worst():
            self._tell_none()

    def go(self, direction: int) -> None:
        """Go to the next (1) or previous (-1) finding of the list."""
        if not self._findings.go(direction):
            self._tell_none()

    def hit(self, kind: Kind, row: int) -> None:
        """Show in the list which finding was clicked in the timeline, and why; the position stays at the click."""
        drive = self._session.drive
        if drive is None:
            return
        seq = drive.seq_at(row)
        near = [found for found in drive.findings if found.kind is kind and found.first_seq <= seq <= found.last_seq]
        finding = min(near, key=badness, default=None)
        if finding is None:
            return
        self._findings.mark(finding)
        self._spotlight.choose(finding, is_there=not self._player.is_waiting)

    def play_clip(self) -> None:
        """Play the chosen finding from its clip's first frame to its last, again and again."""
        drive, finding = self._session.drive, self._findings.current() or self._spotlight.finding
        if drive is None or finding is None:
            return
        self.left_live.emit()
        first = finding.clip_first if finding.clip_first is not None else finding.first_seq
        last = finding.clip_last if finding.clip_last is not None else finding.last_seq
        self._player.set_loop(drive.row_of(first), drive.row_of(last))
        self._player.go_to_seq(first)
        self._player.play()

    def _on_chosen(self, finding: Finding) -> None:
        """Go to the worst frame of a finding, mark its object, say why it was flagged."""
        if self._session.drive is None:
            return
        self.left_live.emit()
        self._player.pause()
        self._player.go_to_seq(finding.worst_seq)
        self._spotlight.choose(finding, is_there=not self._player.is_waiting)

    def _tell_none(self) -> None:
        drive = self._session.drive
        if drive is None:
            return
        has_some = bool(drive.findings)
        sentence = self.tr("no finding passes the filter") if has_some else self.tr("this run has no findings")
        self.message.emit("info", sentence)
