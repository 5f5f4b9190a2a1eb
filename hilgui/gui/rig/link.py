"""The screen's end of a rig: polled by a timer of the GUI thread, so that a frozen screen stops the rig."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from hilgui.errors import HilguiError
from hilgui.gui.errand import Errand, let_go
from hilgui.rigs.arming import Arming, State
from hilgui.rigs.cage import Margin
from hilgui.rigs.client import SupervisorClient
from hilgui.rigs.messages import DeviceState, Done, Event, Signals, Violated, Wire
from hilgui.rigs.protocol import Actuation, Perform, Reading, SetValue
from hilgui.rigs.transcript import Entry

POLL_MS = 20  # the supervisor wants a sign of life every 50 ms
HISTORY = 600  # readings kept of a channel: a minute at ten a second
_PATIENCE_S = 12.0


class RigLink(QObject):
    """Owns the supervisor's client; lives as long as the window. Starting and ending go on beside the GUI thread.

    Nothing here waits: requests go down a pipe, answers are fetched by the timer. `updated` comes at most once a poll.
    """

    opened = Signal()
    closed = Signal()
    state_changed = Signal()
    updated = Signal()  # readings, margins, devices
    wired = Signal(object)  # tuple[Entry, ...]
    told = Signal(str, str)  # tone, sentence: refusals, answers, violations
    failed = Signal(str, str)  # sentence, details

    def __init__(
        self,
        home: Path,
        parent: QObject | None = None,
        *,
        make_client: Callable[[Path, Path], SupervisorClient] = SupervisorClient,
    ) -> None:
        super().__init__(parent)
        self._home = home
        self._make_client = make_client
        self._client: SupervisorClient | None = None
        self._errand: Errand[SupervisorClient] | None = None
        self._ending: Errand[None] | None = None
        self._seen: tuple[object, ...] = ()
        self._asked: dict[int, Actuation] = {}
        self._reads: dict[int, str] = {}
        self.history: dict[str, deque[tuple[float, float]]] = {}
        self.readings: dict[str, Reading] = {}
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def client(self) -> SupervisorClient | None:
        """Give the client while a rig is open: its profile, facts, devices."""
        return self._client

    @property
    def is_opening(self) -> bool:
        """Say whether a rig is being opened."""
        return self._errand is not None

    @property
    def is_closing(self) -> bool:
        """Say whether the last rig is still being let go."""
        return self._ending is not None and self._ending.is_under_way

    @property
    def arming(self) -> Arming:
        """Give the arming state; that of the boot while no rig is open."""
        return Arming() if self._client is None else self._client.arming

    @property
    def state(self) -> State | None:
        """Give where the rig stands, None while none is open."""
        return None if self._client is None else self._client.arming.state

    @property
    def margins(self) -> tuple[Margin, ...]:
        """Give every invariant with its measure."""
        status = None if self._client is None else self._client.status
        return () if status is None else status.margins

    @property
    def blocked(self) -> dict[str, int]:
        """Give how many attempts to actuate were blocked, by reason."""
        return {} if self._client is None else self._client.blocked

    def open(self, profile: Path) -> None:
        """Start simulators and supervisor of a profile; `opened` or `failed` follows."""
        if self._client is not None or self._errand is not None or self.is_closing:
            return

        def start() -> SupervisorClient:
            client = self._make_client(profile, self._home)
            client.start()
            return client

        self._errand = Errand(self, "rig", start, self._on_started, self._on_failed)

    def close(self) -> None:
        """Let go of the rig: its outputs go to their safe state. `closed` comes when everything has ended."""
        client = self._client
        if client is None:
            return
        self._forget()
        self._ending = Errand(self, "rig end", client.close, lambda _: self.closed.emit(), self.failed.emit)
        self.state_changed.emit()

    def shut(self) -> None:
        """End everything and wait for it; for the end of the application."""
        self.close()
        if self._errand is not None:
            self._errand.wait(_PATIENCE_S)
            self._errand.forget()
            client = self._errand.answer
            self._errand = None
            if client is not None:
                client.close()
        let_go(_PATIENCE_S, self._ending)

    # -- what a person asks for ---------------------------------------------------------------------------------------

    def stop(self, by: str) -> None:
        """STOP (software): the bytes are on the wires before anything else happens."""
        self._ask(lambda client: client.stop(by))

    def select(self, by: str) -> None:
        """SHADOW to SAFE."""
        self._ask(lambda client: client.select(by))

    def release(self, by: str) -> None:
        """SAFE to SHADOW."""
        self._ask(lambda client: client.deselect(by))

    def arm(self, by: str) -> None:
        """Confirm for the first time: for moves by hand, without a run."""
        self._ask(lambda client: client.arm(by, needs_engine=False))

    def confirm(self, by: str) -> None:
        """Confirm for the second time, within 30 s."""
        self._ask(lambda client: client.confirm(by))

    def disarm(self, by: str) -> None:
        """Back to SAFE."""
        self._ask(lambda client: client.disarm(by))

    def hold(self, by: str) -> None:
        """Hold: motion stops, power stays."""
        self._ask(lambda client: client.pause(by))

    def resume(self, by: str) -> None:
        """Go on after a hold."""
        self._ask(lambda client: client.resume(by))

    def reset(self, by: str) -> None:
        """Clear the latch, as a named person."""
        self._ask(lambda client: client.reset(by))

    def command(self, what: Actuation) -> None:
        """Ask for an actuation; what became of it is told."""

        def send(client: SupervisorClient) -> None:
            self._asked[client.command(what)] = what

        self._ask(send)

    def read_rest(self) -> None:
        """Read every channel that is not watched by itself."""
        if self._client is None:
            return
        for device, facts in self._client.facts.items():
            for channel in facts.channels:
                if f"{device}.{channel.name}" not in self.history:
                    self._read(device, channel.name)

    def _read(self, device: str, channel: str) -> None:
        def send(client: SupervisorClient) -> None:
            self._reads[client.read(device, channel)] = f"{device}.{channel}"

        self._ask(send)

    def _ask(self, request: Callable[[SupervisorClient], object]) -> None:
        if self._client is None:
            return
        try:
            request(self._client)
        except HilguiError as failure:
            self._lose(str(failure))

    # -- what arrives -------------------------------------------------------------------------------------------------

    def _on_started(self, client: SupervisorClient) -> None:
        self._errand = None
        self._client = client
        self._seen = ()
        self.opened.emit()
        self._timer.start()
        self._poll()

    def _on_failed(self, sentence: str, details: str) -> None:
        self._errand = None
        self.failed.emit(sentence, details)

    def _poll(self) -> None:
        if self._client is None:
            return
        try:
            events = self._client.poll()
        except HilguiError as failure:
            self._lose(str(failure))
            return
        changed = [self._learn(event) for event in events]
        arming = self.arming
        seen = (arming.state, arming.since_ns, arming.reason, arming.by, arming.refusal, arming.is_verified)
        if seen != self._seen:
            if arming.refusal and arming.refusal != (self._seen[4] if self._seen else ""):
                self.told.emit("warning", arming.refusal)
            self._seen = seen
            self.state_changed.emit()
        if any(changed):
            self.updated.emit()

    def _learn(self, event: Event) -> bool:
        """Take one event; say whether the figures on the screen changed."""
        match event:
            case Signals(device, readings):
                now_s = time.monotonic()
                for reading in readings:
                    name = f"{device}.{reading.channel}"
                    self.readings[name] = reading
                    self.history.setdefault(name, deque(maxlen=HISTORY)).append((now_s, reading.value))
            case Wire(entries):
                self.wired.emit(entries)
                return False
            case Violated(_, severity, sentence):
                self.told.emit("warning" if severity == "block" else "error", sentence)
            case Done(number):
                self._answer(number, event)
            case DeviceState(name) if event.trouble:
                for channel in [each for each in self.readings if each.startswith(f"{name}.")]:
                    del self.readings[channel]  # an old value is no value
        return True

    def _answer(self, number: int, done: Done) -> None:
        name = self._reads.pop(number, None)
        if name is not None and done.reading is not None:
            self.readings[name] = done.reading
        what = self._asked.pop(number, None)
        if what is None:
            return
        words = in_words(what)
        if done.is_ok:
            if isinstance(what, SetValue) and f"{what.device}.{what.channel}" not in self.history:
                self._read(what.device, what.channel)  # what is not watched is read back once
            self.told.emit("good", self.tr("{what}: done").format(what=words))
        elif done.is_known:
            self.told.emit("warning", f"{words}: {done.sentence}")
        else:
            unknown = self.tr("{what}: nobody knows whether it was carried out: {why}")
            self.told.emit("error", unknown.format(what=words, why=done.sentence))

    def _lose(self, sentence: str) -> None:
        client = self._client
        self._forget()
        if client is not None:
            self._ending = Errand(self, "rig end", client.close, lambda _: self.closed.emit(), self.failed.emit)
        self.state_changed.emit()
        self.failed.emit(sentence, "")

    def _forget(self) -> None:
        self._timer.stop()
        self._client = None
        self._asked.clear()
        self._reads.clear()
        self.readings.clear()
        self.history.clear()


def in_words(what: Actuation) -> str:
    """Say an actuation in one line."""
    match what:
        case SetValue(device, channel, value):
            return f"{device}.{channel} = {value:g}"
        case Perform(device, action, arguments):
            given = ", ".join(f"{name} {value:g}" for name, value in arguments.items())
            return f"{device} {action}{f' ({given})' if given else ''}"


def line_of(entry: Entry, names: dict[str, str]) -> str:
    """Write one piece of the wire as a line: time, direction, device, bytes with the unprintable ones escaped."""
    at_s = entry.utc_ns / 1e9
    stamp = time.strftime("%H:%M:%S", time.localtime(at_s)) + f".{entry.utc_ns // 1_000_000 % 1000:03d}"
    said = entry.data.decode("ascii", "backslashreplace").encode("unicode_escape").decode("ascii")
    return (
        f"{stamp} {entry.direction.value} {names.get(entry.port, entry.port):<10} {said.replace(chr(92) * 2, chr(92))}"
    )
