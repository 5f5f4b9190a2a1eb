"""The front end's side of a case's rig: one half may look, the other may also move."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

from hilgui.errors import CaseBroken
from hilgui.evidence import StatesKeeper
from hilgui.rigs.arming import State
from hilgui.rigs.client import RigHand, RigWatch, SupervisorClient
from hilgui.rigs.messages import ArmingCase, Done, Signals, Violated
from hilgui.rigs.protocol import Actuation, Read, Reading
from hilgui.sequencer.fitting import unknown_channel


class RigEyes:
    """Looks at a rig; has no word for anything that moves. In shadow mode its supervisor makes no writer either."""

    def __init__(self, profile: Path, home: Path, *, shadow: bool = True) -> None:
        """Read the profile; nothing is opened yet. Raises ProfileBroken."""
        self._keeper = StatesKeeper(home)
        self._client = SupervisorClient(profile, home, shadow=shadow, on_state=self._keeper.note)
        self._done: dict[int, Done] = {}
        self._newest: dict[str, Reading] = {}
        self._engine: RigWatch | None = None
        self.counts: Counter[str] = Counter()

    @property
    def is_simulated(self) -> bool:
        """Say whether every device is simulated."""
        return all(device.port.simulator for device in self._client.profile.devices)

    @property
    def state(self) -> State:
        """Give the arming state."""
        return self._client.arming.state

    @property
    def reason(self) -> str:
        """Say why the rig is in its state, or why it refused to leave it."""
        return self._client.arming.refusal or self._client.arming.reason

    @property
    def blocked(self) -> dict[str, int]:
        """Give how many attempts to actuate were blocked since the rig was opened, by reason."""
        return self._client.blocked

    @property
    def name(self) -> str:
        """Give the name of the rig."""
        return self._client.profile.name

    @property
    def identities(self) -> dict[str, str]:
        """Say what each device says that it is."""
        return {name: str(each.identity) for name, each in self._client.devices.items() if each.identity is not None}

    def open(self, *, with_engine: bool) -> None:
        """Start simulators and supervisor, and wait for the devices; raises RigLost, SupervisorLost, CaseBroken."""
        self._engine = self._client.start(with_engine=with_engine)
        self._client.wait_ready()
        lost = [f"{name}: {each.trouble}" for name, each in self._client.devices.items() if each.trouble]
        if lost:
            raise CaseBroken(f"the rig {self.name} is not ready: {'; '.join(lost)}")

    def take_watch(self) -> RigWatch | None:
        """Give the engine's end, for good, without anything that moves."""
        engine, self._engine = self._engine, None
        return engine.watching() if isinstance(engine, RigHand) else engine

    def poll(self) -> None:
        """Beat and take what has arrived; raises SupervisorLost."""
        for event in self._client.poll():
            match event:
                case Done(number):
                    self._done[number] = event
                case Signals(device, readings):
                    self._newest |= {f"{device}.{reading.channel}": reading for reading in readings}
                case Violated():
                    self.counts["violations"] += 1

    def read(self, signal: str) -> int:
        """Ask for a reading; its answer comes by `answer`."""
        self._refuse_unknown(signal, is_set=False)
        device, _, channel = signal.partition(".")
        return self._client.query(Read(device, channel))

    def answer(self, number: int) -> Done | None:
        """Give the answer to a question, None while there is none."""
        return self._done.pop(number, None)

    def inject(self, device: str, kind: str, arguments: tuple[str, ...]) -> None:
        """Make a simulated device fail; raises CaseBroken where it is real."""
        simulation = self._client.simulation
        if simulation is None or device not in simulation.addresses:
            raise CaseBroken(f"{device} is no simulated device; faults are injected into simulators only")
        simulation.call(device, kind, *arguments)

    def stop(self, by: str, why: str) -> None:
        """STOP (software)."""
        self.counts["stops"] += 1
        self._client.stop(by, why)

    def close(self) -> None:
        """Let go; outputs go to their safe state, and the last arming states into the journal."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._client.close()
        self._keeper.close()

    def _refuse_unknown(self, signal: str, *, is_set: bool) -> None:
        if why := unknown_channel(signal, self._client.facts, is_set=is_set):
            raise CaseBroken(why)


class RigDesk(RigEyes):
    """Moves a rig as well, through its cage, while it is armed; made for stimulus and closed loop only."""

    def __init__(self, profile: Path, home: Path) -> None:
        super().__init__(profile, home, shadow=False)

    def take_hand(self) -> RigHand:
        """Give the engine's end, for good, with the power to actuate: for the controller of a closed loop."""
        engine, self._engine = self._engine, None
        assert isinstance(engine, RigHand)
        return engine

    def select(self, by: str) -> None:
        """SHADOW to SAFE."""
        self._client.select(by)

    @property
    def is_verified(self) -> bool:
        """Say whether the outputs are read back as off."""
        return self._client.arming.is_verified

    def arm(self, by: str, case: ArmingCase, *, needs_engine: bool) -> None:
        """Confirm for the first time."""
        self._client.arm(by, case, needs_engine=needs_engine)

    def confirm(self, by: str, case: ArmingCase) -> None:
        """Confirm for the second time."""
        self._client.confirm(by, case)

    def disarm(self, by: str) -> None:
        """Back to SAFE."""
        self._client.disarm(by)

    def reset(self, by: str) -> None:
        """Clear the latch, as a person."""
        self._client.reset(by)

    def command(self, what: Actuation) -> int:
        """Ask for an actuation; its answer comes by `answer`."""
        return self._client.command(what)

    def set_point(self, signal: str) -> tuple[str, str]:
        """Split a signal that can be set; raises CaseBroken for one that cannot."""
        self._refuse_unknown(signal, is_set=True)
        device, _, channel = signal.partition(".")
        return device, channel

    def arming_case(self, model_sha256: str, provider: str) -> ArmingCase:
        """Say what has to be the same at both confirmations."""
        identities = tuple(sorted(self.identities.items()))
        return ArmingCase(model_sha256, provider, self._client.profile_sha256, identities)


def value_of(done: Done) -> float:
    """Give the value of an answer, NaN where it is none."""
    return math.nan if done.reading is None else done.reading.value
