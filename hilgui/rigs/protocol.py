"""What a rig driver is: something that may be read, and apart from it something that may actuate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from hilgui.rigs.transport import Link

DRIVERS = "hilgui.rig_drivers"
SIMULATORS = "hilgui.rig_simulators"

MAX_DEAD_MAN_MS = 250.0  # of the device, after its last keep-alive
KEEP_ALIVE_S = 0.05


class StopCategory(IntEnum):
    """The stop categories of IEC 60204-1 (9.2.2)."""

    CUT_POWER = 0  # remove power at once
    RAMP_THEN_CUT = 1  # decelerate, then remove power
    RAMP_AND_HOLD = 2  # decelerate, power stays on


class DeadManKind(Enum):
    """What stops a device when the host falls silent."""

    NONE = "none"  # nothing does: a hazardous channel of it cannot be armed
    DEVICE = "device"  # the device's own watchdog, fed by keep_alive
    RELAY = "relay"  # a power relay that drops by itself, fed by another device of the profile


@dataclass(frozen=True, slots=True)
class DeadMan:
    """The watchdog of one device; `says` is for the operator: "firmware watchdog, all outputs off"."""

    kind: DeadManKind
    timeout_ms: float = 0.0
    says: str = ""

    @property
    def is_enough(self) -> bool:
        """Say whether hazardous channels may be armed with it."""
        return self.kind is not DeadManKind.NONE and 0 < self.timeout_ms <= MAX_DEAD_MAN_MS


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity of a device: read, or read and set."""

    name: str  # "voltage", "x", "relay3"
    unit: str  # "V", "mm", "%", "" for a switch (0 or 1)
    low: float
    high: float
    is_writable: bool = False
    is_hazardous: bool = False  # moves, heats or powers something
    safe: float | None = None  # value in the safe state; None: it has none (a position, a measurement)
    tolerance: float = 0.0  # of a read-back against what was set


@dataclass(frozen=True, slots=True)
class Action:
    """Something a device can do that is no value: home, zero, trigger."""

    name: str
    says: str
    is_hazardous: bool = True
    arguments: tuple[str, ...] = ()  # names of what it takes; others are refused


@dataclass(frozen=True, slots=True)
class RigFacts:
    """What a driver says about a device before anything is opened."""

    channels: tuple[Channel, ...]
    dead_man: DeadMan
    # How each category is done: "soft reset 0x18". A missing one falls to a lower: a pause of the rig cuts a device
    # without RAMP_AND_HOLD. A driver whose device has nothing that moves says that in category 2 outputs stay.
    stops: Mapping[StopCategory, str]
    actions: tuple[Action, ...] = ()
    poll_s: float = 0.1  # how often the supervisor reads the signals

    @property
    def is_hazardous(self) -> bool:
        """Say whether any channel or action of it is hazardous."""
        return any(channel.is_hazardous for channel in self.channels) or any(a.is_hazardous for a in self.actions)

    def channel(self, name: str) -> Channel | None:
        """Find a channel by name."""
        return next((channel for channel in self.channels if channel.name == name), None)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device answered when asked what it is."""

    maker: str
    model: str
    version: str
    serial: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.maker, self.model, self.version, self.serial and f"#{self.serial}")))


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one channel; NaN where the device answered something that is no number."""

    channel: str
    value: float
    unit: str
    read_ns: int  # monotonic, when the answer arrived


@dataclass(frozen=True, slots=True)
class StopBytes:
    """A stop as bytes made in advance: written over the head of whatever the driver is doing."""

    data: bytes
    gap_s: float = 0.0  # silence before it, where a frame is ended by silence (Modbus RTU: 3.5 characters)


@dataclass(frozen=True, slots=True)
class DeviceSpec:
    """One device as the profile describes it; what a driver is made with."""

    name: str
    driver: str
    options: Mapping[str, Any] = field(default_factory=dict)  # the driver's own; it checks them in `facts`
    identity: str = ""  # must occur in the identity, "" accepts any of its kind


# What can be asked for. A query never changes an output; an actuation always may. The two share no base, so a function
# that takes a Query cannot be given an Actuation.


@dataclass(frozen=True, slots=True)
class Identify:
    """Ask a device what it is."""

    device: str


@dataclass(frozen=True, slots=True)
class Read:
    """Read one channel."""

    device: str
    channel: str


@dataclass(frozen=True, slots=True)
class SetValue:
    """Set one channel, in its unit."""

    device: str
    channel: str
    value: float


@dataclass(frozen=True, slots=True)
class Perform:
    """Do one of the device's actions."""

    device: str
    action: str
    arguments: Mapping[str, float] = field(default_factory=dict)


Query = Identify | Read
Actuation = SetValue | Perform


@runtime_checkable
class RigReader(Protocol):
    """May look, cannot touch: all that shadow mode ever holds.

    Everything runs on one thread of the supervisor. Each call returns within 0.5 s or raises a RigBroken; no vendor's
    exception leaves it. It writes only bytes for which its driver's `is_query` is true: the link refuses the others.
    """

    def identify(self) -> Identity:
        """Ask what the device is, after throwing away old input; RigIdentityWrong for another kind or version."""
        ...

    def read(self, channel: str) -> Reading:
        """Read one channel now; raises RigRefused for a channel that it does not have."""
        ...

    def signals(self) -> tuple[Reading, ...]:
        """Read everything that is worth watching, in as few round trips as the device allows."""
        ...

    def close(self) -> None:
        """Let go of what the reader owns, not of the link; may be called twice, must not raise."""
        ...


@runtime_checkable
class RigWriter(RigReader, Protocol):
    """May actuate; made in SAFE or later, when a person has selected the rig, never in shadow mode."""

    def set(self, channel: str, value: float) -> None:
        """Set a channel, in its unit, and wait for the device to acknowledge; RigRefused out of range, nothing sent."""
        ...

    def perform(self, action: str, arguments: Mapping[str, float]) -> None:
        """Start an action; returns when the device has taken it, not when it is done."""
        ...

    def stop(self, category: StopCategory) -> None:
        """Stop as the facts say; sends its bytes first and asks afterwards. Within one second.

        After an urgent stop, answers to its bytes and to what they went over may still come in: throw them away.
        """
        ...

    def stop_bytes(self, category: StopCategory) -> StopBytes:
        """Give the bytes of a stop, made without I/O; another thread writes them while a call here may be waiting.

        After them the supervisor calls `stop` on the usual thread, so that the driver finds its feet again.
        """
        ...

    def safe_state(self) -> None:
        """Put every output at its safe value; called on every way out, possibly twice. Within one second.

        Raises RigBroken when the device does not acknowledge; the supervisor then cuts its power relay and latches.
        """
        ...

    def keep_alive(self) -> None:
        """Feed the dead-man; called every 50 ms while the state is ARMED or HOLD. Nothing to do without one."""
        ...


class RigDriver(Protocol):
    """The target of an entry point in `hilgui.rig_drivers`: a class made without arguments, which opens nothing."""

    name: ClassVar[str]

    def facts(self, device: DeviceSpec) -> RigFacts:
        """Say what the device has, without I/O; raises ProfileBroken for options that it does not know."""
        ...

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """Say whether these bytes, one whole write, change nothing: an allowlist, false for anything unknown."""
        ...

    def reader(self, device: DeviceSpec, link: Link) -> RigReader:
        """Make the read-only half on a link that refuses everything but queries."""
        ...

    def writer(self, device: DeviceSpec, link: Link) -> RigWriter:
        """Make the half that can actuate."""
        ...


class RigSimulator(Protocol):
    """The target of an entry point in `hilgui.rig_simulators`, under the driver's name: speaks the device's bytes.

    Made with the same spec as the driver. Where the device has a dead-man, so has it.
    """

    examples: ClassVar[tuple[DeviceSpec, ...]]  # what demos and the contract tests make it with

    def __init__(self, device: DeviceSpec) -> None: ...

    def start(self) -> str:
        """Start a thread of its own and give the port: a pseudo terminal, or socket://127.0.0.1:N."""
        ...

    def outputs(self) -> Mapping[str, float]:
        """Give what the writable channels really are, by name, for tests and for the screen."""
        ...

    def sent(self) -> bytes:
        """Give every byte that came from the host so far."""
        ...

    def close(self) -> None:
        """End the thread and close the port; may be called twice."""
        ...
