"""Which rig: shipped, recent and other profiles, what is wrong with one and where, and the ports of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from hilgui.errors import HilguiError
from hilgui.gui.errand import Errand, let_go
from hilgui.gui.label import Label, as_tip
from hilgui.gui.memory import Memory
from hilgui.gui.short_numbers import amount
from hilgui.gui.theme import GAP, GAP_L, GAP_S, mark
from hilgui.resources import shipped
from hilgui.rigs.bench import facts_of
from hilgui.rigs.finding import PortFound, found_ports
from hilgui.rigs.profile import PortWish, RigProfile, read_profile

RECENT = "recent_rigs"
_FOLDERS = ("assets/rigs", "testcases/rigs")
_LOOK_MS = 1500
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Looked:
    """A profile that was looked at: what it says, or why it cannot be used."""

    path: Path
    profile: RigProfile | None
    sentence: str  # of what is wrong
    is_simulated: bool = False
    channels: int = 0


def look_at(path: Path) -> Looked:
    """Read a profile; what is wrong is a sentence with its line."""
    try:
        profile = read_profile(path)
        facts = facts_of(profile)
    except HilguiError as failure:
        return Looked(path, None, str(failure))
    is_simulated = all(device.port.simulator for device in profile.devices)
    return Looked(path, profile, "", is_simulated, sum(len(each.channels) for each in facts.values()))


def shipped_profiles() -> list[Path]:
    """List the profiles that come with hilgui."""
    return [path for folder in _FOLDERS for path in sorted(shipped(folder).glob("*.yaml"))]


class Chooser(QWidget):
    """What the Rig page shows while no rig is open. Files and ports are looked at beside the GUI thread."""

    asked = Signal(object)  # Path of a profile
    plugged = Signal(object, object)  # list[PortFound] that came, that went

    def __init__(
        self, memory: Memory, parent: QWidget, *, ports: Callable[[], Sequence[PortFound]] = found_ports
    ) -> None:
        super().__init__(parent)
        self._memory = memory
        self._find_ports = ports
        self._known: list[PortFound] | None = None
        self._looked: Looked | None = None
        self._errand: Errand[Looked] | None = None
        self._listing: Errand[Sequence[PortFound]] | None = None
        self.profiles = QListWidget(self)
        self.profiles.setAccessibleName(self.tr("Rig profiles"))
        self.file = QPushButton(self.tr("Other file…"), self)
        self.title = Label(self)
        self.verdict = Label(self)
        self.details = QPlainTextEdit(self)
        self.start = QPushButton(self)
        self.ports = QListWidget(self)
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self.look_for_ports)
        self.profiles.currentItemChanged.connect(lambda now, _: self._look(now))
        self.profiles.itemActivated.connect(lambda _: self.start.click())
        self.file.clicked.connect(lambda _=False: self._choose_file())
        self.start.clicked.connect(lambda _=False: self._ask())

    @property
    def looked(self) -> Looked | None:
        """Give the profile that is shown."""
        return self._looked

    def refresh(self) -> None:
        """List profiles and ports, and go on listing ports."""
        chosen = self._chosen()
        self.profiles.clear()
        recent = [path for path in self._memory.existing(RECENT) if path not in shipped_profiles()]
        for words, paths in ((self.tr("Shipped"), shipped_profiles()), (self.tr("Recent"), recent)):
            for path in paths:
                self._add(path, words)
        self.choose(chosen or self._last())
        self.look_for_ports()
        self._timer.start()

    def rest(self) -> None:
        """List no ports while nobody looks."""
        self._timer.stop()

    def close_chooser(self) -> None:
        """End the threads."""
        self._timer.stop()
        let_go(_PATIENCE_S, self._errand, self._listing)

    def choose(self, path: Path | None) -> None:
        """Go to a profile, the first one where it is none of these."""
        rows = [self.profiles.item(row) for row in range(self.profiles.count())]
        found = next((item for item in rows if item.data(Qt.ItemDataRole.UserRole) == path), None)
        if found is None and path is not None and path.is_file():
            found = self._add(path, self.tr("File"))
        if found is None and rows:
            found = rows[0]
        if found is not None:
            self.profiles.setCurrentItem(found)

    def look_for_ports(self) -> None:
        """Ask the system for its ports, on a thread: some drivers take their time."""
        if self._listing is not None and self._listing.is_under_way:
            return
        self._listing = Errand(self, "ports", self._find_ports, self._show_ports, lambda said, _: self._say_ports(said))

    def _last(self) -> Path | None:
        recent = self._memory.existing(RECENT)
        return recent[0] if recent else None

    def _chosen(self) -> Path | None:
        item = self.profiles.currentItem()
        return None if item is None else Path(item.data(Qt.ItemDataRole.UserRole))

    def _add(self, path: Path, kind: str) -> QListWidgetItem:
        item = QListWidgetItem(f"{path.stem.replace('_', ' ')}  ·  {kind}", self.profiles)
        item.setData(Qt.ItemDataRole.UserRole, path)
        item.setToolTip(as_tip(str(path)))
        return item

    def _choose_file(self) -> None:
        kinds = self.tr("Rig profiles (*.yaml *.yml);;All files (*)")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Open a rig profile"), "", kinds)
        if chosen:
            self.choose(Path(chosen))

    def _look(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        path: Path = item.data(Qt.ItemDataRole.UserRole)
        if self._errand is not None:
            self._errand.forget()
        self.start.setEnabled(False)
        self._errand = Errand(self, "rig profile", lambda: look_at(path), self._show, self._say_broken)

    def _say_broken(self, sentence: str, _: str) -> None:
        path = self._chosen()
        if path is not None:
            self._show(Looked(path, None, sentence))

    def _show(self, looked: Looked) -> None:
        self._looked = looked
        profile = looked.profile
        self.title.setText(looked.path.name if profile is None else profile.name)
        if profile is None:
            self.verdict.setText(self.tr("cannot be used"))
            mark(self.verdict, tone="missed")
            self.details.setPlainText(looked.sentence)
        else:
            self.verdict.setText(self.tr("simulated: no hardware needed") if looked.is_simulated else self.tr("valid"))
            mark(self.verdict, tone="good")
            self.details.setPlainText("\n".join(self._lines(looked, profile)))
        words = self.tr("Start the simulated bench") if looked.is_simulated else self.tr("Open the rig")
        self.start.setText(words)
        self.start.setEnabled(profile is not None)

    def _lines(self, looked: Looked, profile: RigProfile) -> list[str]:
        channels = amount(looked.channels, self.tr("1 channel"), self.tr("{0} channels"))
        lines = [str(looked.path), "", self.tr("Devices ({0})").format(channels)]
        for device in profile.devices:
            lines.append(f"  {device.name}: {device.driver}, {_where(device.port)}")
            if device.silent:
                lines.append(self.tr("      when the host falls silent: {0}").format(device.silent))
        lines += ["", self.tr("Hazards")]
        lines += [f"  {hazard.id} ({hazard.severity}) {hazard.text}" for hazard in profile.hazards]
        lines += ["", self.tr("Invariants")]
        lines += [
            f"  {each.id}: {each.signal} {each.limit_text()}, {each.severity.value}" for each in profile.invariants
        ]
        return lines

    def _ask(self) -> None:
        if self._looked is not None and self._looked.profile is not None:
            self._memory.add(RECENT, str(self._looked.path))
            self.asked.emit(self._looked.path)

    def _show_ports(self, ports: Sequence[PortFound]) -> None:
        before = self._known
        self._known = list(ports)
        if before is not None:
            came = [port for port in ports if port not in before]
            gone = [port for port in before if port not in ports]
            if came or gone:
                self.plugged.emit(came, gone)
        if before == self._known and self.ports.count():
            return
        self.ports.clear()
        for port in self._known:
            told = " · ".join(filter(None, (port.name, port.vid_pid, port.usb_serial)))
            item = QListWidgetItem(f"{port.address}\n{told} · {self.tr('not identified')}", self.ports)
            item.setToolTip(
                self.tr("What hangs on a port counts only after it has said what it is: name it in a profile.")
            )
        if not self._known:
            self._say_ports(self.tr("No serial port. Plug a device in: it appears here by itself."))

    def _say_ports(self, sentence: str) -> None:
        self.ports.clear()
        item = QListWidgetItem(sentence, self.ports)
        item.setFlags(Qt.ItemFlag.NoItemFlags)

    def _build(self) -> None:
        self.details.setReadOnly(True)
        self.details.setAccessibleName(self.tr("What the profile says, or what is wrong with it"))
        mark(self.details, tone="mono")
        mark(self.title, tone="heading")
        mark(self.start, kind="primary")
        self.start.setAutoDefault(True)
        self.start.setEnabled(False)
        self.ports.setWordWrap(True)
        self.ports.setAccessibleName(self.tr("Serial ports of this machine"))
        hint = Label(
            self.tr(
                "Open a rig to read its signals. Nothing moves before you arm it, twice. Without hardware, start a "
                "simulated bench: it speaks the same bytes. STOP here is software; the emergency stop stays wired."
            ),
            self,
        )
        hint.setWordWrap(True)
        mark(hint, tone="soft")
        top = QHBoxLayout()
        top.addWidget(self.title)
        top.addSpacing(GAP)
        top.addWidget(self.verdict)
        top.addStretch(1)
        top.addWidget(self.start)
        columns = QHBoxLayout()
        columns.setSpacing(GAP_L)
        left = self._panel(self.tr("Rig profiles"), self.profiles, self.file)
        middle = QFrame(self)
        mark(middle, surface="panel")
        inside = QVBoxLayout(middle)
        inside.setContentsMargins(GAP_L, GAP, GAP_L, GAP_L)
        inside.setSpacing(GAP)
        inside.addLayout(top)
        inside.addWidget(hint)
        inside.addWidget(self.details, 1)
        right = self._panel(self.tr("Serial ports, as they come and go"), self.ports)
        for widget, stretch in ((left, 3), (middle, 6), (right, 3)):
            columns.addWidget(widget, stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(columns)

    def _panel(self, words: str, *widgets: QWidget) -> QFrame:
        panel = QFrame(self)
        mark(panel, surface="panel")
        head = Label(words, panel)
        mark(head, tone="section")
        inside = QVBoxLayout(panel)
        inside.setContentsMargins(GAP, GAP, GAP, GAP)
        inside.setSpacing(GAP_S)
        inside.addWidget(head)
        for widget in widgets:
            inside.addWidget(widget)
        return panel


def _where(wish: PortWish) -> str:
    name, value = next((name, value) for name, value in wish.model_dump().items() if value is not None)
    return "simulator" if name == "simulator" else f"{name} {value}"
