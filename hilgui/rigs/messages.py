"""What goes over the supervisor's pipes: requests from front end and engine, events to the front end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hilgui.rigs.arming import Arming
from hilgui.rigs.cage import Margin
from hilgui.rigs.protocol import Actuation, Identity, Query, Reading, RigFacts
from hilgui.rigs.transcript import Entry


@dataclass(frozen=True, slots=True)
class ArmingCase:
    """What has to be the same at both confirmations: what the case was written for, and what is there."""

    model_sha256: str = ""
    provider: str = ""
    profile_sha256: str = ""
    identities: tuple[tuple[str, str], ...] = ()  # device, what it says it is; empty: not asked for


@dataclass(frozen=True, slots=True)
class Attested:
    """What the engine says it runs, read from the session (`Attestation`) and not from what was asked for."""

    model_sha256: str
    provider: str


# Requests. The front end may send all but Attest, the engine Attest, Ask, Observe and StopNow. Signs of life are no
# requests: they go through a `Pulse`.


@dataclass(frozen=True, slots=True)
class Attest:
    """The engine says what it runs, before it is armed."""

    what: Attested


@dataclass(frozen=True, slots=True)
class SelectRig:
    """The operator selects the rig: writers are made, outputs go to their safe state."""

    by: str


@dataclass(frozen=True, slots=True)
class DeselectRig:
    """The operator lets go of the rig."""

    by: str


@dataclass(frozen=True, slots=True)
class ArmRig:
    """First confirmation."""

    by: str
    case: ArmingCase = ArmingCase()
    needs_engine: bool = True  # false only where no run is under way: manual moves


@dataclass(frozen=True, slots=True)
class ConfirmRig:
    """Second confirmation, within 30 s."""

    by: str
    case: ArmingCase = ArmingCase()


@dataclass(frozen=True, slots=True)
class DisarmRig:
    """Back to SAFE."""

    by: str


@dataclass(frozen=True, slots=True)
class PauseRig:
    """Hold: stop category 2."""

    by: str


@dataclass(frozen=True, slots=True)
class ResumeRig:
    """Go on after a hold."""

    by: str


@dataclass(frozen=True, slots=True)
class StopNow:
    """STOP (software)."""

    by: str
    why: str = "STOP"
    sent_ns: int = 0


@dataclass(frozen=True, slots=True)
class ResetRig:
    """A person clears the latch."""

    by: str
    is_person: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """One query or actuation; its answer is a Done with the same number."""

    number: int
    what: Query | Actuation
    issued_ns: int


@dataclass(frozen=True, slots=True)
class Observe:
    """A figure of the run for the cage: perception.latency_ms, perception.is_valid."""

    signal: str
    value: float


Request = (
    Attest
    | SelectRig
    | DeselectRig
    | ArmRig
    | ConfirmRig
    | DisarmRig
    | PauseRig
    | ResumeRig
    | StopNow
    | ResetRig
    | Ask
    | Observe
)


# Events.


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The arming state, or why a request was refused."""

    arming: Arming


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to an Ask. `is_known` is false where nobody can say whether it was carried out."""

    number: int
    is_ok: bool
    sentence: str = ""
    reading: Reading | None = None
    identity: Identity | None = None
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device as the supervisor sees it."""

    name: str
    port: str
    facts: RigFacts | None
    identity: Identity | None
    trouble: str = ""  # why it cannot be used


@dataclass(frozen=True, slots=True)
class Signals:
    """The newest readings of one device."""

    device: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """What went over the ports since the last of these."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Violated:
    """An invariant that began to be violated."""

    id: str
    severity: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Status:
    """A sign of life of the supervisor, five times a second."""

    sent_ns: int
    arming: Arming
    margins: tuple[Margin, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    gap_ms: float = 0.0  # longest silence of the front end so far while live


@dataclass(frozen=True, slots=True)
class StopTimed:
    """When one STOP was called for, heard here, and taken by the ports; all on one monotonic clock."""

    called_ns: int
    heard_ns: int
    written_ns: int
    devices: int  # that took it


@dataclass(frozen=True, slots=True)
class Urgent:
    """How soon the supervisor gets the processor."""

    scheduling: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The supervisor cannot go on."""

    sentence: str


Event = StateChanged | Done | DeviceState | Signals | Wire | Violated | Status | StopTimed | Urgent | Failed
