"""Every device of the rig with what it says it is, its signals, and the controls by hand."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from hilgui.gui.label import Label, as_tip
from hilgui.gui.rig.controls import ActionControl, ChannelControl, plainly
from hilgui.gui.rig.sparkline import Sparkline
from hilgui.gui.theme import GAP, GAP_L, GAP_S, Theme, mark
from hilgui.rigs.messages import DeviceState
from hilgui.rigs.protocol import Channel, Reading, RigFacts

_STALE_S = 2.0  # an older value is shown faint


class _Line:
    def __init__(self, theme: Theme, device: str, channel: Channel, parent: QWidget) -> None:
        self.name = f"{device}.{channel.name}"
        self.channel = channel
        self.words = Label(channel.name, parent)
        limits = f"{plainly(channel.low)} … {plainly(channel.high)} {channel.unit}".rstrip()
        hazard = parent.tr("hazardous") if channel.is_hazardous else parent.tr("harmless")
        self.words.setToolTip(as_tip(f"{self.name} · {limits} · {hazard}"))
        self.value = Label("–", parent)
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.value.setMinimumWidth(74)
        self.plot = Sparkline(theme, self.name, parent)
        self.limits = Label(limits, parent)
        mark(self.limits, tone="faint")
        self.control = ChannelControl(device, channel, parent) if channel.is_writable else None

    def show(self, reading: Reading | None, points: Sequence[tuple[float, float]], now_s: float) -> None:
        """Show the newest value; an old one faintly, none as a dash."""
        if reading is None:
            words, tone = "–", "faint"
        else:
            is_old = now_s - reading.read_ns / 1e9 > _STALE_S
            tone = "faint" if is_old else ""
            is_number = not math.isnan(reading.value)
            words = f"{plainly(reading.value)} {reading.unit}".rstrip() if is_number else self.plot.tr("no number")
        if words != self.value.text():
            self.value.setText(words)
            self.value.setAccessibleName(f"{self.name}: {words}")
        if tone != (self.value.property("tone") or ""):
            mark(self.value, tone=tone)
        self.plot.show_points(points, now_s)


class _Head:
    """The head of a device: its name, what it says it is or why it cannot be used."""

    def __init__(self, name: str, parent: QWidget) -> None:
        self.name = Label(name, parent)
        mark(self.name, tone="heading")
        self.word = Label(parent)
        self.says = Label(parent)
        self.says.setTextFormat(Qt.TextFormat.PlainText)
        self.says.setWordWrap(True)
        self.says.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        mark(self.says, tone="soft")
        self.row = QHBoxLayout()
        self.row.setSpacing(GAP)
        for widget, stretch in ((self.name, 0), (self.word, 0), (self.says, 1)):
            self.row.addWidget(widget, stretch)

    def show(self, device: DeviceState | None) -> None:
        """Say whether the device was identified: until then nothing of it is trusted."""
        if device is None:
            word, tone, says = self.name.tr("looked for"), "faint", ""
        elif device.identity is not None and not device.trouble:
            word, tone, says = self.name.tr("identified"), "good", f"{device.identity} · {device.port}"
        else:
            word, tone = self.name.tr("not to be used"), "missed"
            says = device.trouble or self.name.tr("it has not said yet what it is")
        if (word, says) != (self.word.text(), self.says.text()):
            self.word.setText(word)
            mark(self.word, tone=tone)
            self.says.setText(says)
            self.says.setToolTip(as_tip(says))


class ChannelsPanel(QFrame):
    """Made anew for each rig; `asked` carries what somebody wants moved."""

    asked = Signal(object)  # Actuation

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: list[_Line] = []
        self._heads: dict[str, _Head] = {}
        self._controls: list[QWidget] = []
        mark(self, surface="panel")
        self._head = Label(self.tr("Devices, signals and controls by hand"), self)
        mark(self._head, tone="section")
        self._why = Label(self)
        mark(self._why, tone="faint")
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        row = QHBoxLayout()
        row.addWidget(self._head)
        row.addStretch(1)
        row.addWidget(self._why)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(GAP_S)
        layout.addLayout(row)
        layout.addWidget(self._scroll, 1)

    @property
    def controls(self) -> dict[str, ChannelControl]:
        """Give the controls by the names of their channels."""
        return {line.name: line.control for line in self._lines if line.control is not None}

    @property
    def values(self) -> dict[str, str]:
        """Give what stands beside each channel."""
        return {line.name: line.value.text() for line in self._lines}

    @property
    def verdicts(self) -> dict[str, str]:
        """Give the word beside each device."""
        return {name: head.word.text() for name, head in self._heads.items()}

    def show_rig(self, facts: Mapping[str, RigFacts]) -> None:
        """Make the lines of another rig."""
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, GAP, 0)
        column.setSpacing(GAP_S)
        self._lines, self._heads, self._controls = [], {}, []
        for device, fact in facts.items():
            head = self._heads[device] = _Head(device, inside)
            head.show(None)
            column.addLayout(head.row)
            column.addLayout(self._grid(device, fact, inside))
            column.addSpacing(GAP)
        column.addStretch(1)
        self._scroll.setWidget(inside)
        self.allow(False, "")

    def allow(self, is_armed: bool, why: str) -> None:
        """Let the controls live or not, and say why not."""
        for control in self._controls:
            control.setEnabled(is_armed)
        self._why.setText("" if is_armed else why)

    def show_devices(self, devices: Mapping[str, DeviceState]) -> None:
        """Show who was identified and who is gone."""
        for name, head in self._heads.items():
            head.show(devices.get(name))

    def show_values(
        self, readings: Mapping[str, Reading], history: Mapping[str, Sequence[tuple[float, float]]]
    ) -> None:
        """Show the newest readings."""
        now_s = time.monotonic()
        for line in self._lines:
            line.show(readings.get(line.name), history.get(line.name, ()), now_s)

    def _grid(self, device: str, facts: RigFacts, parent: QWidget) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(GAP, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_L)
        grid.setVerticalSpacing(GAP_S)
        for channel in facts.channels:
            line = _Line(self._theme, device, channel, parent)
            self._lines.append(line)
            row = grid.rowCount()
            for place, widget in enumerate((line.words, line.value, line.plot, line.limits)):
                grid.addWidget(widget, row, place)
            if line.control is not None:
                line.control.asked.connect(self.asked)
                self._controls.append(line.control)
                grid.addWidget(line.control, row, 4)
        for action in facts.actions:
            control = ActionControl(device, action, parent)
            control.asked.connect(self.asked)
            self._controls.append(control)
            grid.addWidget(control, grid.rowCount(), 0, 1, 5)
        grid.setColumnStretch(2, 1)
        return grid
