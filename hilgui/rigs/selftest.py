"""The guarantees of the rig, measured on this machine against the rehearsal board: kills, freezes, faults, nonsense.

Nothing here touches a real port. Each figure says what was measured, how often, against which limit.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from hilgui.errors import RigBroken, RigBusy, SupervisorLost
from hilgui.rigs.arming import State
from hilgui.rigs.client import SupervisorClient
from hilgui.rigs.extreme import extreme_conditions
from hilgui.rigs.figure import Figure
from hilgui.rigs.protocol import DeviceSpec, SetValue, StopCategory
from hilgui.rigs.rehearsal.board import CHANNELS, QUERIES, RehearsalDriver, RehearsalWriter
from hilgui.rigs.rehearsed import switch_on
from hilgui.rigs.simulation import Simulation
from hilgui.rigs.transport import ANSWER_S, LINE_LIMIT, QueryLink, Transport
from hilgui.rigs.urgency import HOW_TO, possible_urgency

PROFILE = """\
schema: hilgui/rig.v1
name: selftest
devices:
  - {name: board, driver: rehearsal, port: {simulator: true}, options: {dead_man_ms: 200}}
hazards:
  - {id: H1, text: the supply burns what hangs on it}
invariants:
  - {id: supply_max, version: 1, severity: stop, signal: board.voltage, unit: V, operator: "<=", limit: 14.4 V,
     hazard_id: H1, rationale: the camera dies above, tests: [hilgui rig selftest]}
"""
_TCP = "tcp.yaml"  # the same board on TCP: no kernel thread of usual priority carries its bytes
_BOARD = DeviceSpec("board", "rehearsal", {"dead_man_ms": 200})
_12_V = SetValue("board", "voltage", 12.0)
_ME = "selftest"
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each thing is tried."""

    shadow: int = 10_000
    stops: int = 50
    kills: int = 3
    soak_s: float = 10.0


def run(effort: Effort, tell: Callable[[str], None] = lambda what: None) -> list[Figure]:
    """Measure everything; a minute and more. `tell` hears what is under way."""
    with tempfile.TemporaryDirectory(prefix="hilgui-selftest-") as name:
        folder = Path(name)
        write_profiles(folder)
        steps: list[tuple[str, Callable[[], list[Figure]]]] = [
            ("shadow", lambda: shadow_cannot_actuate(effort.shadow)),
            ("scheduling", scheduling),
            ("STOP under load", lambda: stop_to_bytes(folder, effort.stops)),
            ("front end killed", lambda: [front_end_lost(folder, "killed", effort.kills)]),
            ("front end frozen", lambda: [front_end_lost(folder, "frozen", effort.kills)]),
            ("event loop blocked", lambda: [front_end_lost(folder, "blocked", effort.kills)]),
            ("supervisor killed", lambda: supervisor_killed(folder, effort.kills)),
            ("faults", lambda: faults(folder)),
            ("extreme conditions", lambda: extreme_conditions(folder)),
            ("soak", lambda: soak(folder, effort.soak_s)),
        ]
        figures = []
        for what, measure in steps:
            tell(what)
            figures += measure()
        return figures


def write_profiles(folder: Path) -> None:
    """Write the profiles that the measurements use."""
    (folder / "rig.yaml").write_text(PROFILE, encoding="utf-8")
    (folder / _TCP).write_text(PROFILE.replace("dead_man_ms: 200", "dead_man_ms: 200, tcp: 1"), encoding="utf-8")


def scheduling() -> list[Figure]:
    """Say how soon a supervisor of this user gets the processor."""
    urgency = possible_urgency()
    shown = "tests/unit/rigs/test_selftest.py::test_the_self_test_says_how_the_supervisor_is_scheduled"
    said = urgency.scheduling + (f" ({urgency.why}; {HOW_TO})" if urgency.why else "")
    return [Figure("scheduling of the supervisor", "real-time where allowed", said, 1, True, shown)]


class _CountingLink:
    """A link to nowhere that remembers what is no query."""

    port = "nowhere"

    def __init__(self) -> None:
        self.actuation_bytes = 0

    def write(self, data: bytes, timeout_s: float = ANSWER_S) -> None:
        if data not in QUERIES:
            self.actuation_bytes += len(data)

    def read_line(self, timeout_s: float = ANSWER_S, *, end: bytes = b"\n", limit: int = LINE_LIMIT) -> bytes:
        return b"0 0 0 23.5"

    def read_exactly(self, count: int, timeout_s: float = ANSWER_S) -> bytes:
        return bytes(count)

    def read_some(self, timeout_s: float, limit: int = 0) -> bytes:
        return b""

    def discard_input(self, quiet_s: float = 0.0, timeout_s: float = ANSWER_S) -> int:
        return 0


def shadow_cannot_actuate(count: int, seed: int = 7) -> list[Figure]:
    """Make a writer where shadow mode would have a reader, and give it nonsense and sense alike."""
    wire, dice, driver = _CountingLink(), random.Random(seed), RehearsalDriver()
    link = QueryLink(wire, lambda sent: driver.is_query(_BOARD, sent))
    writer = RehearsalWriter(_BOARD, link)
    names = [channel.name for channel in CHANNELS] + ["nothing", "voltage\n"]
    passed = 0
    for _ in range(count):
        with suppress(RigBroken):
            match dice.randrange(7):
                case 0:
                    writer.set(dice.choice(names), dice.choice((0.0, 1.0, dice.uniform(-50, 50), float("nan"))))
                case 1:
                    writer.perform(dice.choice(("home", "fly")), {})
                case 2:
                    writer.stop(dice.choice(list(StopCategory)))
                case 3:
                    writer.safe_state()
                case 4:
                    writer.keep_alive()
                case 5:
                    link.write(
                        dice.choice((b"", b"ID?\n", b"GET?\nSET voltage 5\n")) + dice.randbytes(dice.randrange(9))
                    )
                case 6:
                    writer.signals()
                    passed += 1
    measured = f"{wire.actuation_bytes} actuation bytes, {link.blocked} writes refused, {passed} queries let through"
    is_good = wire.actuation_bytes == 0 and link.blocked > 0 and passed > 0
    shown = "tests/unit/rigs/test_selftest.py::test_shadow_cannot_actuate_in_ten_thousand_commands"
    return [Figure("shadow cannot actuate", "0 actuation bytes", measured, count, is_good, shown)]


@contextmanager
def _rig(folder: Path, profile: str = "rig.yaml") -> Iterator[tuple[SupervisorClient, Simulation]]:
    client = SupervisorClient(folder / profile, folder)
    client.start()
    try:
        client.wait_ready()
        assert client.simulation is not None
        yield client, client.simulation
    finally:
        client.close()


@contextmanager
def load(threads: int = 4) -> Iterator[None]:
    """Keep all cores and `threads` threads of this process busy."""
    over = threading.Event()
    context = multiprocessing.get_context("spawn")
    burners = [context.Process(target=_burn, daemon=True) for _ in range(os.cpu_count() or 1)]
    busy = [threading.Thread(target=_spin, args=(over,), name=f"busy:{n}") for n in range(threads)]
    try:
        for burner in burners:
            burner.start()
        for thread in busy:
            thread.start()
        yield
    finally:
        over.set()
        for thread in busy:
            thread.join()
        for burner in burners:
            burner.kill()
            burner.join()
            burner.close()


def _burn() -> None:
    while True:
        sum(range(10_000))


def _spin(over: threading.Event) -> None:
    while not over.is_set():
        sum(range(1000))


def stop_to_bytes(folder: Path, count: int, busy: Callable[[], AbstractContextManager[None]] = load) -> list[Figure]:
    """Press STOP, again and again, while everything is `busy`; every tenth time the rig is armed before."""
    pressed: list[Hops] = []
    with _rig(folder, _TCP) as (client, board), busy():
        for press in range(count):
            if press % 10 == 0:
                switch_on(client, _ME, (_12_V,))
            pressed.append(_press(client, board))
    to_port = _spread([each.to_port_ms for each in pressed])
    shown = "tests/unit/rigs/test_selftest.py::test_stop_reaches_the_device_under_load"
    limit = "p99 ≤ 100 ms, max ≤ 250 ms, 4 busy threads, all cores at 100 %"
    hops = (
        f"call to supervisor {_spread([each.to_supervisor_ms for each in pressed])}; "
        f"supervisor to port {_spread([each.through_ms for each in pressed])}; "
        f"port to the simulated device {_spread([each.to_device_ms for each in pressed])}"
    )
    holds = to_port.p99 <= 100 and to_port.longest <= 250
    return [
        Figure("STOP to bytes on the port", limit, str(to_port), count, holds, shown),
        Figure("its hops", "", hops, count, holds, shown),
    ]


@dataclass(frozen=True, slots=True)
class Hops:
    """One press of STOP, milliseconds; infinite where something never came."""

    to_supervisor_ms: float  # from the call in the front end to the supervisor's ear
    through_ms: float  # from there until the ports have taken the bytes
    to_device_ms: float  # from there until the simulated device has read them: its own lateness, not ours

    @property
    def to_port_ms(self) -> float:
        """Give what is guaranteed."""
        return self.to_supervisor_ms + self.through_ms


@dataclass(frozen=True, slots=True)
class Spread:
    """Of many times, milliseconds."""

    p50: float
    p99: float
    longest: float

    def __str__(self) -> str:
        """Say it."""
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, max {self.longest:.1f} ms"


def _spread(times_ms: list[float]) -> Spread:
    ranked = sorted(times_ms)
    return Spread(ranked[len(ranked) // 2], ranked[-(-99 * len(ranked) // 100) - 1], ranked[-1])


def _press(client: SupervisorClient, board: Simulation) -> Hops:
    heard, before = len(board.call("board", "stops")), client.stop_timed
    called_ns = time.monotonic_ns()
    client.stop(_ME)
    deadline = time.monotonic() + _PATIENCE_S
    stops: list[int] = []
    while (client.stop_timed is before or len(stops) <= heard) and time.monotonic() < deadline:
        client.poll()
        time.sleep(0.002)
        stops = board.call("board", "stops")
    client.wait_for(State.LATCHED, timeout_s=_PATIENCE_S)
    timed = client.stop_timed
    if timed is None or timed is before or timed.devices == 0 or len(stops) <= heard:
        return Hops(math.inf, math.inf, math.inf)
    return Hops(
        (timed.heard_ns - called_ns) / 1e6,
        (timed.written_ns - timed.heard_ns) / 1e6,
        max(0.0, (stops[heard] - timed.written_ns) / 1e6),
    )


def _front_end(pipe: Connection, folder: Path, addresses: dict[str, str]) -> None:
    """Play a front end that arms the rig and goes on polling, until it is told to block."""
    client = SupervisorClient(folder / "rig.yaml", folder)
    client.start(addresses=addresses)
    try:
        client.wait_ready()
        switch_on(client, _ME, (_12_V,))
        pipe.send(client.pid)
        while not pipe.poll(0.02):
            client.poll()
        time.sleep(_PATIENCE_S)  # an event loop that is blocked in a slot
    except (EOFError, SupervisorLost):
        return  # what it was started for has happened
    finally:
        client.close()


@contextmanager
def _armed_elsewhere(folder: Path) -> Iterator[tuple[SpawnProcess, int, Connection, Simulation]]:
    board = Simulation([_BOARD])
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_front_end, args=(theirs, folder, dict(board.addresses)), name="front-end")
    process.start()
    theirs.close()
    try:
        if not pipe.poll(2 * _PATIENCE_S):
            raise SupervisorLost("the front end of the self-test did not arm the rehearsal board")
        yield process, pipe.recv(), pipe, board
    finally:
        process.kill()
        process.join()
        process.close()
        pipe.close()
        board.close()


def front_end_lost(folder: Path, how: str, count: int) -> Figure:
    """Kill, freeze or block a front end while the rig is armed; time until a STOP reaches the device."""
    times_ms = []
    for _ in range(count):
        with _armed_elsewhere(folder) as (process, _, pipe, board):
            heard = len(board.call("board", "stops"))
            began_ns = time.monotonic_ns()
            if how == "blocked":
                pipe.send("block")
            else:
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL if how == "killed" else signal.SIGSTOP)
            stops = _await_stop(board, heard)
            times_ms.append((stops[heard] - began_ns) / 1e6 if len(stops) > heard else float("inf"))
    limit_ms = 50 if how == "killed" else 600
    name = {
        "killed": "GUI killed → STOP",
        "frozen": "GUI frozen (SIGSTOP) → STOP",
        "blocked": "GUI's event loop blocked → STOP",
    }[how]
    shown = f"tests/unit/rigs/test_selftest.py::test_a_front_end_that_is_lost_stops_the_rig[{how}]"
    return Figure(name, f"≤ {limit_ms} ms", f"max {max(times_ms):.1f} ms", count, max(times_ms) <= limit_ms, shown)


def _await_stop(board: Simulation, heard: int) -> list[int]:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        stops: list[int] = board.call("board", "stops")
        if len(stops) > heard or time.monotonic() > deadline:
            return stops
        time.sleep(0.005)


def supervisor_killed(folder: Path, count: int) -> list[Figure]:
    """Kill the supervisor while the rig is armed; time until the device's dead-man has put it off. Then start again."""
    times_ms, restarts = [], 0
    for _ in range(count):
        with _armed_elsewhere(folder) as (_, supervisor_pid, _, board):
            began_s = time.monotonic()
            os.kill(supervisor_pid, signal.SIGKILL)
            deadline = began_s + _PATIENCE_S
            while (fell_s := board.call("board", "fell_safe_at")) is None and time.monotonic() < deadline:
                time.sleep(0.005)
            times_ms.append(float("inf") if fell_s is None else (fell_s - began_s) * 1000)
        with _rig(folder) as (client, _):
            restarts += client.arming.state is not State.LATCHED
            client.reset(_ME)
            client.wait_verified(_PATIENCE_S)
    killed = Figure(
        "supervisor killed → rig safe",
        "≤ 300 ms",
        f"max {max(times_ms):.1f} ms",
        count,
        max(times_ms) <= 300,
        "tests/unit/rigs/test_selftest.py::test_a_killed_supervisor_leaves_a_safe_rig_and_a_latch",
    )
    latch = Figure(
        "latch holds",
        "0 restarts without reset",
        f"{restarts} restarts without reset",
        count,
        restarts == 0,
        "tests/unit/rigs/test_arming.py::test_the_latch_holds_through_any_history_with_crashes",
    )
    return [killed, latch]


def faults(folder: Path) -> list[Figure]:
    """Break the device while the rig is armed; each has to end latched and off."""
    figures = []
    shown = "tests/unit/rigs/test_selftest.py::test_every_fault_ends_latched_and_off"
    for name, method in (("cable pulled", "unplug"), ("device stalled", "stall"), ("endless garbage", "flood")):
        with _rig(folder) as (client, board):
            switch_on(client, _ME, (_12_V,))
            began_s = time.monotonic()
            board.call("board", method)
            client.wait_for(State.LATCHED, timeout_s=_PATIENCE_S)
            took_s = time.monotonic() - began_s
            deadline = time.monotonic() + _PATIENCE_S
            while any((outputs := board.outputs("board")).values()) and time.monotonic() < deadline:
                time.sleep(0.01)
            is_off = not any(outputs.values())
        with _rig(folder) as (client, _):
            stays = client.arming.state is State.LATCHED
            client.reset(_ME)
            client.wait_verified(_PATIENCE_S)
        measured = f"latched after {took_s * 1000:.0f} ms, outputs {'off' if is_off else 'ON'}"
        figures.append(Figure(name, "LATCHED, outputs off, also after a restart", measured, 1, is_off and stays, shown))
    with _rig(folder) as (_, board):
        try:
            Transport(board.addresses["board"]).close()
            measured = "second program got in"
        except RigBusy:
            measured = "second program refused"
    refused = measured.endswith("refused")
    figures.append(Figure("two programs on one port", "second is refused", measured, 1, refused, shown))
    return figures


def soak(folder: Path, duration_s: float, busy: Callable[[], AbstractContextManager[None]] = load) -> list[Figure]:
    """Keep the rig armed while everything is `busy`, moving now and then; nothing may trip."""
    reasons: Counter[str] = Counter()
    commands = 0
    with _rig(folder, _TCP) as (client, _), busy():
        switch_on(client, _ME, (_12_V,))
        began_s, next_s = time.monotonic(), 0.0
        while time.monotonic() - began_s < duration_s:
            client.poll()
            if client.arming.state is not State.ARMED:
                reasons[client.arming.reason] += 1
                client.wait_for(State.LATCHED, timeout_s=_PATIENCE_S)
                switch_on(client, _ME, (_12_V,))
            if time.monotonic() > next_s:
                next_s = time.monotonic() + 0.2
                client.command(SetValue("board", "lamp", float(commands % 80)))
                commands += 1
            time.sleep(0.01)
        gap_ms = 0.0 if client.status is None else client.status.gap_ms
    trips = sum(reasons.values())
    why = "".join(f"; {count} × {reason}" for reason, count in reasons.items())
    measured = f"{trips} trips in {duration_s:.0f} s at full load{why}"
    limit = "≤ 1 per 8 h at full load (scaled: 0)"
    silence = f"longest silence of the front end {gap_ms:.0f} ms"
    return [
        Figure("nuisance trips", limit, measured, commands, trips == 0, _SOAK),
        Figure("heartbeat lateness", "< 500 ms (time-out)", silence, commands, gap_ms < 500, _SOAK),
    ]


_SOAK = "tests/unit/rigs/test_selftest.py::test_a_soak_at_full_load_does_not_trip"
