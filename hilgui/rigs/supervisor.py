"""The supervisor process: owns every port, the arming state and the cage. Everybody else asks.

Threads: one per device (`device.py`), ears and mouth (`switchboard.py`), one that writes latch and journal
(`scribe.py`), and the main thread, which decides. A STOP is put on the wires by the ear that hears it, before the main
thread knows.
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import signal
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from hilgui import log as logs
from hilgui.errors import HilguiError
from hilgui.rigs import arming as machine
from hilgui.rigs.arming import LIVE, Arming, Effect, Source, State, step
from hilgui.rigs.bench import Bench, refusal_of
from hilgui.rigs.cage import Cage, Severity, Violation
from hilgui.rigs.device import Carried, Identified, OffChecked, Polled, Report, Troubled
from hilgui.rigs.latch import RigHold, RigRecord, latch_names
from hilgui.rigs.lines import Lines
from hilgui.rigs.messages import (
    ArmingCase,
    ArmRig,
    Ask,
    Attest,
    Attested,
    ConfirmRig,
    DeselectRig,
    DisarmRig,
    Done,
    Failed,
    Observe,
    PauseRig,
    Request,
    ResetRig,
    ResumeRig,
    SelectRig,
    Signals,
    StateChanged,
    Status,
    StopNow,
    Urgent,
    Violated,
    Wire,
)
from hilgui.rigs.permit import unproven
from hilgui.rigs.profile import PERCEPTION, RigProfile
from hilgui.rigs.protocol import Perform, SetValue, StopCategory
from hilgui.rigs.readback import ReadBack
from hilgui.rigs.scribe import Scribe, Unwritten
from hilgui.rigs.switchboard import Heard, Silence, Switchboard
from hilgui.rigs.urgency import ask_for_urgency, be_responsive, collect_later
from hilgui.wall_clock import WallClock

log = logging.getLogger(__name__)

TICK_S = 0.01
_STATUS_S = 0.2
_CLOSE_S = 2.0
_HELD_S = 8.0  # a supervisor whose front end was killed needs its time to stop the rig and end
_COLLECT_S = 10.0  # garbage, and only while no output is on
_JUDGED_ANEW = {
    (State.SHADOW, State.SAFE),
    (State.LATCHED, State.SAFE),
    (State.ARMED, State.SAFE),
    (State.HOLD, State.SAFE),
    (State.ARMING, State.ARMED),
}
_FROM_ENGINE = (Attest, Ask, Observe, StopNow)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a supervisor is started with."""

    profile: RigProfile
    addresses: dict[str, str]  # device, port
    folder: Path  # latch and journal
    can_write: bool = True  # false: shadow mode, no writer can exist
    has_engine: bool = False
    profile_sha256: str = ""
    debug: bool = False


def main(front: Lines, engine: Lines | None, setup: Setup) -> None:
    """Serve until the front end ends; the target of the spawned process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the front end, whose end we notice
    logs.set_up(debug=setup.debug)
    be_responsive()
    urgency = ask_for_urgency()  # before there are threads: they inherit it
    try:
        RigHold(setup.folder, latch_names(setup.profile)).take(_HELD_S)
        supervisor = Supervisor(front, engine, setup)
        collect_later()
        supervisor.serve(Urgent(urgency.in_words()))
    except HilguiError as failure:
        front.requests.send(Failed(str(failure)))
    finally:
        os._exit(0)  # a driver that hangs in a thread keeps nobody


class Supervisor:
    """Everything here runs on the main thread but `_stop_wires` and `_is_needed`, which the ears call."""

    def __init__(self, front: Lines, engine: Lines | None, setup: Setup) -> None:
        self._setup = setup
        self._inbox: queue.SimpleQueue[Heard | Silence | Report | Unwritten] = queue.SimpleQueue()
        lines = {Source.FRONT_END: front} | ({} if engine is None else {Source.ENGINE: engine})
        self._board = Switchboard(lines, self._inbox.put, self._stop_wires, self._is_needed)
        self._tell = self._board.tell
        record = RigRecord(setup.folder, latch_names(setup.profile))
        noted = record.read()
        self._scribe = Scribe(record, self._inbox.put)
        now_ns = time.monotonic_ns()
        self._arming = machine.booted(noted.was_live, noted.latch_reason, now_ns)
        self._bench = Bench(
            setup.profile,
            setup.addresses,
            can_write=setup.can_write,
            report=self._inbox.put,
            may_actuate=lambda: self._arming.may_actuate,
        )
        self._cage = Cage(setup.profile.invariants, setup.profile.minor, now_ns)
        self._begin_judging(now_ns)
        self._violations: tuple[Violation, ...] = ()
        self._case = ArmingCase()
        self._attested: Attested | None = None
        self._readback = ReadBack()
        self._asked: dict[int, tuple[Source, int]] = {}
        self._asks = 0
        self._counts: Counter[str] = Counter()
        self._gap_ns = 0
        self._status_ns = self._collected_ns = 0
        self._wall_clock = WallClock()
        self._is_over = False
        if noted.was_live:
            self._scribe.note(State.LATCHED, self._arming.reason, "supervisor")
            self._write_journal(self._arming, self._arming)

    def serve(self, urgent: Urgent) -> None:
        """Run until the front end is gone."""
        self._board.start()
        self._bench.start()
        self._tell(urgent)
        for device in sorted(self._bench.devices):
            self._tell(self._bench.state_of(device))
        self._tell(StateChanged(self._arming))
        next_tick = time.monotonic()
        while not self._is_over:
            try:
                item = self._inbox.get(timeout=max(0.0, next_tick - time.monotonic()))
            except queue.Empty:
                item = None
            while item is not None:
                self._take(item)
                try:
                    item = self._inbox.get_nowait()
                except queue.Empty:
                    item = None
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self._tick(time.monotonic_ns())
        self._bench.close(_CLOSE_S)
        self._scribe.close(_CLOSE_S)

    def _stop_wires(self) -> int:
        if self._arming.state is State.SHADOW:  # there are no writers then
            return 0
        return self._bench.urgent_stop(StopCategory.RAMP_THEN_CUT)

    def _is_needed(self, source: Source) -> bool:
        return source is Source.FRONT_END or self._arming.needs_engine

    def _take(self, item: Heard | Silence | Report | Unwritten) -> None:
        now_ns = time.monotonic_ns()
        match item:
            case Heard(source, request, at_ns):
                if source is Source.ENGINE and not isinstance(request, _FROM_ENGINE):
                    self._counts["refused_from_engine"] += 1
                    return
                self._hear(source, request, at_ns)
            case Silence(Source.FRONT_END):
                self._step(machine.ParentGone(), now_ns)
            case Silence(Source.ENGINE):
                if self._arming.state in LIVE and self._arming.needs_engine:
                    self._step(machine.Stop("supervisor", "the engine ended"), now_ns)
            case Unwritten(sentence):
                self._distrust(sentence)
            case Identified(device, identity):
                self._bench.identities[device], self._bench.troubles[device] = identity, ""
                self._tell(self._bench.state_of(device))
                if self._arming.state in (State.STOPPING, State.LATCHED):
                    self._bench.make_safe_again(device)  # so that a STOP finds a writer there, too
            case Troubled(device, sentence):
                self._trouble(device, sentence, now_ns)
            case Polled(device, readings):
                for reading in readings:
                    self._cage.observe(f"{device}.{reading.channel}", reading.value, reading.read_ns)
                self._tell(Signals(device, readings))
                self._judge(now_ns)
            case Carried(done, is_actuation):
                if is_actuation and done.is_ok:
                    self._step(machine.Commanded(), now_ns)
                self._answer(done)
            case OffChecked(device, token, is_off, why):
                self._off_checked(device, token, "" if is_off else why or "not off", now_ns)

    def _hear(self, source: Source, request: Request, at_ns: int) -> None:
        by = getattr(request, "by", source.value)
        self._feel_pulses(time.monotonic_ns())
        match request:
            case StopNow(_, why):
                self._step(machine.Stop(by, why), at_ns)
            case SelectRig() if not self._setup.can_write:
                self._count_shadow("this supervisor is for shadow mode and has nothing that could actuate")
            case SelectRig():
                self._step(machine.Select(by), at_ns)
            case DeselectRig():
                self._step(machine.Deselect(by), at_ns)
            case ArmRig(_, case, needs_engine):
                self._case = case
                self._step(machine.Arm(by, needs_engine, self._unmet(case, needs_engine)), at_ns)
            case ConfirmRig(_, case):
                unmet = self._unmet(case, self._arming.needs_engine)
                if case != self._case:
                    unmet = ("the second confirmation is for another case than the first", *unmet)
                self._step(machine.Confirm(by, unmet), at_ns)
            case DisarmRig():
                self._step(machine.Disarm(by), at_ns)
            case PauseRig():
                self._step(machine.Pause(by), at_ns)
            case ResumeRig():
                self._step(machine.Resume(by, tuple(self._active(Severity.HOLD, Severity.STOP))), at_ns)
            case ResetRig(_, is_person):
                self._step(machine.Reset(by, is_person and source is Source.FRONT_END, self._causes()), at_ns)
            case Ask():
                self._ask(source, request, at_ns)
            case Attest(what):
                if source is Source.ENGINE and self._arming.state not in LIVE:
                    self._attested = what
            case Observe(signal, value):
                if signal.partition(".")[0] == PERCEPTION:  # the engine reports about itself, not about devices
                    self._cage.observe(signal, value, at_ns)

    def _feel_pulses(self, now_ns: int) -> None:
        for source, stamp_ns in self._board.fresh_beats(now_ns):
            last_ns = self._arming.front_ns
            if source is Source.FRONT_END and last_ns is not None and self._arming.state in LIVE:
                self._gap_ns = max(self._gap_ns, stamp_ns - last_ns)
            self._step(machine.Heartbeat(source), stamp_ns)

    def _ask(self, source: Source, ask: Ask, now_ns: int) -> None:
        self._asks += 1
        self._asked[self._asks] = (source, ask.number)
        worker = self._bench.worker(ask.what.device)
        if worker is None:
            self._answer(Done(self._asks, False, f"there is no device {ask.what.device!r}"))
            return
        if isinstance(ask.what, SetValue | Perform):
            refusal = self._refusal(source, ask.what, ask.issued_ns, now_ns)
            if refusal:
                self._status_ns = 0  # the count is told at the next tick
                self._answer(Done(self._asks, False, refusal))
                return
        worker.ask(self._asks, ask.what, ask.issued_ns)

    def _refusal(self, source: Source, what: SetValue | Perform, issued_ns: int, now_ns: int) -> str:
        """Decide on one actuation; every refusal is counted under its reason."""
        if not self._arming.may_actuate:
            state = self._arming.state
            self._counts["blocked_shadow" if state is State.SHADOW else "blocked_state"] += 1
            return f"the rig is {state.value}; nothing was sent"
        if source is Source.ENGINE and not self._arming.needs_engine:
            self._counts["blocked_state"] += 1
            return "the rig is armed for manual moves, not for a run; nothing was sent"
        if machine.stale(issued_ns, now_ns):
            self._counts["discarded_stale"] += 1
            return "the command is older than 250 ms; nothing was sent"
        self._cage.observe("commands", 1.0, now_ns)
        refusal = refusal_of(self._bench.facts, what)
        if not refusal and isinstance(what, SetValue):
            refusal = self._cage.refuses(f"{what.device}.{what.channel}", what.value)
        if refusal:
            self._cage.count_minor(now_ns)
        self._judge(now_ns)
        refusal = refusal or "; ".join(self._active(Severity.BLOCK, Severity.HOLD, Severity.STOP))
        if refusal:
            self._counts["blocked_cage"] += 1
            return f"{refusal}; nothing was sent"
        return ""

    def _answer(self, done: Done) -> None:
        source, number = self._asked.pop(done.number, (Source.FRONT_END, done.number))
        self._board.answer(source, replace(done, number=number))

    def _tick(self, now_ns: int) -> None:
        self._feel_pulses(now_ns)
        self._step(machine.Tick(), now_ns)
        self._judge(now_ns)
        if self._arming.state not in LIVE and now_ns - self._collected_ns > _COLLECT_S * machine.NS:
            self._collected_ns = now_ns
            gc.collect()
        if now_ns - self._status_ns > _STATUS_S * machine.NS:
            self._status_ns = now_ns
            if entries := self._bench.fresh_entries():
                self._tell(Wire(entries))
            if set_by := self._wall_clock.look():
                log.warning("%s", set_by)
                self._scribe.journal(self._arming, self._arming, {"clock": set_by})
            counts = {**self._counts, "blocked_links": self._bench.blocked}
            margins = self._cage.margins(now_ns)
            self._tell(Status(now_ns, self._arming, margins, counts, self._gap_ns / 1e6))

    def _judge(self, now_ns: int) -> None:
        """Ask the cage; what is violated acts only where outputs may be on."""
        self._violations = self._cage.check(now_ns)
        for violation in self._violations:
            if violation.is_new:
                self._counts[f"violations_{violation.severity.value}"] += 1
                self._tell(Violated(violation.id, violation.severity.value, violation.sentence))
        if self._arming.state not in (State.ARMED, State.HOLD):
            return
        if stops := self._active(Severity.STOP):
            self._step(machine.Stop("cage", stops[0]), now_ns)
        elif (holds := self._active(Severity.HOLD)) and self._arming.state is State.ARMED:
            self._step(machine.Pause("cage", holds[0]), now_ns)

    def _active(self, *severities: Severity) -> list[str]:
        return [violation.sentence for violation in self._violations if violation.severity in severities]

    def _trouble(self, device: str, sentence: str, now_ns: int) -> None:
        self._bench.identities.pop(device, None)
        if self._bench.troubles[device] != sentence:
            self._bench.troubles[device] = sentence
            self._tell(self._bench.state_of(device))
        if self._arming.state in (State.ARMED, State.HOLD):
            self._counts["faults"] += 1
            self._step(machine.Stop(device, sentence), now_ns)
        elif self._arming.state is State.ARMING:
            self._step(machine.Disarm(device), now_ns)

    def _off_checked(self, device: str, token: int, why: str, now_ns: int) -> None:
        if self._readback.answered(device, token, why):
            given = machine.Stopped if self._arming.state is State.STOPPING else machine.ReadBack
            self._step(given(not self._readback.why, self._readback.why), now_ns)

    def _unmet(self, case: ArmingCase, needs_engine: bool) -> tuple[str, ...]:
        """Say what keeps the rig from being armed."""
        unmet = [f"{device}: {why}" for device, why in sorted(self._bench.troubles.items()) if why]
        unmet += self._bench.unarmable
        unmet += self._active(Severity.BLOCK, Severity.HOLD, Severity.STOP)
        return (
            *unmet,
            *unproven(
                case,
                needs_engine=needs_engine,
                has_engine=self._setup.has_engine,
                attested=self._attested,
                profile_sha256=self._setup.profile_sha256,
                identities={device: str(identity) for device, identity in self._bench.identities.items()},
            ),
        )

    def _causes(self) -> tuple[str, ...]:
        """Say what of the latch's cause is still there."""
        causes = [f"{device}: {why}" for device, why in sorted(self._bench.troubles.items()) if why]
        if not self._setup.can_write:
            causes.append("this supervisor is for shadow mode; select the rig to reset it")
        return tuple(causes)

    def _count_shadow(self, why: str) -> None:
        self._counts["blocked_shadow"] += 1
        self._tell(StateChanged(replace(self._arming, refusal=why)))

    def _step(self, given: machine.Input, now_ns: int) -> None:
        before = self._arming
        after, effects = step(before, given, now_ns)
        self._arming = after
        is_new = after.state is not before.state
        if is_new:
            self._bench.feed(after.state in LIVE)
            if (before.state, after.state) in _JUDGED_ANEW:
                self._begin_judging(now_ns)
        if is_new:
            self._write_journal(before, after)
        for effect in effects:
            self._carry_out(effect)
        if self._arming is not after:
            return  # carrying it out failed and led on; that step has told the rest
        if is_new or after.refusal != before.refusal or after.is_verified != before.is_verified:
            self._tell(StateChanged(after))
        if before.refusal and after.refusal == before.refusal:
            self._arming = replace(after, refusal="")

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Effect.OPEN_WRITERS:
                self._bench.open_writers()
            case Effect.CLOSE_WRITERS:
                self._bench.close_writers()
            case Effect.SAFE_STATE:
                self._make_safe(None)
            case Effect.HOLD_OUTPUTS:
                self._bench.urgent_stop(StopCategory.RAMP_AND_HOLD)
                self._bench.hold()
            case Effect.STOP_OUTPUTS:
                self._bench.urgent_stop(StopCategory.RAMP_THEN_CUT, again=False)
                self._make_safe(StopCategory.RAMP_THEN_CUT)
            case Effect.CUT_POWER:
                self._bench.feed(False)  # whatever hangs on a dead-man falls now
                self._bench.urgent_stop(StopCategory.CUT_POWER)
                self._make_safe(StopCategory.CUT_POWER)
            case Effect.NOTE_ARMED:
                if why := self._scribe.note_at_once(State.ARMED, self._arming.reason, self._arming.by):
                    self._distrust(why)
            case Effect.NOTE_SAFE:
                self._scribe.note(State.SAFE, self._arming.reason, self._arming.by)
            case Effect.NOTE_LATCH:
                self._scribe.note(State.LATCHED, self._arming.reason, self._arming.by)
            case Effect.EXIT:
                self._is_over = True

    def _make_safe(self, stop: StopCategory | None) -> None:
        self._bench.make_safe(self._readback.begin(self._bench.devices), stop)

    def _write_journal(self, before: Arming, after: Arming) -> None:
        facts = {"profile": self._setup.profile.name, "counts": dict(self._counts)}
        self._scribe.journal(before, after, facts)

    def _distrust(self, sentence: str) -> None:
        """Nothing may be on that is not on record."""
        log.error("%s", sentence)
        self._tell(Failed(sentence))
        if self._arming.state in (State.ARMED, State.HOLD):
            self._step(machine.Stop("supervisor", sentence), time.monotonic_ns())

    def _begin_judging(self, now_ns: int) -> None:
        """Figures of perception are asked for only while a run moves the rig."""
        with_engine = self._arming.needs_engine and self._arming.state in LIVE
        self._cage.begin(now_ns, frozenset() if with_engine else frozenset({PERCEPTION}))
