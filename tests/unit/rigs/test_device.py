"""The worker of one device: what is on its wire at the end, and when it is asked for a stop that it does not have."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from hilgui.errors import RigTimeout
from hilgui.rigs.device import Carried, DeviceWorker, Identified, Report, Troubled
from hilgui.rigs.ports import SerialSettings
from hilgui.rigs.protocol import DeviceSpec, Perform, Reading, RigFacts, RigWriter, SetValue, StopCategory
from hilgui.rigs.rehearsal.board import RehearsalDriver, RehearsalWriter
from hilgui.rigs.rehearsal.simulator import RehearsalSimulator
from hilgui.rigs.transport import Link

_SPEC = DeviceSpec("board", "rehearsal", {"dead_man_ms": 0, "tcp": 1})  # only a stop can put it off
_PATIENCE_S = 20.0


class _Failing(RehearsalWriter):
    """A driver with a mistake: two of its actions raise what no driver should."""

    def perform(self, action: str, arguments: object) -> None:
        raise {"home": ZeroDivisionError("a mistake of the driver"), "wait": RigTimeout("no answer")}[action]


class _Silenced(RehearsalWriter):
    """A driver that loses its device while it polls."""

    is_deaf = False

    def signals(self) -> tuple[Reading, ...]:
        if self.is_deaf:
            raise RigTimeout("no answer")
        return super().signals()


class _Driver(RehearsalDriver):
    def __init__(self, stops: tuple[StopCategory, ...] = tuple(StopCategory)) -> None:
        self._stops = stops

    def facts(self, device: DeviceSpec) -> RigFacts:
        facts = super().facts(device)
        stops = {category: says for category, says in facts.stops.items() if category in self._stops}
        return replace(facts, stops=stops, poll_s=0.02)


class _Bench:
    def __init__(
        self, simulator: RehearsalSimulator, driver: _Driver, make: Callable[[DeviceSpec, Link], RigWriter]
    ) -> None:
        self._simulator = simulator
        self._heard: queue.SimpleQueue[Report] = queue.SimpleQueue()
        address, settings = simulator.start(), SerialSettings()
        self.worker = DeviceWorker(
            _SPEC, address, settings, driver, make, self._heard.put, lambda: True, {"voltage": 0.0, "lamp": 0.0}
        )

    def wait(self, kind: type[Report]) -> Report:
        deadline = time.monotonic() + _PATIENCE_S
        while (left := deadline - time.monotonic()) > 0:
            report = self._heard.get(timeout=left)
            if isinstance(report, kind):
                return report
        raise AssertionError(f"no {kind.__name__}")

    def live(self) -> None:
        """Have an output on."""
        self.wait(Identified)
        self.worker.open_writer()
        self.worker.ask(1, SetValue("board", "voltage", 12.0), time.monotonic_ns())
        carried = self.wait(Carried)
        assert isinstance(carried, Carried) and carried.done.is_ok, carried
        assert self._simulator.outputs()["voltage"] == 12.0

    def eventually(self, holds: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + _PATIENCE_S
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.005)
        return holds()


@contextmanager
def _bench(
    driver: _Driver | None = None, make: Callable[[DeviceSpec, Link], RigWriter] = RehearsalWriter
) -> Iterator[tuple[_Bench, RehearsalSimulator]]:
    simulator = RehearsalSimulator(_SPEC)
    bench = _Bench(simulator, driver or _Driver(), make)
    bench.worker.start()
    try:
        yield bench, simulator
    finally:
        bench.worker.close(_PATIENCE_S)
        simulator.close()


@pytest.mark.parametrize("action", ["home", "wait"])
def test_a_driver_that_fails_while_an_output_is_on_leaves_a_cut_on_the_wire(action: str) -> None:
    with _bench(make=_Failing) as (bench, simulator):
        bench.live()
        before = simulator.sent()
        bench.worker.ask(2, Perform("board", action), time.monotonic_ns())
        assert isinstance(bench.wait(Troubled), Troubled)
        assert bench.eventually(lambda: b"STOP 0\n" in simulator.sent()[len(before) :])
        assert bench.eventually(lambda: not any(simulator.outputs().values()))


def test_a_device_given_up_after_missed_answers_is_cut_too() -> None:
    writers: list[_Silenced] = []

    def make(device: DeviceSpec, link: Link) -> RigWriter:
        writers.append(_Silenced(device, link))
        return writers[-1]

    with _bench(make=make) as (bench, simulator):
        bench.live()
        assert not simulator.stops()
        writers[-1].is_deaf = True
        bench.wait(Troubled)
        assert bench.eventually(lambda: b"STOP 0\n" in simulator.sent() and not any(simulator.outputs().values()))


def test_a_device_that_was_only_read_gets_no_byte_at_its_end() -> None:
    with _bench(make=_Failing) as (bench, simulator):
        bench.wait(Identified)
        simulator.flood()  # the reader gives up
        bench.wait(Troubled)
        assert set(simulator.sent().split(b"\n")) <= {b"ID?", b"GET?", b""}


@pytest.mark.parametrize(
    ("stops", "sent", "voltage"),
    [
        (tuple(StopCategory), b"STOP 2\n", 12.0),
        ((StopCategory.CUT_POWER,), b"STOP 0\n", 0.0),
        ((StopCategory.CUT_POWER, StopCategory.RAMP_THEN_CUT), b"STOP 1\n", 0.0),
    ],
)
def test_a_hold_is_done_by_the_next_stronger_stop_that_a_device_has(
    stops: tuple[StopCategory, ...], sent: bytes, voltage: float
) -> None:
    with _bench(_Driver(stops)) as (bench, simulator):
        bench.live()
        before = simulator.sent()
        assert bench.worker.urgent_stop(StopCategory.RAMP_AND_HOLD)
        bench.worker.hold()
        assert bench.eventually(lambda: simulator.sent()[len(before) :].count(sent) >= 2)  # at once, and by its driver
        assert simulator.outputs()["voltage"] == voltage
