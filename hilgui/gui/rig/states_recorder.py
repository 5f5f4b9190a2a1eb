"""Takes the arming states of the rig that the window holds into the journal of the bench, as they come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from hilgui.gui.errand import Errand, let_go
from hilgui.gui.rig.link import RigLink

if TYPE_CHECKING:
    from hilgui.evidence import Intake

_REST_MS = 300  # the supervisor writes its own file a moment after it tells the screen
_PATIENCE_S = 5.0


class StatesRecorder(QObject):
    """Lives as long as the window; the disk is waited for beside the screen, one look at a time."""

    told = Signal(str)  # what the journal refused, or found changed

    def __init__(self, home: Path, link: RigLink, parent: QObject) -> None:
        super().__init__(parent)
        self._home = home
        self._intake: Intake | None = None  # made with the first state: it loads the keys' cryptography
        self._errand: Errand[tuple[str, ...]] | None = None
        self._said: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self._look)
        link.state_changed.connect(self._timer.start)
        link.closed.connect(self._timer.start)

    @property
    def is_busy(self) -> bool:
        """Say whether something is still to be taken in."""
        return self._errand is not None or self._timer.isActive()

    def close(self) -> None:
        """Take in what is left; for the end of the application, when the rig has ended."""
        self._timer.stop()
        is_over = let_go(_PATIENCE_S, self._errand)
        self._errand = None
        if self._intake is not None and is_over:
            self._take()

    def _look(self) -> None:
        if self._errand is not None:
            self._timer.start()
            return
        self._errand = Errand(self, "arming states", self._take, self._done, self._failed)

    def _take(self) -> tuple[str, ...]:
        from hilgui.evidence import Intake, keep_up

        if self._intake is None:
            self._intake = Intake(self._home)
        return keep_up(self._intake)

    def _done(self, sentences: tuple[str, ...]) -> None:
        self._errand = None
        for sentence in sentences:
            if sentence not in self._said:  # once is enough for a person
                self._said.add(sentence)
                self.told.emit(sentence)

    def _failed(self, sentence: str, _details: str) -> None:
        self._done((sentence,))
