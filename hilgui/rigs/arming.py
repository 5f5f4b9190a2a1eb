"""The arming state machine: a pure function of state, input and time. The supervisor carries out what it says.

Small enough to be searched completely: `tests/unit/rigs/test_arming.py` walks every reachable state with every input.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

NS = 1_000_000_000
CONFIRM_NS = 30 * NS  # from the ARM request to the second confirmation
VERIFY_NS = 1 * NS  # outputs read back as off
STOPPING_NS = 1 * NS  # then the relay is cut
HEARTBEAT_NS = NS // 2
IDLE_NS = 600 * NS
COMMAND_AGE_NS = NS // 4


class State(Enum):
    """Where the rig stands."""

    SHADOW = "shadow"
    SAFE = "safe"
    ARMING = "arming"
    ARMED = "armed"
    HOLD = "hold"
    STOPPING = "stopping"
    LATCHED = "latched"


LIVE = frozenset({State.ARMED, State.HOLD, State.STOPPING})  # outputs may be on


class Effect(Enum):
    """What the supervisor does about a transition, in the order given."""

    OPEN_WRITERS = "open writers"
    CLOSE_WRITERS = "close writers"
    SAFE_STATE = "safe state and read-back"
    NOTE_ARMED = "note on disk that outputs may be on"
    NOTE_SAFE = "note on disk that outputs are off"
    NOTE_LATCH = "note on disk that it is latched"
    HOLD_OUTPUTS = "stop category 2"
    STOP_OUTPUTS = "stop category 1"
    CUT_POWER = "stop category 0"
    EXIT = "end the process"


class Source(Enum):
    """Who sends heartbeats."""

    FRONT_END = "front end"
    ENGINE = "engine"


# Inputs. `by` is the person or the part; `unmet` are sentences, any of which keeps the rig from going on.


@dataclass(frozen=True, slots=True)
class Select:
    """The operator selected the rig."""

    by: str


@dataclass(frozen=True, slots=True)
class Deselect:
    """The operator let go of the rig."""

    by: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """All outputs were read back as off, or not."""

    is_off: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Arm:
    """The first confirmation; a run in stimulus or closed loop also needs the engine's heartbeat."""

    by: str
    needs_engine: bool = True
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirm:
    """The second confirmation."""

    by: str
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disarm:
    """Back to SAFE, as an operator ends his work."""

    by: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life."""

    source: Source


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command was carried out: nobody is idle."""


@dataclass(frozen=True, slots=True)
class Pause:
    """The operator pauses, or a minor violation holds."""

    by: str
    why: str = "pause"


@dataclass(frozen=True, slots=True)
class Resume:
    """The operator goes on after a hold."""

    by: str
    unmet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Somebody pressed STOP, or a major violation, or a fault; the latch stays."""

    by: str
    why: str = "STOP"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stop is carried out and verified, or not."""

    is_off: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reset:
    """Somebody clears the latch; only a person may."""

    by: str
    is_person: bool
    unmet: tuple[str, ...] = ()  # causes that are still there


@dataclass(frozen=True, slots=True)
class ParentGone:
    """The pipe of the front end ended."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went on."""


Input = (
    Select
    | Deselect
    | ReadBack
    | Arm
    | Confirm
    | Disarm
    | Heartbeat
    | Commanded
    | Pause
    | Resume
    | Stop
    | Stopped
    | Reset
    | ParentGone
    | Tick
)


@dataclass(frozen=True, slots=True)
class Arming:
    """The whole of the machine's memory."""

    state: State = State.SHADOW
    since_ns: int = 0
    reason: str = "start"
    by: str = ""
    refusal: str = ""  # why the last request was not granted
    is_verified: bool = False  # of SAFE: outputs were read back as off
    needs_engine: bool = True
    front_ns: int | None = None
    engine_ns: int | None = None
    active_ns: int = 0

    @property
    def may_actuate(self) -> bool:
        """Say whether commands are let through to the cage."""
        return self.state is State.ARMED


def booted(was_live: bool, latch_reason: str | None, now_ns: int) -> Arming:
    """Give the state at boot from what the last process left on disk."""
    if latch_reason is not None:
        return Arming(State.LATCHED, now_ns, latch_reason)
    if was_live:
        return Arming(State.LATCHED, now_ns, "rig state unknown: the supervisor ended while the rig was armed")
    return Arming(State.SHADOW, now_ns)


def stale(issued_ns: int, now_ns: int) -> bool:
    """Say whether a command is too old, or from the future, to be carried out."""
    return not 0 <= now_ns - issued_ns <= COMMAND_AGE_NS


_Step = tuple[Arming, tuple[Effect, ...]]


def step(arming: Arming, given: Input, now_ns: int) -> _Step:
    """Take one input; gives the next state and what to do, in this order."""
    match given:
        case Stop(by, why):
            return _stop(arming, by, why, now_ns)
        case ParentGone():
            after, effects = _parent_gone(arming, now_ns)
            return after, (*effects, Effect.EXIT)
        case Heartbeat(Source.FRONT_END):
            return replace(arming, front_ns=now_ns), ()
        case Heartbeat(Source.ENGINE):
            return replace(arming, engine_ns=now_ns), ()
    match arming.state:
        case State.SHADOW:
            return _in_shadow(arming, given, now_ns)
        case State.SAFE:
            return _in_safe(arming, given, now_ns)
        case State.ARMING:
            return _in_arming(arming, given, now_ns)
        case State.ARMED | State.HOLD:
            return _in_live(arming, given, now_ns)
        case State.STOPPING:
            return _in_stopping(arming, given, now_ns)
        case State.LATCHED:
            return _in_latched(arming, given, now_ns)


def _in_shadow(arming: Arming, given: Input, now_ns: int) -> _Step:
    match given:
        case Select(by):
            return _to(arming, State.SAFE, by, "selected", now_ns), (Effect.OPEN_WRITERS, Effect.SAFE_STATE)
    return _refuse(arming, given, "no rig is selected")


def _in_safe(arming: Arming, given: Input, now_ns: int) -> _Step:
    match given:
        case ReadBack(True):
            return replace(arming, is_verified=True), (Effect.NOTE_SAFE,)
        case ReadBack(False, why):
            return _latch(arming, "read-back", f"outputs are not off: {why}", now_ns, Effect.CUT_POWER)
        case Tick() if not arming.is_verified and now_ns - arming.since_ns > VERIFY_NS:
            return _latch(arming, "read-back", "outputs were not read back as off within 1 s", now_ns, Effect.CUT_POWER)
        case Arm(by, needs_engine, unmet):
            if not arming.is_verified:
                unmet = ("the outputs are not read back as off yet", *unmet)
            if unmet:
                return replace(arming, refusal="; ".join(unmet)), ()
            asked = replace(arming, needs_engine=needs_engine)
            return _to(asked, State.ARMING, by, "first confirmation", now_ns), ()
        case Deselect(by):
            return _to(arming, State.SHADOW, by, "deselected", now_ns), (Effect.CLOSE_WRITERS,)
        case Disarm():
            return arming, ()
    return _refuse(arming, given, "the rig is not armed")


def _in_arming(arming: Arming, given: Input, now_ns: int) -> _Step:
    is_late = now_ns - arming.since_ns > CONFIRM_NS
    match given:
        case Confirm(by, unmet):
            if is_late:
                unmet = ("the second confirmation came after 30 s", *unmet)
            if silent := _silent(arming, now_ns):
                unmet = (*unmet, silent)
            if unmet:
                return _to(arming, State.SAFE, by, "not armed", now_ns, refusal="; ".join(unmet), verified=True), ()
            return _to(arming, State.ARMED, by, "second confirmation", now_ns), (Effect.NOTE_ARMED,)
        case Tick() if is_late:
            why = "no second confirmation within 30 s"
            return _to(arming, State.SAFE, "supervisor", why, now_ns, refusal=why, verified=True), ()
        case Disarm(by) | Deselect(by):
            return _to(arming, State.SAFE, by, "arming given up", now_ns, verified=True), ()
    return _refuse(arming, given, "the second confirmation is missing")


def _in_live(arming: Arming, given: Input, now_ns: int) -> _Step:
    match given:
        case Tick():
            if silent := _silent(arming, now_ns):
                return _stop(arming, "supervisor", silent, now_ns)
            if now_ns - arming.active_ns > IDLE_NS:
                return _to(arming, State.SAFE, "supervisor", "idle for 10 minutes", now_ns), (Effect.SAFE_STATE,)
        case Disarm(by):
            return _to(arming, State.SAFE, by, "disarmed", now_ns), (Effect.SAFE_STATE,)
        case Commanded() if arming.state is State.ARMED:
            return replace(arming, active_ns=now_ns), ()
        case Pause(by, why) if arming.state is State.ARMED:
            return _to(arming, State.HOLD, by, why, now_ns), (Effect.HOLD_OUTPUTS,)
        case Resume(by, unmet) if arming.state is State.HOLD:
            if silent := _silent(arming, now_ns):
                unmet = (*unmet, silent)
            if unmet:
                return replace(arming, refusal="; ".join(unmet)), ()
            return _to(arming, State.ARMED, by, "resumed", now_ns), ()
    return _refuse(arming, given, f"the rig is {'armed' if arming.state is State.ARMED else 'on hold'}")


def _in_stopping(arming: Arming, given: Input, now_ns: int) -> _Step:
    match given:
        case Stopped(True):
            return _to(arming, State.LATCHED, arming.by, arming.reason, now_ns), ()
        case Stopped(False, why):
            return _latch(arming, arming.by, f"{arming.reason}; the stop failed: {why}", now_ns, Effect.CUT_POWER)
        case Tick() if now_ns - arming.since_ns > STOPPING_NS:
            why = f"{arming.reason}; not stopped within 1 s, power cut"
            return _latch(arming, arming.by, why, now_ns, Effect.CUT_POWER)
    return _refuse(arming, given, "the rig is stopping")


def _in_latched(arming: Arming, given: Input, now_ns: int) -> _Step:
    match given:
        case Reset(by, is_person, unmet):
            if not is_person or not by:
                unmet = ("only a person resets a latch", *unmet)
            if unmet:
                return replace(arming, refusal="; ".join(unmet)), ()
            return _to(arming, State.SAFE, by, "reset", now_ns), (Effect.OPEN_WRITERS, Effect.SAFE_STATE)
    return _refuse(arming, given, f"latched: {arming.reason}")


def _stop(arming: Arming, by: str, why: str, now_ns: int) -> _Step:
    match arming.state:
        case State.STOPPING | State.LATCHED:  # a second press is answered by the same bytes, and changes nothing
            return arming, (Effect.STOP_OUTPUTS,)
        case State.SHADOW:
            return _latch(arming, by, why, now_ns)
    return _to(arming, State.STOPPING, by, why, now_ns), (Effect.STOP_OUTPUTS, Effect.NOTE_LATCH)


def _parent_gone(arming: Arming, now_ns: int) -> _Step:
    match arming.state:
        case State.SHADOW | State.LATCHED:
            return arming, ()
        case State.SAFE | State.ARMING:
            return _to(arming, State.SHADOW, "supervisor", "the front end ended", now_ns), (Effect.CUT_POWER,)
    return _latch(arming, "supervisor", "the front end ended", now_ns, Effect.STOP_OUTPUTS, Effect.CUT_POWER)


def _latch(arming: Arming, by: str, why: str, now_ns: int, *effects: Effect) -> _Step:
    return _to(arming, State.LATCHED, by, why, now_ns), (*effects, Effect.NOTE_LATCH)


def _to(
    arming: Arming, state: State, by: str, reason: str, now_ns: int, *, refusal: str = "", verified: bool = False
) -> Arming:
    return replace(
        arming,
        state=state,
        since_ns=now_ns,
        by=by,
        reason=reason,
        refusal=refusal,
        is_verified=verified,
        active_ns=now_ns,
    )


_PASSIVE = (Tick, ReadBack, Stopped, Commanded)  # nobody asked for anything, so nobody is refused


def _refuse(arming: Arming, given: Input, why: str) -> _Step:
    if isinstance(given, _PASSIVE):
        return arming, ()
    return replace(arming, refusal=f"{type(given).__name__.lower()} refused: {why}"), ()


def _silent(arming: Arming, now_ns: int) -> str:
    """Name whoever was not heard for 500 ms."""
    for source, heard_ns in ((Source.FRONT_END, arming.front_ns), (Source.ENGINE, arming.engine_ns)):
        if source is Source.ENGINE and not arming.needs_engine:
            continue
        if heard_ns is None or now_ns - heard_ns > HEARTBEAT_NS:
            return f"no heartbeat from the {source.value} for 500 ms"
    return ""
