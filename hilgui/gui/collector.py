"""Garbage is collected on the GUI thread alone.

Python collects on whichever thread happens to allocate. A widget or timer that is part of a cycle would be destroyed on
the thread of a decoder or an errand, under the feet of the event loop: a native crash, rarely and at any later time.

What was there before the window was shown, mostly modules, stays to the end and is not looked through each time: that
took 120 ms, in which the screen stood still.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 200


class Collector(QObject):
    """Takes automatic collection over while it lives; `close` gives it back. Make it on the GUI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        gc.collect()
        self.settle()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(_LOOK_MS)

    def look(self) -> None:
        """Collect the generations that are due, by Python's own thresholds."""
        for generation in reversed(range(3)):
            if 0 < gc.get_threshold()[generation] < gc.get_count()[generation]:
                gc.collect(generation)
                return

    def settle(self) -> None:
        """Look no more through what is there now."""
        gc.freeze()

    def close(self) -> None:
        """Let Python collect by itself again; may be called twice."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()
