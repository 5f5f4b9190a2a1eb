"""The bar of the run under way: how far, how long still, pause and stop; on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QToolButton, QWidget

from hilgui.gui.bridge import Bridge
from hilgui.gui.label import Label
from hilgui.gui.short_numbers import amount
from hilgui.gui.status import span_words
from hilgui.gui.theme import GAP, GAP_S, Theme, mark

if TYPE_CHECKING:
    from hilgui.engine import RunStarted
    from hilgui.pipeline import Progress, RunPlan


class RunBar(QFrame):
    """Hidden while nothing runs. Listens to the bridge, which lives longer."""

    def __init__(self, theme: Theme, bridge: Bridge, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bridge = bridge
        self._total: int | None = None
        mark(self, surface="strip")
        self.setAccessibleName(self.tr("Run under way"))
        self._name = Label(self)
        self._words = Label(self)
        mark(self._words, tone="soft")
        self._left = Label(self)
        mark(self._left, tone="soft")
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress"))
        self.hold = QToolButton(self)
        self.hold.setAccessibleName(self.tr("Pause the run"))
        self.hold.clicked.connect(self._toggle)
        self.stop = QToolButton(self)
        self.stop.setAccessibleName(self.tr("Stop the run"))
        self.stop.setToolTip(self.tr("Stop the run (Ctrl+.); what was stored stays readable"))
        self.stop.clicked.connect(self._ask_to_stop)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP + GAP_S, GAP_S, GAP, GAP_S)
        layout.setSpacing(GAP + GAP_S)
        layout.addWidget(self._name)
        layout.addWidget(self._bar, 1)
        layout.addWidget(self._words)
        layout.addWidget(self._left)
        layout.addWidget(self.hold)
        layout.addWidget(self.stop)
        self._draw()
        theme.changed.connect(self._draw)
        bridge.run_asked.connect(self._prepare)
        bridge.run_started.connect(self._start)
        bridge.progress.connect(self._progress)
        bridge.held.connect(self._draw)
        bridge.run_finished.connect(self.hide)
        bridge.run_failed.connect(self.hide)
        self.hide()

    @property
    def words(self) -> str:
        """Give what the bar says about the frames."""
        return self._words.text()

    def _prepare(self, plan: RunPlan) -> None:
        self._total = None
        self._name.setText(plan.source.name)
        self._words.setText(self.tr("opening recording and models…"))
        self._left.clear()
        self._bar.setRange(0, 0)
        self.stop.setEnabled(True)
        self._draw()
        self.show()

    def _start(self, started: RunStarted) -> None:
        self._total = started.total
        self._bar.setRange(0, started.total or 0)

    def _progress(self, progress: Progress) -> None:
        done = progress.evaluated + progress.dropped + progress.skipped
        self._bar.setUpdatesEnabled(False)  # or setValue paints at once; so it comes with the next picture
        self._bar.setValue(done)
        self._bar.setUpdatesEnabled(True)
        frames = f"{done:,}" if self._total is None else f"{done:,} / {self._total:,}"
        findings = amount(progress.findings, self.tr("1 finding"), self.tr("{0} findings"))
        words = self.tr("{frames} frames · {fps:.1f} fps · {findings}")
        self._words.setText(words.format(frames=frames, fps=progress.fps, findings=findings))
        left = progress.seconds_left
        self._left.setText("" if left is None else self.tr("{span} left").format(span=span_words(left)))

    def _toggle(self) -> None:
        if self._bridge.is_held:
            self._bridge.resume()
        else:
            self._bridge.pause()

    def _ask_to_stop(self) -> None:
        self.stop.setEnabled(False)
        self._words.setText(self.tr("stopping…"))
        self._bridge.stop()

    def _draw(self) -> None:
        is_held = self._bridge.is_held
        self.hold.setIcon(self._theme.icon("play" if is_held else "pause"))
        self.hold.setToolTip(self.tr("Go on with the run") if is_held else self.tr("Pause the run"))
        self.stop.setIcon(self._theme.icon("stop"))
