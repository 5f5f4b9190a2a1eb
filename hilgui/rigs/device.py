"""One device in the supervisor: a thread that owns its port from opening to closing."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from hilgui.errors import HilguiError, RigBlocked, RigBroken, RigGarbled, RigLost, RigRefused
from hilgui.rigs.arming import stale
from hilgui.rigs.messages import Done
from hilgui.rigs.ports import SerialSettings
from hilgui.rigs.protocol import (
    KEEP_ALIVE_S,
    Actuation,
    DeviceSpec,
    Identify,
    Identity,
    Perform,
    Query,
    Read,
    Reading,
    RigFacts,
    RigReader,
    RigWriter,
    SetValue,
    StopCategory,
)
from hilgui.rigs.transport import LINE_LIMIT, Link, QueryLink, Transport

log = logging.getLogger(__name__)

_RETRY_S = 1.0
_READ_BACK_S = 0.8  # of the second that SAFE has
_TRIES = 2  # one lost answer is no loss of the device; its dead-man is fed by the question, not by the answer


@dataclass(frozen=True, slots=True)
class Identified:
    """The device said what it is."""

    device: str
    identity: Identity


@dataclass(frozen=True, slots=True)
class Troubled:
    """The device is lost, or not the right one."""

    device: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Polled:
    """New readings."""

    device: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """A command was carried out, or not."""

    done: Done
    is_actuation: bool


@dataclass(frozen=True, slots=True)
class OffChecked:
    """Safe state or stop is done; `token` says for which request."""

    device: str
    token: int
    is_off: bool
    why: str


Report = Identified | Troubled | Polled | Carried | OffChecked


class ReadingDriver(Protocol):
    """As much of a driver as shadow mode is given."""

    def facts(self, device: DeviceSpec) -> RigFacts:
        """See RigDriver."""
        ...

    def is_query(self, device: DeviceSpec, sent: bytes) -> bool:
        """See RigDriver."""
        ...

    def reader(self, device: DeviceSpec, link: Link) -> RigReader:
        """See RigDriver."""
        ...


class DeviceWorker:
    """Reads from the start; actuates only between `open_writer` and `close_writer`. Reports on its own thread.

    `may_actuate` is asked again at the moment of sending: a command that waited here through a STOP is not sent.
    """

    def __init__(
        self,
        spec: DeviceSpec,
        address: str,
        settings: SerialSettings,
        driver: ReadingDriver,
        make_writer: Callable[[DeviceSpec, Link], RigWriter] | None,
        report: Callable[[Report], None],
        may_actuate: Callable[[], bool],
        safe: dict[str, float],
    ) -> None:
        self.spec = spec
        self.address = address
        self.facts: RigFacts = driver.facts(spec)
        self._settings = settings
        self._driver = driver
        self._make_writer = make_writer  # None in shadow mode: there is nothing here that could actuate
        self._report = report
        self._may_actuate = may_actuate
        self._safe = safe  # channels that have to read back at these values in SAFE
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._feeding = threading.Event()
        self._transport: Transport | None = None
        self._reader: RigReader | None = None
        self._writer: RigWriter | None = None
        self._stop_bytes: dict[StopCategory, tuple[bytes, float]] = {}
        self._thread = threading.Thread(target=self._run, name=f"device:{spec.name}", daemon=True)
        self.blocked = 0  # writes refused by the query link

    @property
    def transport(self) -> Transport | None:
        """Give the open port, for its transcript."""
        return self._transport

    def start(self) -> None:
        """Open the port and begin to read."""
        self._thread.start()

    def urgent_stop(self, category: StopCategory) -> bool:
        """Put the bytes of a stop on the wire at once, from any thread; says whether the system took them."""
        transport, stop = self._transport, self._stop_bytes.get(self._possible(category))
        if transport is None or stop is None:
            return False
        return transport.urgent(*stop)

    @property
    def is_stopping(self) -> bool:
        """Say whether an urgent stop is on the wire that no job has answered yet."""
        return self._transport is not None and self._transport.is_overridden

    def feed(self, is_fed: bool) -> None:
        """Feed the dead-man, or let it act."""
        (self._feeding.set if is_fed else self._feeding.clear)()

    def open_writer(self) -> None:
        """Make the half that can actuate."""
        self._jobs.put(self._open_writer)

    def close_writer(self) -> None:
        """Give it up again."""
        self._jobs.put(self._close_writer)

    def make_safe(self, token: int, stop: StopCategory | None = None) -> None:
        """Stop where asked to, go to the safe state, read back; reports OffChecked with the token."""
        self._jobs.put(lambda: self._make_safe(token, stop))

    def hold(self) -> None:
        """Stop category 2."""
        self._jobs.put(self._hold)

    def ask(self, number: int, what: Query | Actuation, issued_ns: int) -> None:
        """Carry out a query or an actuation; reports Carried."""
        self._jobs.put(lambda: self._carry_out(number, what, issued_ns))

    def close(self, timeout_s: float) -> None:
        """End the thread; outputs are not touched, whoever wants them safe asked before."""
        self._jobs.put(None)  # after everything asked before
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        next_poll = next_feed = next_try = 0.0
        misses = 0
        while True:
            now = time.monotonic()
            if self._reader is None and now >= next_try:
                self._connect()
                next_try = time.monotonic() + _RETRY_S
                next_poll, misses = 0.0, 0
                now = time.monotonic()
            try:
                if self._feeding.is_set() and self._writer is not None and now >= next_feed:
                    next_feed = now + KEEP_ALIVE_S
                    self._writer.keep_alive()
                    self._refuse_unasked()
                    misses = 0
                if self._reader is not None and now >= next_poll:
                    next_poll = now + self.facts.poll_s
                    readings = self._reader.signals()
                    self._refuse_unasked()
                    self._report(Polled(self.spec.name, readings))
                    misses = 0
            except RigBlocked:
                misses = 0  # a STOP went over it; its job comes next
            except RigBroken as failure:
                misses += 1
                if misses >= _TRIES or isinstance(failure, RigLost | RigRefused):
                    self._lose(failure)
            except Exception as failure:  # a plug-in call: a stranger's driver may raise anything
                log.exception("the driver of %s failed", self.spec.name)
                self._lose(failure)
            due = min(next_poll if self._reader else next_try, next_feed if self._feeding.is_set() else next_poll + 1)
            with suppress(queue.Empty):
                job = self._jobs.get(timeout=min(max(due - time.monotonic(), 0.0), 0.05))
                if job is None:
                    break
                job()
        self._let_go()

    def _refuse_unasked(self) -> None:
        """Look for a device that also talks unasked; a late answer is no more than a line. Raises RigGarbled."""
        gone = 0 if self._transport is None else self._transport.take_discarded()
        if gone > LINE_LIMIT:
            raise RigGarbled(f"{self.address} sent {gone} bytes unasked; wrong baud rate or device?", port=self.address)

    def _connect(self) -> None:
        try:
            self._transport = Transport(self.address, self._settings)
            reader = self._driver.reader(self.spec, self._query_link(self._transport))
            identity = reader.identify()
        except HilguiError as failure:
            self._lose(failure)
        except Exception as failure:  # a plug-in call
            log.exception("the driver of %s failed", self.spec.name)
            self._lose(failure)
        else:
            self._transport.take_discarded()  # from before we asked
            self._reader = reader
            self._report(Identified(self.spec.name, identity))

    def _query_link(self, transport: Transport) -> QueryLink:
        return QueryLink(transport, lambda sent: self._driver.is_query(self.spec, sent), self._count_blocked)

    def _count_blocked(self) -> None:
        self.blocked += 1

    def _open_writer(self) -> None:
        if self._transport is None or self._reader is None or self._make_writer is None:
            return
        try:
            writer = self._make_writer(self.spec, self._transport)
            writer.identify()
            stops = {category: writer.stop_bytes(category) for category in self.facts.stops}
            self._stop_bytes = {category: (stop.data, stop.gap_s) for category, stop in stops.items()}
            self._writer = self._reader = writer
        except Exception as failure:  # a plug-in call
            self._lose(failure)

    def _close_writer(self) -> None:
        if self._writer is not None and self._transport is not None:
            self._writer, self._stop_bytes = None, {}
            self._reader = self._driver.reader(self.spec, self._query_link(self._transport))

    def _make_safe(self, token: int, stop: StopCategory | None) -> None:
        if self._transport is not None:
            self._transport.resume()
        if self._writer is None:
            why = f"{self.spec.name}: not connected for writing"
            self._report(OffChecked(self.spec.name, token, False, why))
            return
        try:
            if stop is not None:
                self._writer.stop(self._possible(stop))
            self._writer.safe_state()
            why = self._read_back(self._writer)
        except Exception as failure:  # a plug-in call
            why = str(failure)
            if not isinstance(failure, RigBlocked):
                self._lose(failure)
        self._report(OffChecked(self.spec.name, token, not why, f"{self.spec.name}: {why}" if why else ""))

    def _read_back(self, writer: RigWriter) -> str:
        deadline = time.monotonic() + _READ_BACK_S
        while True:
            readings = {reading.channel: reading.value for reading in writer.signals()}
            for name in self._safe.keys() - readings.keys():
                readings[name] = writer.read(name).value
            wrong = [name for name, safe in self._safe.items() if not self._is_at(name, readings[name], safe)]
            if not wrong:
                return ""
            if time.monotonic() > deadline:
                shown = ", ".join(f"{name} reads {readings[name]:g}" for name in sorted(wrong))
                return f"{shown} after going to the safe state"
            time.sleep(0.02)

    def _is_at(self, name: str, value: float, safe: float) -> bool:
        channel = self.facts.channel(name)
        return abs(value - safe) <= (channel.tolerance if channel else 0.0) + 1e-9  # false for NaN

    def _hold(self) -> None:
        if self._transport is not None:
            self._transport.resume()
        try:
            if self._writer is not None:
                self._writer.stop(self._possible(StopCategory.RAMP_AND_HOLD))
        except Exception as failure:  # a plug-in call
            self._lose(failure)

    def _carry_out(self, number: int, what: Query | Actuation, issued_ns: int) -> None:
        is_actuation = isinstance(what, SetValue | Perform)
        try:
            done = (
                self._actuate(number, what, issued_ns)
                if isinstance(what, SetValue | Perform)
                else self._look(number, what)
            )
        except (RigRefused, RigBlocked) as failure:
            done = Done(number, False, str(failure), is_known=not isinstance(failure, RigBlocked))
        except Exception as failure:  # a plug-in call
            done = Done(number, False, f"{failure}", is_known=not is_actuation)
            self._lose(failure)
        self._report(Carried(done, is_actuation))

    def _look(self, number: int, what: Query) -> Done:
        if self._reader is None:
            return Done(number, False, f"{self.spec.name} is not connected")
        match what:
            case Identify():
                return Done(number, True, identity=self._reader.identify())
            case Read(_, channel):
                return Done(number, True, reading=self._reader.read(channel))

    def _actuate(self, number: int, what: Actuation, issued_ns: int) -> Done:
        if self._writer is None or not self._may_actuate():
            return Done(number, False, "the rig is not armed any more; nothing was sent")
        if stale(issued_ns, time.monotonic_ns()):
            return Done(number, False, "the command is older than 250 ms; nothing was sent")
        match what:
            case SetValue(_, channel, value):
                self._writer.set(channel, value)
            case Perform(_, action, arguments):
                self._writer.perform(action, arguments)
        return Done(number, True)

    def _possible(self, category: StopCategory) -> StopCategory:
        """Give the category or the next stronger one that the device has, else the next weaker one.

        A device that cannot hold is cut when the rig holds: to be still comes before keeping its power.
        """
        stronger = [each for each in self.facts.stops if each <= category]
        return max(stronger) if stronger else min(self.facts.stops, default=category)

    def _lose(self, failure: Exception) -> None:
        if self._writer is not None:  # an output may be on, and the wire may still carry a stop
            self.urgent_stop(StopCategory.CUT_POWER)
        self._let_go()
        self._report(Troubled(self.spec.name, str(failure)))

    def _let_go(self) -> None:
        reader, transport = self._reader, self._transport
        self._reader = self._writer = self._transport = None
        self._stop_bytes = {}
        if reader is not None:
            reader.close()
        if transport is not None:
            transport.close()
