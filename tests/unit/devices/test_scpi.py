"""SCPI supplies: dialects, the encoder, errors, and the simulated supply's load, slew, brown-out and protections."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.rigs.scpi import ScpiDriver, SupplyWriter
from devices.rigs.scpi_dialect import SHIPPED, dialect_of, error_number
from devices.sim.scpi_supply import ScpiSupplySimulator
from hilgui.errors import ProfileBroken, RigGarbled, RigIdentityWrong, RigRefused, RigTimeout
from hilgui.rigs import DeadManKind, DeviceSpec, StopCategory, Transport
from tests.unit.devices.test_board import Clock

SUPPLY = DeviceSpec("supply", "scpi")
DIALECTS = sorted(path.stem for path in SHIPPED.glob("*.yaml"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=DIALECTS)
def simulator(request: pytest.FixtureRequest, clock: Clock) -> Iterator[ScpiSupplySimulator]:
    options = {"dialect": request.param, "simulator": {"load_ohm": 10.0, "slew_v_per_s": 100.0}}
    supply = ScpiSupplySimulator(DeviceSpec("supply", "scpi", options), clock)
    yield supply
    supply.close()


@pytest.fixture
def writer(simulator: ScpiSupplySimulator) -> Iterator[SupplyWriter]:
    transport = Transport(simulator.start())
    device = DeviceSpec("supply", "scpi", {"dialect": _dialect_name(simulator)})
    writer = ScpiDriver().writer(device, transport)
    writer.identify()
    yield writer
    transport.close()


def _dialect_name(simulator: ScpiSupplySimulator) -> str:
    return "numbered" if simulator._bare else "generic"


def test_two_dialects_are_shipped_and_share_no_setting_header() -> None:
    generic, numbered = (dialect_of({"dialect": name}, "supply") for name in ("generic", "numbered"))
    assert {generic.voltage.set, generic.output.on}.isdisjoint({numbered.voltage.set, numbered.output.on})
    assert generic.end != numbered.end


def test_a_supply_says_that_nothing_stops_it_when_the_host_falls_silent() -> None:
    facts = ScpiDriver().facts(SUPPLY)
    assert facts.is_hazardous and facts.dead_man.kind is DeadManKind.NONE and not facts.dead_man.is_enough
    assert "cut_by" in facts.dead_man.says


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dialect": "klingon"}, "generic, numbered"),
        ({"max_voltage": -1}, "max_voltage"),
        ({"max_voltage": True}, "max_voltage"),
        ({"baud": 9600}, "baud"),
        ({"dialect": "/nowhere/at/all.yaml"}, "cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ProfileBroken, match=said):
        ScpiDriver().facts(DeviceSpec("supply", "scpi", options))


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('ask: "OUTP?"', 'ask: "OUTP ON"', "no query"),
        ('ask: "MEAS:VOLT?"', 'ask: "OUTP ON;MEAS:VOLT?"', "no query"),
        ('set: "SOUR:VOLT {}"', 'set: "SOUR:VOLT"', "where the number goes"),
        ("off: OUTP OFF", 'off: "OUTP OFF\\nOUTP ON"', "no single command"),
        ("off: OUTP OFF", "offf: OUTP OFF", "off: missing"),
    ],
)
def test_a_dialect_with_a_mistake_is_refused_with_its_line(tmp_path: Path, was: str, becomes: str, said: str) -> None:
    text = (SHIPPED / "generic.yaml").read_text(encoding="utf-8")
    assert was in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(was, becomes, 1), encoding="utf-8")
    with pytest.raises(ProfileBroken, match=said) as raised:
        ScpiDriver().facts(DeviceSpec("supply", "scpi", {"dialect": str(path)}))
    assert raised.value.line and "mine.yaml" in str(raised.value)


@given(st.text(max_size=30))
def test_the_encoder_lets_no_text_end_or_chain_a_line(text: str) -> None:
    dialect = dialect_of({}, "supply")
    try:
        line = dialect.line(text)
    except ValueError:
        return
    assert line.count(b"\n") == 1 and line.endswith(b"\n") and b";" not in line and line[:-1].decode().isprintable()


@given(st.floats(0, 1000))
def test_a_set_line_that_is_cut_short_never_sets_more(value: float) -> None:
    line = dialect_of({}, "supply").setting("voltage", value).decode().strip()
    number = line.removeprefix("SOUR:VOLT ")
    assert float(number) == pytest.approx(value, abs=1e-4)
    assert all(float(number[:cut]) <= float(number) for cut in range(1, len(number)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_encoded(value: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        dialect_of({}, "supply").setting("voltage", value)


@pytest.mark.parametrize(
    ("answer", "number"),
    [('0,"No error"', 0), ('-222,"Data out of range"', -222), ("104", 104), ("+0", 0), ("ERROR", None), ("", None)],
)
def test_error_answers_are_read(answer: str, number: int | None) -> None:
    assert error_number(answer) == number


def test_answers_with_headers_and_units_are_read() -> None:
    numbered = dialect_of({"dialect": "numbered"}, "supply")
    assert numbered.voltage.value("V1 12.500") == 12.5 and numbered.measured_voltage.value("12.48V") == 12.48
    assert math.isnan(numbered.voltage.value("V2 12.500")) and math.isnan(numbered.measured_voltage.value("12.48A"))
    generic = dialect_of({}, "supply")
    assert generic.output.value("ON") == 1.0 and generic.output.value("0") == 0.0
    assert all(math.isnan(generic.measured_voltage.value(text)) for text in ("9.91E37", "-9.9e+37", "", "12,0", "nan"))


def test_what_the_supply_refuses_is_an_error_with_its_words(
    writer: SupplyWriter, simulator: ScpiSupplySimulator
) -> None:
    with simulator.lock:
        simulator._ratings["voltage"] = 20.0
    with pytest.raises(RigRefused, match="222"):
        writer.set("voltage", 25.0)
    writer.set("voltage", 5.0)
    assert simulator.outputs()["voltage"] == 5.0


def test_the_front_panel_is_taken_and_given_back(writer: SupplyWriter, simulator: ScpiSupplySimulator) -> None:
    writer.set("voltage", 5.0)
    assert simulator.is_remote == (_dialect_name(simulator) == "generic")  # the other has no command for it
    writer.close()
    writer.close()
    assert _told(simulator, b"LOC")


def _told(simulator: ScpiSupplySimulator, part: bytes) -> bool:
    for _ in range(500):
        if part in simulator.sent():
            return True
        simulator._end.wait(0.01)
    return False


def test_an_output_that_does_not_go_on_is_an_error(writer: SupplyWriter, simulator: ScpiSupplySimulator) -> None:
    simulator.override("output", "0")
    with pytest.raises(RigRefused, match="was set to 1 and reads back 0"):
        writer.set("output", 1.0)


def test_without_an_error_queue_every_setting_is_read_back(tmp_path: Path) -> None:
    text = (SHIPPED / "generic.yaml").read_text(encoding="utf-8").replace('error: {ask: "SYST:ERR?"}\n', "")
    path = tmp_path / "quiet.yaml"
    path.write_text(text, encoding="utf-8")
    device = DeviceSpec("supply", "scpi", {"dialect": str(path)})
    simulator = ScpiSupplySimulator(device)
    transport = Transport(simulator.start())
    try:
        writer = ScpiDriver().writer(device, transport)
        writer.set("voltage", 5.0)
        simulator.override("voltage", "4.0")
        with pytest.raises(RigRefused, match="reads back 4"):
            writer.set("voltage", 6.0)
    finally:
        transport.close()
        simulator.close()


def test_an_output_that_does_not_go_off_is_an_error(writer: SupplyWriter, simulator: ScpiSupplySimulator) -> None:
    writer.set("output", 1.0)
    simulator.override("output", "1")
    with pytest.raises(RigGarbled, match="reads 1"):
        writer.safe_state()
    simulator.override("output", "?")
    with pytest.raises(RigGarbled, match="nothing clear"):
        writer.stop(StopCategory.CUT_POWER)


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(
    writer: SupplyWriter, simulator: ScpiSupplySimulator
) -> None:
    writer.set("voltage", 7.0)
    simulator.slow_down(0.3)
    with pytest.raises(RigTimeout):
        writer.read("voltage")
    simulator.slow_down(0.0)
    for _ in range(100):
        with suppress(RigTimeout):
            assert writer.read("current").value == 1.0
            return
    pytest.fail("the supply never answered again")


def test_another_thing_at_the_port_is_found_out(writer: SupplyWriter, simulator: ScpiSupplySimulator) -> None:
    simulator.override("identify", "ERROR")
    with pytest.raises(RigIdentityWrong, match="baud"):
        writer.identify()


def _switch_on(simulator: ScpiSupplySimulator, volts: float) -> None:
    dialect = simulator._dialect
    simulator.take(dialect.setting("voltage", volts) + dialect.setting("current", 2.0) + dialect.setting("output", 1.0))


def test_the_output_slews_and_limits_its_current(simulator: ScpiSupplySimulator, clock: Clock) -> None:
    _switch_on(simulator, 12.0)
    clock.now_s += 0.05
    assert simulator.terminals() == pytest.approx((5.0, 0.5))
    clock.now_s += 1.0
    assert simulator.terminals() == pytest.approx((12.0, 1.2))
    simulator.draw(2.0)
    clock.now_s += 1.0
    assert simulator.terminals() == pytest.approx((4.0, 2.0))


def test_a_regulator_that_runs_away_trips_the_protection(simulator: ScpiSupplySimulator, clock: Clock) -> None:
    _switch_on(simulator, 12.0)
    dialect = simulator._dialect
    simulator.take(dialect.setting("ovp", 14.0))
    clock.now_s += 1.0
    simulator.run_away(10.0)
    clock.now_s += 1.0
    assert simulator.terminals()[0] == 0.0 and simulator.outputs()["output"] == 0.0
    simulator.take(dialect.setting("output", 1.0))
    assert simulator.outputs()["output"] == 0.0  # not before it is cleared
    assert dialect.clear_protection is not None
    simulator.run_away(0.0)
    simulator.take(dialect.line(dialect.clear_protection) + dialect.setting("output", 1.0))
    assert simulator.outputs()["output"] == 1.0


@pytest.mark.parametrize(("mains", "is_on"), [(0.8, 1.0), (0.3, 0.0)])
def test_a_brown_out_sags_and_a_deep_one_switches_off(
    simulator: ScpiSupplySimulator, clock: Clock, mains: float, is_on: float
) -> None:
    _switch_on(simulator, 10.0)
    clock.now_s += 1.0
    simulator.dip(mains)
    clock.now_s += 1.0
    assert simulator.terminals()[0] == pytest.approx(8.0 * is_on)
    simulator.dip(1.0)
    clock.now_s += 1.0
    assert simulator.outputs()["output"] == is_on  # what went off stays off
