"""Notices that the screen stood still: a slot that took too long, or a machine without a turn for us."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

log = logging.getLogger(__name__)

STALL_S = 0.5  # as long as the rig supervisor waits for a sign of life
_LOOK_MS = 100


class StallWatch(QObject):
    """Writes each stall of the event loop into the log; lives on the GUI thread. The rig stops without its help."""

    def __init__(self, parent: QObject | None = None, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self.stalls = 0
        self._now_s = now_s
        self._looked_s = now_s()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_LOOK_MS)

    def _look(self) -> None:
        before, self._looked_s = self._looked_s, self._now_s()
        if (away_s := self._looked_s - before - _LOOK_MS / 1000) >= STALL_S:
            self.stalls += 1
            log.warning("the screen stood still for %.1f s; a rig that was armed has stopped", away_s)
