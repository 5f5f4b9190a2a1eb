"""The strip at the bottom: what runs on what, how fast, what was lost, how much disk is left, what time it is."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from hilgui.gui.label import Label, as_tip
from hilgui.gui.rig_badge import RigBadge
from hilgui.gui.status import ReplayStatus, clock_words, is_cpu, provider_words
from hilgui.gui.theme import GAP, GAP_S, GAP_XS, Theme, mark

_DASH = "–"
_TICK_MS = 1000
_DISK_EVERY = 10  # ticks
_LOW_DISK_GB = 5.0


class Readout(QWidget):
    """An icon or a small word with a value; the value may turn into a warning."""

    def __init__(self, theme: Theme, name: str, explanation: str, parent: QWidget, *, icon: str = "") -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon_name = icon
        self._name = name
        self._caption = Label("" if icon else name, self)
        mark(self._caption, tone="faint")
        self._value = Label(_DASH, self)
        self._explanation = explanation
        self.setToolTip(explanation)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_S)
        layout.addWidget(self._caption)
        layout.addWidget(self._value)
        self._draw_icon()
        theme.changed.connect(self._draw_icon)

    @property
    def value(self) -> str:
        """Give the text of the value."""
        return self._value.text()

    @property
    def tone(self) -> str:
        """Give how the value is shown: "" or "warning"."""
        return str(self._value.property("tone") or "")

    def say(self, value: str, tone: str = "") -> None:
        """Show a value; widths change rarely because digits are equally wide."""
        if value != self._value.text():
            self._value.setText(value)
            self.setAccessibleName(f"{self._name}: {value}")
        if tone != self.tone:
            mark(self._value, tone=tone)

    def explain(self, lines: tuple[str, ...]) -> None:
        """Add lines to the explanation that the tool tip shows."""
        self.setToolTip(as_tip("\n".join((self._explanation, *filter(None, lines)))))

    def _draw_icon(self) -> None:
        if self._icon_name:
            self._caption.setPixmap(self._theme.picture(self._icon_name, "text_faint", 15, self.devicePixelRatioF()))


class StatusStrip(QFrame):
    """Always in sight. Shows the last `ReplayStatus`; knows disk and wall clock itself."""

    def __init__(
        self,
        theme: Theme,
        runs: Path,
        parent: QWidget,
        *,
        now: Callable[[], datetime] = datetime.now,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        super().__init__(parent)
        self._runs = runs
        self._now = now
        self._free_bytes = free_bytes or _free_bytes
        self._ticks = 0
        mark(self, surface="strip")
        self.setAccessibleName(self.tr("Status"))
        tr = self.tr
        self.device = Readout(
            theme, tr("device"), tr("Execution provider and device that run the models"), self, icon="device"
        )
        self.speed = Readout(theme, tr("fps"), tr("Evaluated frames per second"), self)
        self.latency = {
            "baseline": Readout(theme, tr("baseline"), self._latency_hint(), self),
            "candidate": Readout(theme, tr("candidate"), self._latency_hint(), self),
        }
        self.dropped = Readout(theme, tr("dropped"), tr("Frames lost before a model saw them"), self)
        self.skipped = Readout(theme, tr("skipped"), tr("Frames left out on purpose, with a reason"), self)
        self.disk = Readout(theme, tr("disk free"), tr("Free space where runs are stored"), self, icon="disk")
        self.recording = Readout(
            theme, tr("recording time"), tr("Recording time of the frame on the screen"), self, icon="recording"
        )
        self.clock = Readout(theme, tr("wall clock"), tr("Wall clock"), self, icon="clock")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GAP, GAP_XS, GAP + GAP_S, GAP_XS)
        layout.setSpacing(GAP + GAP_S)
        self.rig = RigBadge(self)
        layout.addWidget(self.rig)
        for readout in (self.device, self.speed, *self.latency.values(), self.dropped, self.skipped):
            layout.addWidget(readout)
            if readout is not self.skipped:
                layout.addWidget(self._line())
        layout.addStretch(1)
        for readout in (self.recording, self.disk, self.clock):
            layout.addWidget(readout)
        self.setFixedHeight(28)
        self.show_status(ReplayStatus())
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self._tick()

    def show_status(self, status: ReplayStatus) -> None:
        """Show the figures of a run; an empty status clears them."""
        has_gpu_missed = status.gpu_expected and is_cpu(status.provider)
        words = provider_words(status.provider, status.device) if status.provider else self.tr("no run open")
        if has_gpu_missed:
            words = self.tr("{device} (GPU expected)").format(device=words)
        if status.is_bench_unfit:
            words = self.tr("{device} · bench not fit").format(device=words)
        self.device.say(words, "warning" if has_gpu_missed or status.is_bench_unfit else "")
        self.device.explain(status.attested)
        self.speed.say(_DASH if status.fps is None else f"{status.fps:.1f}")
        latencies = {str(role): latency for role, latency in status.latency_ms.items()}
        for role, readout in self.latency.items():
            self._say_latency(readout, latencies.get(role), status.deadline_ms)
        self.dropped.say(_count(status.dropped), "warning" if status.dropped else "")
        self.skipped.say(_count(status.skipped))
        self.recording.say(_times(status.time_s, status.duration_s))

    def _say_latency(self, readout: Readout, latency: tuple[float, float] | None, deadline_ms: float | None) -> None:
        if latency is None or math.isnan(latency[0]):
            readout.say(_DASH)
            return
        p50, p99 = latency
        words = f"{p50:.1f} / {p99:.1f} ms"
        if deadline_ms is None:
            readout.say(words)
            return
        readout.say(
            f"{words} ≤ {deadline_ms:.0f}" if p99 <= deadline_ms else f"{words} > {deadline_ms:.0f}",
            "warning" if p99 > deadline_ms else "",
        )

    def _latency_hint(self) -> str:
        return self.tr("Latency p50 / p99: preprocess + run + postprocess, against the deadline where there is one")

    def _line(self) -> QFrame:
        line = QFrame(self)
        mark(line, surface="separator")
        line.setFixedHeight(14)
        return line

    def _tick(self) -> None:
        self.clock.say(self._now().strftime("%H:%M:%S"))
        if self._ticks % _DISK_EVERY == 0:
            free_gb = self._free_bytes(self._runs) / 1e9
            self.disk.say(
                f"{free_gb:,.0f} GB" if free_gb >= 10 else f"{free_gb:.1f} GB",
                "warning" if free_gb < _LOW_DISK_GB else "",
            )
        self._ticks += 1


def _count(count: int | None) -> str:
    return _DASH if count is None else f"{count:,}"


def _times(time_s: float | None, duration_s: float | None) -> str:
    if time_s is None or math.isnan(time_s):  # NaN: an unordered set has no time
        return _DASH
    return clock_words(time_s) if duration_s is None else f"{clock_words(time_s)} / {clock_words(duration_s)}"


def _free_bytes(folder: Path) -> int:
    existing = next((path for path in (folder, *folder.parents) if path.exists()), Path.cwd())
    return shutil.disk_usage(existing).free
