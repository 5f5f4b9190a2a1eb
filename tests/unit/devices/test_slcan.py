"""The slcan driver at its simulated bus, with python-can at the other end, and with a real DBC."""

from __future__ import annotations

import math
import os
import time
import tty
from pathlib import Path
from typing import Any

import can
import pytest
from can.interfaces.slcan import slcanBus

from devices.rigs.can_map import map_of
from devices.rigs.slcan import SlcanDriver, SlcanReader
from devices.rigs.slcan_frame import CanFrame, Lines, parsed
from devices.sim.slcan import SlcanSimulator
from hilgui.errors import ProfileBroken, RigBlocked, RigBroken, RigGarbled, RigIdentityWrong, RigRefused
from hilgui.rigs import DeviceSpec, QueryLink, StopCategory, Transport
from tests.unit.devices.wire import Conversation, at_simulator, eventually, values

CAR = SlcanSimulator.examples[0]
HANDSHAKE = (
    (b"C\r", b"\r"), (b"V\r", b"V1013\r"), (b"N\r", b"NB042\r"), (b"S6\r", b"\r"), (b"L\r", b"\r"),
)  # fmt: skip


def _changed(**options: Any) -> DeviceSpec:
    return DeviceSpec("car", "slcan", {**CAR.options, **options})


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        (b"t1230", CanFrame(0x123, b"")),
        (b"t7FF811223344556677AA", CanFrame(0x7FF, bytes.fromhex("11223344556677AA"))),
        (b"T1ABCDEF02BEEF", CanFrame(0x1ABCDEF0, b"\xbe\xef", True)),
        (b"t1001FF0A0B", CanFrame(0x100, b"\xff")),  # with a time stamp
        (b"t8000", None),
        (b"t1231", None),
        (b"t123911", None),
        (b"r1230", None),
        (b"T3FFFFFFF0", None),
        (b"", None),
    ],
)
def test_lines_are_read(line: bytes, frame: CanFrame | None) -> None:
    assert parsed(line) == frame


def test_frames_are_the_lines_that_python_can_writes_and_reads() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    bus = slcanBus(os.ttyname(slave), sleep_after_open=0)
    try:
        os.read(master, 100)
        for number, data, is_extended in ((0x123, b"\x01\x02", False), (0x1ABCDE, b"", True), (0x7FF, bytes(8), False)):
            frame = CanFrame(number, data, is_extended)
            bus.send(can.Message(arbitration_id=number, data=data, is_extended_id=is_extended))
            assert os.read(master, 100) == frame.line()
            os.write(master, frame.line())
            message = bus.recv(10)
            assert message is not None
            assert (message.arbitration_id, bytes(message.data), message.is_extended_id) == (number, data, is_extended)
    finally:
        bus.shutdown()
        os.close(master)
        os.close(slave)


def test_python_can_on_the_same_bus_hears_what_the_driver_sends_and_is_heard() -> None:
    simulator = SlcanSimulator(CAR)
    second = SlcanSimulator(CAR, simulator.bus)
    port = second.start()
    bus = None
    try:
        with at_simulator(SlcanDriver(), simulator) as (writer, _):
            bus = slcanBus(port, bitrate=500_000, sleep_after_open=0)
            writer.set("lamp", 12.5)
            heard = _received(bus, 0x100)
            assert heard is not None and map_of(CAR).database.decode_message(0x100, heard.data)["Level"] == 12.5
            data = map_of(CAR).database.encode_message("Wheels", {"Speed": 88.25, "YawRate": 0})
            simulator.put("speed", 88.25)
            bus.send(can.Message(arbitration_id=0x200, data=data, is_extended_id=False))
            assert eventually(lambda: values(writer)["speed"] == 88.25)
    finally:
        if bus is not None:
            bus.shutdown()
        second.close()


def _received(bus: slcanBus, number: int) -> can.Message | None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        message = bus.recv(0.1)
        if message is not None and message.arbitration_id == number:
            return message
    return None


def test_shadow_mode_opens_the_adaptor_listening_only_and_the_bytes_show_it() -> None:
    simulator = SlcanSimulator(CAR)
    transport = Transport(simulator.start())
    try:
        link = QueryLink(transport, lambda sent: SlcanDriver().is_query(CAR, sent))
        reader = SlcanDriver().reader(CAR, link)
        reader.identify()
        assert eventually(lambda: not math.isnan(values(reader)["speed"]))
        assert simulator.sent().startswith(b"C\rV\rN\rS6\rL\r") and simulator.modes() == ["L"]
        assert set(simulator.sent().split(b"\r")) == {b"C", b"V", b"N", b"S6", b"L", b"F", b""}
        for command in (b"O\r", b"S8\r", b"t1000\r", b"C\rO\r", b"W2D00\r", b"Q1\r"):
            with pytest.raises(RigBlocked):
                link.write(command)
        writer = SlcanDriver().writer(CAR, transport)
        writer.identify()
        assert simulator.modes() == ["L", "O"]
    finally:
        transport.close()
        simulator.close()


def test_cyclic_messages_and_rest_bus_go_on_while_fed_and_end_by_themselves() -> None:
    simulator = SlcanSimulator(CAR)
    with at_simulator(SlcanDriver(), simulator) as (writer, _):
        writer.set("lamp", 40)
        writer.set("rest_bus", 1)

        def fed() -> bool:
            writer.keep_alive()
            return simulator.sent().count(b"t3002") > 10 and simulator.sent().count(b"t1004") > 10

        assert eventually(fed)
        counters = [int(line[7:9], 16) for line in simulator.sent().split(b"\r") if line.startswith(b"t3002")]
        assert counters[:10] == list(range(10))
        assert values(writer)["rest_bus"] == 1 and simulator.outputs() == {"lamp": 40, "rest_bus": 1}
        assert eventually(lambda: simulator.outputs()["lamp"] == 0)  # nobody feeds: the lamp itself falls back
        assert eventually(lambda: values(writer)["rest_bus"] == 0)  # looking does not feed


def test_hold_leaves_the_values_a_stop_sends_the_safe_ones() -> None:
    simulator = SlcanSimulator(CAR)
    with at_simulator(SlcanDriver(), simulator) as (writer, _):
        writer.set("lamp", 40)
        writer.stop(StopCategory.RAMP_AND_HOLD)
        writer.keep_alive()
        assert simulator.outputs()["lamp"] == 40
        writer.stop(StopCategory.CUT_POWER)
        assert simulator.outputs()["lamp"] == 0 and values(writer)["lamp"] == 0


def test_a_bus_that_is_off_is_seen_and_refuses() -> None:
    simulator = SlcanSimulator(CAR)
    with at_simulator(SlcanDriver(), simulator) as (writer, _):
        writer.set("lamp", 40)
        simulator.bus_off()
        assert eventually(lambda: values(writer)["bus"] == 3)
        with pytest.raises(RigRefused, match="is the bus off"):
            writer.set("lamp", 50)
        simulator.bus_off(False)
        writer.safe_state()
        assert eventually(lambda: values(writer)["bus"] == 0)


def test_a_wrong_bit_rate_is_seen_as_bus_errors() -> None:
    simulator = SlcanSimulator(CAR)
    transport = Transport(simulator.start())
    try:
        reader = SlcanDriver().reader(_changed(bitrate=250_000), transport)
        reader.identify()
        assert eventually(lambda: values(reader)["bus"] == 3)
        assert math.isnan(values(reader)["speed"])
    finally:
        transport.close()
        simulator.close()


def test_an_adaptor_that_restarts_is_noticed_until_it_is_identified_again() -> None:
    simulator = SlcanSimulator(CAR)
    with at_simulator(SlcanDriver(), simulator) as (writer, _):
        simulator.reboot()
        with pytest.raises(RigBroken):
            eventually(lambda: not writer.signals())
        writer.identify()
        assert writer.signals()


@pytest.mark.parametrize(
    ("answer", "raised"),
    [(b"ok\r", RigGarbled), (b"error:20\r", RigGarbled), (b"x" * 60, RigGarbled), (b"\a", RigIdentityWrong)],
)
def test_what_is_no_adaptor_is_found_out(answer: bytes, raised: type[Exception]) -> None:
    link = Conversation((b"C\r", b"\r"), (b"V\r", answer), (b"N\r", b"\a"))
    with pytest.raises(raised):
        SlcanReader(CAR, link).identify()


def test_frames_between_command_and_answer_are_kept_and_old_values_are_none() -> None:
    first, *rest = HANDSHAKE
    spec = _changed(listen=[{"name": "speed", "message": "Wheels", "signal": "Speed", "stale_ms": 60_000}])
    frame = map_of(spec).database.encode_message("Wheels", {"Speed": 10, "YawRate": 0})
    link = Conversation(first, *rest, (b"F\r", CanFrame(0x200, bytes(frame)).line() + b"F04\r"))
    reader = SlcanReader(spec, link)
    reader.identify()
    read = values(reader)
    assert read["speed"] == 10 and read["bus"] == 1
    assert math.isnan(read["lamp"])  # nobody has said it


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dbc": "nowhere.dbc"}, "cannot be read"),
        ({"dbc": __file__}, "is no DBC"),
        ({"bitrate": 123}, "bitrate"),
        ({"listen": [{"name": "a", "message": "Wheel", "signal": "Speed"}]}, "did you mean Wheels"),
        ({"listen": [{"name": "a", "message": "Wheels", "signal": "Sped"}]}, "did you mean Speed"),
        ({"listen": [{"name": "bus", "message": "Wheels", "signal": "Speed"}]}, "same name"),
        ({"send": [{"name": "a", "message": "LampCommand", "signal": "Level"}]}, "time out"),
        ({"rest_bus": [{"message": "Ignition", "cycle_ms": 20, "values": {"Key": 9}}]}, "outside 0 to 3"),
        ({"rest_bus": [{"message": "LampCommand", "cycle_ms": 20}]}, "sent already"),
        ({"baudrate": 1}, "baudrate"),
    ],
)
def test_a_mistake_in_the_options_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileBroken, match=said):
        SlcanDriver().facts(_changed(**options))


def test_lines_are_cut_wherever_the_bytes_are() -> None:
    lines = Lines()
    assert [lines.cut(bytes([byte])) for byte in b"z\r\aF"] == [[], [b"z"], [b"\a"], []]


def test_signals_of_a_real_car_are_read_and_sent_by_name(shared_data: Path) -> None:
    spec = DeviceSpec(
        "car",
        "slcan",
        {
            "dbc": str(shared_data / "can" / "opendbc" / "_toyota_2017.dbc"),
            "bitrate": 500_000,
            "listen": [
                {"name": "speed", "message": "SPEED", "signal": "SPEED"},
                {"name": "steering", "message": "STEER_ANGLE_SENSOR", "signal": "STEER_ANGLE"},
            ],
            "send": [{"name": "braking", "message": "ACC_CONTROL", "signal": "ACCEL_CMD"}],
        },
    )
    simulator = SlcanSimulator(spec)
    with at_simulator(SlcanDriver(), simulator) as (writer, _):
        simulator.put("speed", 72.5)
        simulator.put("steering", -30.0)
        assert eventually(lambda: values(writer)["speed"] == pytest.approx(72.5))
        assert values(writer)["steering"] == pytest.approx(-30.0)
        writer.set("braking", -1.5)
        assert simulator.outputs()["braking"] == pytest.approx(-1.5)
        writer.safe_state()
        assert simulator.outputs()["braking"] == 0
