"""The Rig page: choose a profile, watch its devices, arm it twice, move it by hand, stop it, reset it."""

from __future__ import annotations

import getpass
import shlex
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from hilgui.errors import BenchBroken
from hilgui.gui.label import Label, as_tip
from hilgui.gui.page import Bench, BenchPage
from hilgui.gui.rig.arm_panel import ArmPanel
from hilgui.gui.rig.channels import ChannelsPanel
from hilgui.gui.rig.chooser import Chooser
from hilgui.gui.rig.console import Console
from hilgui.gui.rig.link import RigLink
from hilgui.gui.rig.margins import MarginsPanel
from hilgui.gui.splitter import splitter
from hilgui.gui.theme import GAP, GAP_L, mark
from hilgui.rigs.arming import State
from hilgui.rigs.finding import PortFound

_PAINT_MS = 200  # values on the screen; the rig is polled by the link, page or no page


class RigPage(BenchPage):
    """Shows what the link knows; whatever it shows goes on when another page is in sight."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._link: RigLink = bench.rig
        theme = bench.theme
        self.chooser = Chooser(bench.memory, self)
        self.arm = ArmPanel(theme, self._link, bench.settings.operator or getpass.getuser(), self)
        self.channels = ChannelsPanel(theme, self)
        self.margins = MarginsPanel(theme, self)
        self.console = Console(theme, self)
        self._title = Label(self.tr("Rig"), self)
        self._name = Label(self)
        self._last = Label(self)
        self._close = QPushButton(self.tr("Close rig"), self)
        self._stack = QStackedWidget(self)
        self._paints = QTimer(self)
        self._paints.setInterval(_PAINT_MS)
        self._is_dirty = False
        self._build()
        self._connect()
        if self._link.client is not None:
            self._on_opened()

    # -- what the window asks ------------------------------------------------------------------------------------------

    def shortcuts(self) -> list[tuple[str, str]]:
        """List the keys of this page."""
        return [("F12", self.tr("STOP (software), on every page and in every dialog")), *self._keys]

    def refresh(self) -> None:
        """Look at profiles and ports while no rig is open."""
        if self._link.client is None:
            self._stack.setCurrentWidget(self.chooser)
            self.chooser.refresh()
            self.chooser.profiles.setFocus()
        else:
            self.setFocus()

    def hideEvent(self, event: QHideEvent) -> None:
        """List no ports while another page is in sight."""
        super().hideEvent(event)
        self.chooser.rest()

    def close_page(self) -> None:
        """End the threads of the page; the link is ended by the window."""
        self._paints.stop()
        self.chooser.close_chooser()

    @property
    def command(self) -> str:
        """Give the command that does the same at a terminal."""
        client = self._link.client
        if client is not None:
            return shlex.join(["hilgui", "rig", "console", str(client.profile.path)])
        looked = self.chooser.looked
        return "hilgui rig list" if looked is None else shlex.join(["hilgui", "rig", "check", str(looked.path)])

    # -- building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        mark(self._title, tone="heading")
        mark(self._name, tone="soft")
        mark(self._last, tone="soft")
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._last.setTextFormat(Qt.TextFormat.PlainText)
        self._close.setAutoDefault(False)
        copies = self.tr("Copy the command that does the same")
        command = self._tool("terminal", copies, "Ctrl+Shift+C", self.copy_command)
        head = QHBoxLayout()
        head.setSpacing(GAP)
        head.addWidget(self._title)
        head.addWidget(self._name)
        head.addStretch(1)
        for widget in (self._last, command, self._close):
            head.addWidget(widget)
        self._stack.addWidget(self.chooser)
        self._stack.addWidget(self._open_view())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_L, GAP, GAP_L, GAP)
        layout.setSpacing(GAP)
        layout.addLayout(head)
        layout.addWidget(self._stack, 1)
        for keys, words, doer in self._doers():
            self._bind(keys, words, doer)

    def _open_view(self) -> QWidget:
        left = splitter(Qt.Orientation.Vertical, self.arm, self.margins, stretch=(0, 1))
        left.setMinimumWidth(392)
        right = splitter(Qt.Orientation.Vertical, self.channels, self.console, stretch=(3, 2))
        right.setSizes([400, 220])
        whole = splitter(Qt.Orientation.Horizontal, left, right, stretch=(0, 1))
        whole.setSizes([410, 800])
        return whole

    def _doers(self) -> tuple[tuple[str, str, Callable[[], object]], ...]:
        press = self.arm.press
        return (
            ("Ctrl+Shift+L", self.tr("Select the rig: from SHADOW to SAFE"), lambda: press("select")),
            ("Ctrl+Shift+A", self.tr("ARM: the first confirmation"), lambda: press("arm")),
            ("Ctrl+Shift+Y", self.tr("The second confirmation, within 30 s"), lambda: press("confirm")),
            ("Ctrl+Shift+H", self.tr("Hold: motion stops, power stays on"), lambda: press("hold")),
            ("Ctrl+Shift+R", self.tr("Resume after a hold"), lambda: press("resume")),
            ("Ctrl+Shift+D", self.tr("Disarm"), lambda: press("disarm")),
            ("F5", self.tr("Read the channels that are not watched by themselves"), self._link.read_rest),
            ("Ctrl+F", self.tr("Filter the console"), self.console.filter.setFocus),
            ("Ctrl+P", self.tr("Hold the console still"), self.console.pause.toggle),
        )

    def _connect(self) -> None:
        link = self._link
        link.opened.connect(self._on_opened)
        link.closed.connect(self._on_closed)
        link.failed.connect(self._on_failed)
        link.state_changed.connect(self._on_state)
        link.updated.connect(self._on_updated)
        link.wired.connect(self.console.add)
        link.told.connect(self._on_told)
        self.chooser.asked.connect(self.open_rig)
        self.chooser.plugged.connect(self._on_plugged)
        self.channels.asked.connect(link.command)
        self.console.save.clicked.connect(lambda _=False: self._save_console())
        self._close.clicked.connect(lambda _=False: link.close())
        self._paints.timeout.connect(self._paint)
        self._close.hide()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # -- what happens -------------------------------------------------------------------------------------------------

    def open_rig(self, profile: Path) -> None:
        """Open a profile; devices appear as they say what they are."""
        self.chooser.setEnabled(False)
        self.chooser.rest()
        self._name.setText(self.tr("opening {0}…").format(profile.stem.replace("_", " ")))
        self._link.open(profile)

    def _on_opened(self) -> None:
        client = self._link.client
        assert client is not None
        self.chooser.setEnabled(True)
        self._name.setText(client.profile.name)
        self._last.clear()
        self.console.begin()
        self.channels.show_rig(client.facts)
        self.margins.show_invariants(client.profile.invariants)
        self._stack.setCurrentIndex(1)
        self._close.show()
        self._paints.start()
        if self.isVisible():
            self.setFocus()  # the keys of the page work at once
        self._on_state()

    def _on_failed(self, sentence: str, details: str) -> None:
        self.chooser.setEnabled(True)
        self.trouble.emit(sentence, details)
        self._show_closed()

    def _on_closed(self) -> None:
        self._show_closed()

    def _show_closed(self) -> None:
        if self._link.client is not None:
            return
        self._paints.stop()
        self._close.hide()
        self._name.clear()
        self._last.clear()
        if self.isVisible():
            self.refresh()
        else:
            self._stack.setCurrentWidget(self.chooser)

    def _on_state(self) -> None:
        state = self._link.state
        if state is None:
            self._close.setEnabled(False)
            return
        is_live = state in (State.ARMED, State.HOLD, State.STOPPING)
        self._close.setEnabled(not is_live)
        self._close.setToolTip(self.tr("Disarm first") if is_live else "")
        self.channels.allow(state is State.ARMED, self.tr("read only until the rig is ARMED"))

    def _on_updated(self) -> None:
        self._is_dirty = True

    def _paint(self) -> None:
        client = self._link.client
        if client is None or not self.isVisible() or not self._is_dirty:
            return
        self._is_dirty = False
        self.channels.show_devices(client.devices)
        self.channels.show_values(self._link.readings, self._link.history)
        self.margins.show_margins({margin.id: margin for margin in self._link.margins})
        for name, device in client.devices.items():
            self.console.name_port(device.port, name)

    def _on_told(self, tone: str, sentence: str) -> None:
        self._last.setText(sentence if len(sentence) < 110 else f"{sentence[:109]}…")
        self._last.setToolTip(as_tip(sentence))
        mark(self._last, tone={"error": "missed", "warning": "phantom"}.get(tone, tone))
        if tone == "error":
            self.message.emit("warning", sentence)

    def _on_plugged(self, came: list[PortFound], gone: list[PortFound]) -> None:
        for port in came:
            self.message.emit("info", self.tr("Plugged in: {0} ({1})").format(port.address, port.name))
        for port in gone:
            self.message.emit("warning", self.tr("Unplugged: {0} ({1})").format(port.address, port.name))

    def _save_console(self) -> None:
        path = self.console.ask_where()
        if path is None:
            return
        try:
            self.console.write(path)
        except BenchBroken as failure:
            self.message.emit("error", str(failure))
        else:
            self.message.emit("info", self.tr("Saved: {0}").format(path))
