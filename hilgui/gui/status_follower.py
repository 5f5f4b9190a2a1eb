"""What the status strip says: about the run on the screen, or about the run under way."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from hilgui.gui.bridge import Bridge
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.status import ReplayStatus
from hilgui.gui.status_strip import StatusStrip

if TYPE_CHECKING:
    from hilgui.gui.run_figures import RunFigures
    from hilgui.pipeline import Progress

log = logging.getLogger(__name__)


class StatusFollower(QObject):
    """Puts together what a page, the store and the run under way know."""

    def __init__(self, strip: StatusStrip, bridge: Bridge, parent: QObject) -> None:
        super().__init__(parent)
        self._strip = strip
        self._bridge = bridge
        self._status = ReplayStatus()
        self._figures: RunFigures | None = None
        self._errand: Errand[RunFigures] | None = None
        bridge.progress.connect(self._on_progress)

    def show_status(self, status: ReplayStatus) -> None:
        """Take what a page says about its run."""
        if self._figures is not None:
            status = replace(status, fps=self._figures.fps, gpu_expected=self._figures.gpu_expected)
        self._status = status
        if not self._bridge.is_busy:  # figures of the run under way come with its progress
            self._strip.show_status(status)

    def read_run(self, folder: Path) -> None:
        """Read the figures that only the store knows, on an errand."""
        from hilgui.gui.run_figures import read_figures

        self._figures = None
        if self._errand is not None:
            self._errand.forget()
        self._errand = Errand(self, "figures", lambda: read_figures(folder), self._on_figures, self._on_no_figures)

    def clear(self) -> None:
        """Show no run."""
        self._figures = None
        self._status = ReplayStatus()
        self._strip.show_status(self._status)

    def close(self, timeout_s: float) -> None:
        """Let the errand end; for the end of the application."""
        let_go(timeout_s, self._errand)

    def _on_progress(self, progress: Progress) -> None:
        self._strip.show_status(
            replace(
                self._status,
                fps=progress.fps,
                latency_ms=progress.latency_ms,
                dropped=progress.dropped,
                skipped=progress.skipped,
            )
        )

    def _on_figures(self, figures: RunFigures) -> None:
        self._errand = None
        self._figures = figures
        self.show_status(self._status)

    def _on_no_figures(self, sentence: str, details: str) -> None:
        self._errand = None
        log.warning("no figures for the status strip: %s", sentence)  # the page itself says what is wrong with the run
