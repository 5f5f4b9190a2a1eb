"""What an operator moves by hand: one control a writable channel, typed, limited, and dead unless the rig is armed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QWidget

from hilgui.gui.label import as_tip
from hilgui.gui.theme import GAP_S, mark
from hilgui.rigs.protocol import Action, Channel, Perform, SetValue

_WIDEST = 1e9  # of an argument without limits


def plainly(value: float) -> str:
    """Write a number with four digits, or all of those before the point: an up time of hours takes no exponent."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e12 else f"{value:.4g}"


class _Value(QDoubleSpinBox):
    """A number that is only sent when somebody presses Enter or the button, never by the wheel in passing."""

    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter as the wish to set."""
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()


class ChannelControl(QWidget):
    """A switch for a channel of two values, a limited number with a button for any other."""

    asked = Signal(object)  # SetValue

    def __init__(self, device: str, channel: Channel, parent: QWidget) -> None:
        super().__init__(parent)
        self._device, self._channel = device, channel
        name = f"{device}.{channel.name}"
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_S)
        self.value: _Value | None = None
        self.buttons: list[QPushButton] = []
        if not channel.unit and (channel.low, channel.high) == (0.0, 1.0):
            for words, value in ((self.tr("Off"), 0.0), (self.tr("On"), 1.0)):
                self._add_button(words, f"{name} {words}", lambda _=False, value=value: self._ask(value))
        else:
            self.value = _Value(self)
            self.value.setDecimals(3 if channel.high - channel.low < 100 else 1)
            self.value.setRange(channel.low, channel.high)
            self.value.setSuffix(f" {channel.unit}" if channel.unit else "")
            self.value.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.value.setAccessibleName(self.tr("New value of {0}").format(name))
            self.value.setToolTip(as_tip(f"{plainly(channel.low)} … {plainly(channel.high)} {channel.unit}".rstrip()))
            self.value.setFixedWidth(96)
            mark(self.value, kind="small")
            self.value.entered.connect(self._ask_value)
            row.addWidget(self.value)
            self._add_button(self.tr("Set"), self.tr("Set {0}").format(name), lambda _=False: self._ask_value())
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch(1)

    def _add_button(self, words: str, name: str, doer: Callable[..., object]) -> None:
        button = QPushButton(words, self)
        button.setAccessibleName(name)
        button.setAutoDefault(False)
        mark(button, kind="small")
        button.clicked.connect(doer)
        self.buttons.append(button)

    def _ask_value(self) -> None:
        if self.value is not None and self.value.isEnabled():
            self._ask(self.value.value())

    def _ask(self, value: float) -> None:
        self.asked.emit(SetValue(self._device, self._channel.name, value))


class ActionControl(QWidget):
    """A button for something that is no value, with a number for each argument."""

    asked = Signal(object)  # Perform

    def __init__(self, device: str, action: Action, parent: QWidget) -> None:
        super().__init__(parent)
        self._device, self._action = device, action
        self.button = QPushButton(action.name, self)
        self.button.setToolTip(as_tip(action.says))
        self.button.setAccessibleName(f"{device} {action.name}: {action.says}")
        self.button.setAutoDefault(False)
        mark(self.button, kind="small")
        self.button.clicked.connect(lambda _=False: self._ask())
        self.arguments: dict[str, QDoubleSpinBox] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_S)
        row.addWidget(self.button)
        for name in action.arguments:
            value = QDoubleSpinBox(self)
            value.setRange(-_WIDEST, _WIDEST)
            value.setPrefix(f"{name} ")
            value.setAccessibleName(f"{device} {action.name} {name}")
            value.setFixedWidth(130)
            mark(value, kind="small")
            self.arguments[name] = value
            row.addWidget(value)
        row.addStretch(1)

    def _ask(self) -> None:
        given = {name: value.value() for name, value in self.arguments.items()}
        self.asked.emit(Perform(self._device, self._action.name, given))
