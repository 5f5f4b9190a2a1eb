"""The other side of the supervisor: what front ends and the engine hold."""

from __future__ import annotations

import hashlib
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Mapping
from multiprocessing.context import SpawnProcess
from pathlib import Path

from hilgui.errors import SupervisorLost
from hilgui.processes import unheard_interrupts
from hilgui.rigs import supervisor
from hilgui.rigs.arming import Arming, State
from hilgui.rigs.bench import NOT_YET, facts_of
from hilgui.rigs.finding import find_port, found_ports
from hilgui.rigs.lines import Lines, connected
from hilgui.rigs.messages import (
    ArmingCase,
    ArmRig,
    Ask,
    Attest,
    Attested,
    ConfirmRig,
    DeselectRig,
    DeviceState,
    DisarmRig,
    Done,
    Event,
    Failed,
    Observe,
    PauseRig,
    Request,
    ResetRig,
    ResumeRig,
    SelectRig,
    StateChanged,
    Status,
    StopNow,
    StopTimed,
    Urgent,
)
from hilgui.rigs.profile import RigProfile, read_profile
from hilgui.rigs.protocol import Actuation, Identify, Query, Read
from hilgui.rigs.simulation import Simulation, simulated
from hilgui.rigs.urgency import be_responsive

BLOCKED = {  # counts of the supervisor, and the word for each
    "blocked_shadow": "shadow",
    "blocked_state": "state",
    "blocked_cage": "cage",
    "blocked_links": "link",
    "discarded_stale": "stale",
    "refused_from_engine": "engine",
}
BEAT_S = 0.05  # at the latest

_SILENT_S = 5.0  # of a supervisor that should speak five times a second
_CLOSE_S = 5.0


def rig_folder(home: Path, profile: RigProfile) -> Path:
    """Give where the latch and the journal of a rig live."""
    return home / "rigs" / profile.slug


class RigWatch:
    """The engine's end of a rig in shadow mode: signs of life and readings; it has no word for anything that moves."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._numbers = 0
        self._is_quick = False

    def beat(self) -> None:
        """Give a sign of life, at least every 50 ms; costs less than a microsecond, call it as often as you like."""
        if not self._is_quick:
            self._is_quick = True
            be_responsive()
        self._lines.pulse.beat()

    def attest(self, model_sha256: str, provider: str) -> None:
        """Say what really runs, from the facts in the run's header, before the rig is armed for it."""
        self._lines.send(Attest(Attested(model_sha256, provider)))

    def observe(self, signal: str, value: float) -> None:
        """Report a figure of the run to the cage: perception.latency_ms."""
        self._lines.send(Observe(signal, value))

    def query(self, what: Query) -> int:
        """Ask a device something; gives the number of its answer."""
        return self._ask(what)

    def stop(self, by: str, why: str = "STOP") -> None:
        """Stop everything, from any thread."""
        self._lines.stop(StopNow(by, why, time.monotonic_ns()))

    def poll(self) -> list[Event]:
        """Beat, and give the answers that have arrived, without waiting; raises SupervisorLost."""
        self.beat()
        return self._lines.drain()

    def close(self) -> None:
        """Let go; a supervisor that is armed for a run stops."""
        self._lines.close()

    def _ask(self, what: Query | Actuation) -> int:
        self._numbers += 1
        self._lines.send(Ask(self._numbers, what, time.monotonic_ns()))
        return self._numbers


class RigHand(RigWatch):
    """The engine's end in stimulus and closed loop: may also actuate, through the cage, while the rig is armed."""

    def command(self, what: Actuation) -> int:
        """Ask for an actuation; gives the number of its answer."""
        return self._ask(what)

    def watching(self) -> RigWatch:
        """Give the same end without the power to actuate, for a run that only watches; this one is not used again."""
        return RigWatch(self._lines)


class SupervisorClient:
    """The front end's end: owns the supervisor process. `poll` never waits and also beats; `stop` is for any thread.

    Call `poll` at least every 50 ms: a front end that does not for 500 ms while the rig is armed is taken for frozen,
    and the rig stops.
    """

    def __init__(
        self,
        profile_path: Path,
        home: Path,
        *,
        shadow: bool = False,
        debug: bool = False,
        main: Callable[[Lines, Lines | None, supervisor.Setup], None] = supervisor.main,
        on_state: Callable[[], object] = lambda: None,
    ) -> None:
        """Read the profile; nothing is opened yet. `main` is what the process runs. Raises ProfileBroken.

        `on_state` hears of each change of the arming state from the thread that polls; it must not wait for anything.
        """
        self.profile = read_profile(profile_path)
        self.facts = facts_of(self.profile)
        self.folder = rig_folder(home, self.profile)
        self.arming = Arming()
        self.devices: dict[str, DeviceState] = {}
        self.status: Status | None = None
        self.urgency = ""  # how soon the supervisor gets the processor, as it says
        self.stop_timed: StopTimed | None = None  # of the newest STOP from here
        self.simulation: Simulation | None = None
        self.profile_sha256 = hashlib.sha256(profile_path.read_bytes()).hexdigest()
        self._is_ready = False
        self._shadow = shadow
        self._debug = debug
        self._process: SpawnProcess | None = None
        self._main = main
        self._on_state = on_state
        self._lines: Lines | None = None
        self._engine_lines: Lines | None = None
        self._waiting: deque[Event] = deque()
        self._numbers = 0
        self._heard_s = 0.0

    @property
    def pid(self) -> int | None:
        """Give the process id of the supervisor."""
        return None if self._process is None else self._process.pid

    @property
    def blocked(self) -> dict[str, int]:
        """Give how many attempts to actuate the supervisor has blocked, by reason, as it said last."""
        counts = {} if self.status is None else self.status.counts
        return {word: counts[name] for name, word in BLOCKED.items() if counts.get(name)}

    @property
    def is_alive(self) -> bool:
        """Say whether the supervisor runs."""
        return self._process is not None and self._process.is_alive()

    def start(self, *, with_engine: bool = False, addresses: Mapping[str, str] | None = None) -> RigWatch | None:
        """Find the ports, start simulators and the supervisor. With an engine, gives the engine's end.

        That end is a RigWatch in shadow mode and a RigHand otherwise; its pipe may be handed to another process.
        Raises RigLost, ProfileBroken.
        """
        self.close()
        devices = simulated(self.profile)
        if devices and addresses is None:
            self.simulation = Simulation(devices)
        found = dict(addresses or (self.simulation.addresses if self.simulation else {}))
        try:
            ports = found_ports()
            for device in self.profile.devices:
                if device.name not in found:
                    found[device.name] = find_port(device, ports)
        except BaseException:
            self.close()
            raise
        context = multiprocessing.get_context("spawn")
        be_responsive()
        self._lines, theirs = connected(context)
        self._engine_lines, engine = connected(context) if with_engine else (None, None)
        setup = supervisor.Setup(
            self.profile, found, self.folder, not self._shadow, with_engine, self.profile_sha256, self._debug
        )
        self._process = context.Process(target=self._main, args=(theirs, engine, setup), name="hilgui-supervisor")
        with unheard_interrupts():
            self._process.start()
        self._heard_s = time.monotonic() + 4 * _SILENT_S  # it has to start first
        self._is_ready = False
        self.devices.clear()
        theirs.close()
        if engine is None or self._engine_lines is None:
            return None
        engine.close()
        return (RigWatch if self._shadow else RigHand)(self._engine_lines)

    def select(self, by: str) -> None:
        """Select the rig: SHADOW to SAFE."""
        self._send(SelectRig(by))

    def deselect(self, by: str) -> None:
        """Let go of the rig: SAFE to SHADOW."""
        self._send(DeselectRig(by))

    def arm(self, by: str, case: ArmingCase | None = None, *, needs_engine: bool = True) -> None:
        """Confirm for the first time."""
        self._send(ArmRig(by, case or ArmingCase(), needs_engine))

    def confirm(self, by: str, case: ArmingCase | None = None) -> None:
        """Confirm for the second time, within 30 s."""
        self._send(ConfirmRig(by, case or ArmingCase()))

    def disarm(self, by: str) -> None:
        """Go back to SAFE."""
        self._send(DisarmRig(by))

    def pause(self, by: str) -> None:
        """Hold."""
        self._send(PauseRig(by))

    def resume(self, by: str) -> None:
        """Go on after a hold."""
        self._send(ResumeRig(by))

    def stop(self, by: str, why: str = "STOP") -> None:
        """STOP (software), from any thread: the bytes are on the wires before anything else happens."""
        self._opened().stop(StopNow(by, why, time.monotonic_ns()))

    def reset(self, by: str) -> None:
        """Clear the latch, as a person: LATCHED to SAFE."""
        self._send(ResetRig(by))

    def query(self, what: Query) -> int:
        """Ask a device something; its answer is a Done with this number."""
        return self._ask(what)

    def command(self, what: Actuation) -> int:
        """Ask for an actuation; its answer is a Done with this number."""
        return self._ask(what)

    def read(self, device: str, channel: str) -> int:
        """Ask for one reading."""
        return self._ask(Read(device, channel))

    def identify(self, device: str) -> int:
        """Ask a device what it is."""
        return self._ask(Identify(device))

    def beat(self) -> None:
        """Give a sign of life, at least every 50 ms; costs less than a microsecond."""
        if self._lines is not None:
            self._lines.pulse.beat()

    def poll(self) -> list[Event]:
        """Beat, and give what has arrived; raises SupervisorLost when the supervisor ended or says nothing for 5 s."""
        lines = self._opened()
        lines.pulse.beat()
        events = [*self._waiting, *lines.drain()]
        self._waiting.clear()
        now_s = time.monotonic()
        if events:
            self._heard_s = max(self._heard_s, now_s)
        elif now_s - self._heard_s > _SILENT_S:
            raise SupervisorLost("the rig supervisor says nothing; use the emergency stop, then open the rig again")
        for event in events:
            self._learn(event)
        return events

    def wait_ready(self, timeout_s: float = 30.0) -> Arming:
        """Poll until the supervisor has said where it stands and every device was found or given up."""

        def is_ready() -> bool:
            tried = [state.identity or state.trouble != NOT_YET for state in self.devices.values()]
            return self._is_ready and len(tried) == len(self.profile.devices) and all(tried)

        return self._wait(is_ready, "the supervisor is not ready", timeout_s)

    def wait_for(self, *states: State, timeout_s: float = 10.0) -> Arming:
        """Poll until the rig is in one of the states; for the command line and tests. Raises SupervisorLost."""
        return self._wait(lambda: self.arming.state in states, f"the rig is not {states[0].value}", timeout_s)

    def wait_verified(self, timeout_s: float = 10.0) -> Arming:
        """Poll until the outputs are read back as off."""
        return self._wait(lambda: self.arming.is_verified, "the outputs are not read back as off", timeout_s)

    def answer(self, number: int, timeout_s: float = 10.0) -> Done:
        """Poll until the answer to a question has come; for the command line and tests. Raises SupervisorLost."""
        deadline = time.monotonic() + timeout_s
        kept: list[Event] = []
        while time.monotonic() < deadline:
            for event in self.poll():
                if isinstance(event, Done) and event.number == number:
                    self._waiting.extend(kept)
                    return event
                kept.append(event)
            self._pause()
        raise SupervisorLost(f"no answer to question {number} within {timeout_s:g} s")

    def kill(self) -> None:
        """Kill the supervisor, for tests of what happens then."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the supervisor by closing its pipe, and the simulators; may be called twice."""
        if self._lines is not None:
            self._lines.close()
        if self._process is not None:
            self._process.join(_CLOSE_S)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()
            self._process = None
        for lines in (self._lines, self._engine_lines):
            if lines is not None:
                lines.pulse.close()
        self._lines = self._engine_lines = None
        if self.simulation is not None:
            self.simulation.close()
            self.simulation = None

    def _wait(self, holds: Callable[[], bool], otherwise: str, timeout_s: float) -> Arming:
        deadline = time.monotonic() + timeout_s
        while True:
            self.poll()
            if holds():
                return self.arming
            if time.monotonic() > deadline:
                arming = self.arming
                why = arming.refusal or arming.reason
                raise SupervisorLost(f"{otherwise} within {timeout_s:g} s but {arming.state.value}: {why}")
            self._pause()

    def _pause(self) -> None:
        if self._lines is not None:
            self._lines.wait(BEAT_S / 5)

    def _learn(self, event: Event) -> None:
        match event:
            case StateChanged(arming):
                self.arming, self._is_ready = arming, True
                self._on_state()
            case Status(_, arming):
                self.arming, self.status = arming, event
            case StopTimed():
                self.stop_timed = event
            case Urgent(scheduling):
                self.urgency = scheduling
            case DeviceState(name):
                self.devices[name] = event
            case Failed(sentence):
                raise SupervisorLost(sentence)

    def _ask(self, what: Query | Actuation) -> int:
        self._numbers += 1
        self._send(Ask(self._numbers, what, time.monotonic_ns()))
        return self._numbers

    def _send(self, request: Request) -> None:
        self._opened().send(request)

    def _opened(self) -> Lines:
        if self._lines is None:
            raise SupervisorLost("the rig supervisor is not running; open the rig again")
        return self._lines
