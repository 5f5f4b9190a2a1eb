"""What every rig driver promises, tried against the simulator that speaks its device's bytes."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hilgui import plugins
from hilgui.errors import RigBlocked, RigBroken, RigGarbled, RigIdentityWrong, RigLost, RigRefused, RigTimeout
from hilgui.rigs import DeadManKind, DeviceSpec, QueryLink, RigDriver, RigSimulator, RigWriter, StopCategory, Transport
from hilgui.rigs.faults import Fault, FaultKind
from hilgui.rigs.protocol import DRIVERS, SIMULATORS, Channel
from hilgui.rigs.transcript import Direction

_PATIENCE_S = 10.0  # the machine may be busy; no figure is measured here


def _examples() -> list[Any]:
    rows = []
    for name, simulator in plugins.working(SIMULATORS).items():
        rows += [pytest.param((name, spec), id=f"{name}:{spec.name}") for spec in simulator.examples]
    return rows


@dataclasses.dataclass
class Bench:
    driver: RigDriver
    device: DeviceSpec
    simulator: RigSimulator
    transport: Transport

    def writer(self, device: DeviceSpec | None = None) -> RigWriter:
        return self.driver.writer(device or self.device, self.transport)

    def query_link(self) -> QueryLink:
        return QueryLink(self.transport, lambda sent: self.driver.is_query(self.device, sent))

    def settable(self) -> list[Channel]:
        return [channel for channel in self.driver.facts(self.device).channels if channel.is_writable]


@pytest.fixture(params=_examples())
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    name, device = request.param
    simulator = plugins.working(SIMULATORS)[name](device)
    port = simulator.start()
    try:
        transport = Transport(port)
        try:
            yield Bench(plugins.working(DRIVERS)[name](), device, simulator, transport)
        finally:
            transport.close()
    finally:
        simulator.close()
        simulator.close()


def _eventually(holds: Callable[[], bool], feed: Callable[[], object] = lambda: None) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if holds():
            return True
        feed()
        time.sleep(0.02)
    return holds()


def _target(channel: Channel) -> float:
    """Give a value apart from the safe one, near enough for an axis to arrive soon."""
    if channel.unit == "":
        return channel.high
    span = channel.high - channel.low
    return channel.low + (0.5 if span <= 1 else min(span / 4, 1.0))


def test_every_driver_and_simulator_loads_and_has_its_counterpart() -> None:
    for group in (DRIVERS, SIMULATORS):
        assert not {name: plugin.reason for name, plugin in plugins.load(group).items() if plugin.reason}
    assert set(plugins.working(DRIVERS)) == set(plugins.working(SIMULATORS))
    assert all(driver.name == name for name, driver in plugins.working(DRIVERS).items())


def test_the_facts_make_sense_without_a_device(bench: Bench) -> None:
    facts = bench.driver.facts(bench.device)
    names = [channel.name for channel in facts.channels]
    assert names and len(names) == len(set(names))
    for channel in facts.channels:
        assert channel.low < channel.high and channel.tolerance >= 0
        assert channel.safe is None or channel.low <= channel.safe <= channel.high
        assert not channel.is_hazardous or channel.is_writable
    if facts.is_hazardous:
        assert StopCategory.CUT_POWER in facts.stops or StopCategory.RAMP_THEN_CUT in facts.stops
    assert (facts.dead_man.kind is DeadManKind.NONE) == (facts.dead_man.timeout_ms == 0)
    assert bench.simulator.sent() == b""


def test_a_reader_reads_everything_and_sends_nothing_but_queries(bench: Bench) -> None:
    before = dict(bench.simulator.outputs())
    link = bench.query_link()
    reader = bench.driver.reader(bench.device, link)
    assert str(reader.identify())
    readings = reader.signals()
    known = {channel.name: channel for channel in bench.driver.facts(bench.device).channels}
    assert readings and {reading.channel for reading in readings} <= set(known)
    assert all(reading.unit == known[reading.channel].unit for reading in readings)
    assert reader.read(readings[0].channel).channel == readings[0].channel
    reader.close()
    reader.close()
    assert link.blocked == 0
    assert bench.simulator.outputs() == before


def test_a_reader_has_no_way_to_actuate(bench: Bench) -> None:
    reader = bench.driver.reader(bench.device, bench.query_link())
    assert not isinstance(reader, RigWriter)
    assert not any(
        hasattr(reader, name) for name in ("set", "perform", "stop", "stop_bytes", "safe_state", "keep_alive")
    )


def test_a_writer_on_a_query_link_is_refused_and_nothing_moves(bench: Bench) -> None:
    before = dict(bench.simulator.outputs())
    link = bench.query_link()
    writer = bench.driver.writer(bench.device, link)
    for channel in bench.settable():
        with pytest.raises(RigBlocked):
            writer.set(channel.name, _target(channel))
    with pytest.raises(RigBlocked):
        writer.safe_state()
    assert link.blocked > 0
    assert bench.simulator.outputs() == before


def test_an_allowed_query_cannot_carry_anything_else(bench: Bench) -> None:
    bench.driver.reader(bench.device, bench.query_link()).identify()
    queries = {entry.data for entry in bench.transport.transcript.since(0) if entry.direction is Direction.SENT}
    stop = bench.writer().stop_bytes(StopCategory.CUT_POWER).data
    assert queries
    for query in queries:
        for smuggled in (query + stop, stop + query, stop, b"", query + b"\n\n" + stop):
            assert not bench.driver.is_query(bench.device, smuggled)


def test_what_is_set_reads_back(bench: Bench) -> None:
    writer = bench.writer()
    writer.identify()
    for channel in bench.settable():
        writer.keep_alive()
        writer.set(channel.name, _target(channel))

        def arrived(channel: Channel = channel) -> bool:
            return abs(bench.simulator.outputs()[channel.name] - _target(channel)) <= channel.tolerance + 1e-9

        assert _eventually(arrived, writer.keep_alive), (channel, bench.simulator.outputs())
        assert abs(writer.read(channel.name).value - _target(channel)) <= channel.tolerance + 1e-9


def test_values_out_of_range_are_refused_before_the_wire(bench: Bench) -> None:
    writer = bench.writer()
    writer.identify()
    sent = bench.transport.transcript.count(Direction.SENT)
    for channel in bench.settable():
        for value in (channel.high + 1, channel.low - 1, math.nan, math.inf, -math.inf):
            with pytest.raises(RigRefused):
                writer.set(channel.name, value)
    with pytest.raises(RigRefused):
        writer.set("no such channel\r\n", 0.0)
    with pytest.raises(RigRefused):
        writer.perform("no such action\r\n", {})
    assert bench.transport.transcript.count(Direction.SENT) == sent


def _is_at_rest(bench: Bench) -> bool:
    first = dict(bench.simulator.outputs())
    time.sleep(0.05)
    outputs = bench.simulator.outputs()
    safe = {channel.name: channel.safe for channel in bench.settable() if channel.is_hazardous}
    return all(
        outputs[name] == first[name] if value is None else abs(outputs[name] - value) < 1e-6
        for name, value in safe.items()
    )


@pytest.mark.parametrize("way", ["stop", "urgent", "safe_state"])
def test_every_way_of_stopping_ends_safe(bench: Bench, way: str) -> None:
    writer = bench.writer()
    writer.identify()
    for channel in bench.settable():
        writer.keep_alive()
        writer.set(channel.name, _target(channel))
    stops = bench.driver.facts(bench.device).stops
    category = max(each for each in stops if each is not StopCategory.RAMP_AND_HOLD)
    if way == "urgent":
        stop = writer.stop_bytes(category)
        assert bench.transport.urgent(stop.data, stop.gap_s)
        bench.transport.resume()
    if way != "safe_state":
        writer.stop(category)
    writer.safe_state()
    writer.safe_state()
    assert _eventually(lambda: _is_at_rest(bench)), bench.simulator.outputs()
    writer.signals()  # the driver has found its feet again


def test_the_urgent_stop_alone_is_enough(bench: Bench) -> None:
    writer = bench.writer()
    writer.identify()
    for channel in bench.settable():
        writer.keep_alive()
        writer.set(channel.name, _target(channel))
    stops = bench.driver.facts(bench.device).stops
    stop = writer.stop_bytes(max(each for each in stops if each is not StopCategory.RAMP_AND_HOLD))
    assert bench.transport.urgent(stop.data, stop.gap_s)
    assert _eventually(lambda: _is_at_rest(bench)), bench.simulator.outputs()


def test_the_dead_man_acts_when_the_host_falls_silent(bench: Bench) -> None:
    facts = bench.driver.facts(bench.device)
    writer = bench.writer()
    writer.identify()
    if facts.dead_man.kind is not DeadManKind.DEVICE:
        assert not facts.dead_man.is_enough or facts.dead_man.kind is DeadManKind.RELAY
        writer.keep_alive()  # costs nothing and does nothing
        return
    for channel in bench.settable():
        writer.keep_alive()
        writer.set(channel.name, _target(channel))
    writer.keep_alive()
    assert _eventually(lambda: _is_at_rest(bench)), bench.simulator.outputs()


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        (Fault(FaultKind.DROP, on_read=False), RigTimeout),
        (Fault(FaultKind.STALL), RigTimeout),
        (Fault(FaultKind.DISCONNECT), RigLost),
        (Fault(FaultKind.FLOOD, on_write=False), (RigGarbled, RigTimeout, RigIdentityWrong)),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Fault) else "",
)
def test_a_faulty_wire_is_a_rig_error_in_bounded_time(bench: Bench, fault: Fault, raised: Any) -> None:
    reader = bench.driver.reader(bench.device, bench.query_link())
    reader.identify()
    bench.transport.faults.inject(fault)
    began = time.monotonic()
    with pytest.raises(raised):
        reader.identify()
    assert time.monotonic() - began < _PATIENCE_S
    bench.transport.faults.clear()


def test_a_flipped_bit_raises_nothing_but_a_rig_error(bench: Bench) -> None:
    reader = bench.driver.reader(bench.device, bench.query_link())
    reader.identify()
    bench.transport.faults.inject(Fault(FaultKind.CORRUPT, on_write=False))
    for ask in (reader.identify, reader.signals):
        with contextlib.suppress(RigBroken):
            ask()
    assert bench.transport.faults.injected
    bench.transport.faults.clear()
    reader.identify()


def test_another_device_is_found_out(bench: Bench) -> None:
    other = dataclasses.replace(bench.device, identity="a device that nobody made")
    with pytest.raises(RigIdentityWrong):
        bench.driver.reader(other, bench.query_link()).identify()


def test_a_hold_keeps_every_output_that_does_not_move(bench: Bench) -> None:
    facts, writer = bench.driver.facts(bench.device), bench.writer()
    if StopCategory.RAMP_AND_HOLD not in facts.stops:
        pytest.skip("has no category 2: the supervisor cuts it")
    writer.identify()
    for channel in bench.settable():
        writer.keep_alive()
        writer.set(channel.name, _target(channel))
    stop = writer.stop_bytes(StopCategory.RAMP_AND_HOLD)
    assert bench.transport.urgent(stop.data, stop.gap_s)
    bench.transport.resume()
    writer.stop(StopCategory.RAMP_AND_HOLD)
    before = dict(bench.simulator.outputs())
    writer.keep_alive()
    for channel in bench.settable():
        if channel.safe is not None:  # the others are places, and a move ends where the hold finds it
            assert abs(bench.simulator.outputs()[channel.name] - _target(channel)) <= channel.tolerance + 1e-9
            assert abs(writer.read(channel.name).value - _target(channel)) <= channel.tolerance + 1e-9
    assert bench.simulator.outputs() == before
