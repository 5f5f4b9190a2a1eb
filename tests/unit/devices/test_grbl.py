"""The Grbl driver as a conversation and at its simulator, which keeps to the v1.1 interface."""

from __future__ import annotations

import math
from typing import Any

import pytest

from devices.rigs.grbl import GrblDriver, GrblReader, GrblWriter
from devices.sim.grbl import GrblSimulator
from hilgui.errors import ProfileBroken, RigGarbled, RigIdentityWrong, RigRefused, RigTimeout
from hilgui.rigs import DeviceSpec, StopCategory, Transport
from tests.unit.devices.wire import Conversation, at_simulator, eventually, values

AXIS = {"letter": "x", "travel": [0, 200], "speed": 50, "acceleration": 100}
STAGE = DeviceSpec("stage", "grbl", {"axes": {"x": AXIS}})
HOMED = DeviceSpec("stage", "grbl", {"axes": {"x": AXIS}, "homing": True})
SHORT = DeviceSpec("stage", "grbl", {"axes": {"x": {**AXIS, "travel": [0, 30]}}, "homing": True})
SETTINGS = {13: 0, 20: 0, 22: 0, 110: 3000, 120: 100, 130: 200}
IDLE = b"<Idle|MPos:1.500,0.000,0.000|FS:0,0>\r\n"


def _told(settings: dict[int, float]) -> bytes:
    return b"".join(b"$%d=%g\r\n" % pair for pair in settings.items()) + b"ok\r\n"


def _meeting(
    settings: dict[int, float] = SETTINGS, startup: bytes = b"", version: bytes = b"1.1h.20190825:"
) -> Conversation:
    return Conversation(
        (b"?", IDLE),
        (b"$I\n", b"[VER:" + version + b"]\r\n[OPT:V,15,128]\r\nok\r\n"),
        (b"$$\n", _told(settings)),
        (b"$N\n", b"$N0=" + startup + b"\r\n$N1=\r\nok\r\n"),
    )


def test_the_handshake_tells_version_and_name() -> None:
    link = _meeting(version=b"1.1h.20190825:bench 7")
    identity = GrblReader(STAGE, link).identify()
    assert (identity.version, identity.serial) == ("1.1h.20190825", "bench 7") and link.is_over


@pytest.mark.parametrize(
    ("meeting", "said"),
    [
        (_meeting(version=b"0.9j.20160317:"), "no Grbl of version 1.1"),
        (_meeting(startup=b"G0X10"), "startup lines"),
        (_meeting(SETTINGS | {13: 1}), "inches"),
        (_meeting(SETTINGS | {130: 150}), r"\$130 allows 150"),
        (_meeting(SETTINGS | {110: 600}), r"\$110 allows 10"),
        (_meeting(SETTINGS | {120: 10}), "stopping takes longer"),
        (_meeting({}), "inches"),
    ],
)  # fmt: skip
def test_a_controller_that_would_not_do_what_the_profile_says_is_refused(meeting: Conversation, said: str) -> None:
    with pytest.raises(RigIdentityWrong, match=said):
        GrblReader(STAGE, meeting).identify()


def test_homing_in_the_profile_needs_homing_in_the_controller() -> None:
    with pytest.raises(RigIdentityWrong, match="homing"):
        GrblReader(HOMED, _meeting()).identify()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "axes"),
        ({"axes": {"x": {**AXIS, "speed": 0}}}, "speed"),
        ({"axes": {"x": {**AXIS, "spede": 1}}}, "spede"),
        ({"axes": {"x": {**AXIS, "travel": [5, 5]}}}, "travel"),
        ({"axes": {"x": AXIS, "y": AXIS}}, "same letter"),
        ({"axes": {"alarm": AXIS}}, "taken"),
    ],
)
def test_a_mistake_in_the_options_is_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileBroken, match=said):
        GrblDriver().facts(DeviceSpec("stage", "grbl", options))


@pytest.mark.parametrize(
    ("report", "x", "speed"),
    [
        (b"<Run|MPos:12.000,0,0|FS:600,0|Ov:100,100,100>", 12.0, 10.0),
        (b"<Jog|MPos:-0.250,0,0|F:60>", -0.25, 1.0),
        (b"<Idle|WPos:2.000,0,0|FS:0,0|WCO:10.000,0,0>", 12.0, 0.0),
        (b"<Idle|WPos:2.000,0,0|FS:0,0>", math.nan, 0.0),
    ],
)
def test_status_reports_are_read(report: bytes, x: float, speed: float) -> None:
    link = _meeting()
    reader = GrblReader(STAGE, link)
    reader.identify()
    link._turns.append((b"?", report + b"\r\n"))
    read = values(reader)
    assert read["speed"] == speed and (read["x"] == x or (math.isnan(read["x"]) and math.isnan(x)))


@pytest.mark.parametrize("report", [b"<Idle,MPos:0,0,0>", b"<Idle|MPos:0,0,0|FS:0,0", b"<Idle|MPos:a,b,c|FS:0>", b"<>"])
def test_what_is_no_status_report_of_1_1_is_garbled(report: bytes) -> None:
    link = _meeting()
    reader = GrblReader(STAGE, link)
    reader.identify()
    link._turns.append((b"?", report + b"\r\n"))
    with pytest.raises(RigGarbled):
        reader.signals()


def test_an_error_of_the_controller_comes_in_words() -> None:
    link = _meeting()
    writer = GrblWriter(STAGE, link)
    writer.identify()
    link._turns += [(b"?", IDLE), (b"$J=G90G21X150.000F3000.0\n", b"error:15\r\n")]
    with pytest.raises(RigRefused, match="error:15: the target is outside the travel"):
        writer.set("x", 150)
    assert link.is_over


def test_an_arduino_that_resets_on_open_is_waited_for() -> None:
    waited = Conversation((b"?", b""))
    reader = GrblReader(DeviceSpec("stage", "grbl", {**STAGE.options, "boot_s": 2.0}), waited)
    waited.read_line = _banner_then(waited)  # type: ignore[method-assign]
    waited._turns += _meeting()._turns
    assert reader.identify().maker == "Grbl"


def _banner_then(link: Conversation) -> Any:
    lines = iter([RigTimeout("booting"), b"", b"Grbl 1.1h ['$' for help]"])
    usual = link.read_line

    def read_line(timeout_s: float = 0.0, **how: Any) -> bytes:
        answer = next(lines, None)
        if isinstance(answer, RigTimeout):
            raise answer
        return usual(timeout_s, **how) if answer is None else answer

    return read_line


def test_a_hold_decelerates_and_keeps_the_position_a_reset_stops_at_once_and_loses_it() -> None:
    simulator = GrblSimulator(STAGE)
    with at_simulator(GrblDriver(), simulator) as (writer, _):
        writer.set("x", 190)
        assert eventually(lambda: simulator.stage.speed > 20)
        writer.stop(StopCategory.RAMP_AND_HOLD)
        assert not simulator.is_moving() and values(writer)["alarm"] == 0
        held = simulator.outputs()["x"]
        assert 0 < held < 190
        writer.set("x", 190)
        assert eventually(lambda: simulator.stage.speed > 20)
        writer.stop(StopCategory.CUT_POWER)
        assert not simulator.is_moving() and values(writer)["locked"] == 1
        with pytest.raises(RigRefused, match="ALARM:3: it was reset while moving"):
            writer.set("x", 0)
        writer.perform("unlock", {})
        writer.set("x", 0)


def test_a_hit_switch_is_told_though_the_controller_falls_silent_and_a_reset_brings_it_back() -> None:
    simulator = GrblSimulator(HOMED)
    with at_simulator(GrblDriver(), simulator) as (writer, _):
        writer.perform("unlock", {})
        writer.set("x", 100)
        assert eventually(lambda: simulator.stage.speed > 5)
        simulator.hit_switch("x")
        assert eventually(lambda: values(writer)["alarm"] == 1)
        read = values(writer)
        assert math.isnan(read["x"]) and read["limit"] == 1 and not simulator.is_moving()
        writer.safe_state()
        assert not math.isnan(values(writer)["x"])
        with pytest.raises(RigRefused):
            writer.set("x", 100)


def test_homing_finds_the_switch_and_a_jammed_axis_ends_in_alarm_9() -> None:
    simulator = GrblSimulator(SHORT)
    with at_simulator(GrblDriver(), simulator) as (writer, _):
        with pytest.raises(RigRefused, match="home or unlock"):
            writer.set("x", 10)
        writer.perform("home", {})
        assert eventually(lambda: values(writer)["locked"] == 0 and not simulator.is_moving())
        writer.set("x", 1)
        assert eventually(lambda: not simulator.is_moving())
        simulator.jam("x")
        writer.perform("home", {})
        assert eventually(lambda: values(writer)["alarm"] == 9)
        assert not simulator.is_moving() and abs(simulator.outputs()["x"] - 1) < 0.01


def test_a_stop_ends_homing() -> None:
    simulator = GrblSimulator(SHORT)
    with at_simulator(GrblDriver(), simulator) as (writer, transport):
        simulator.stage.real[0] = 29.0
        writer.perform("home", {})
        assert simulator.is_moving()
        assert transport.urgent(writer.stop_bytes(StopCategory.RAMP_AND_HOLD).data)
        transport.resume()
        writer.stop(StopCategory.RAMP_AND_HOLD)
        assert not simulator.is_moving() and values(writer)["locked"] == 1


def test_a_reboot_is_noticed_until_the_device_is_identified_again() -> None:
    simulator = GrblSimulator(STAGE)
    with at_simulator(GrblDriver(), simulator) as (writer, _):
        simulator.reboot()
        for _again in range(2):
            with pytest.raises(RigIdentityWrong, match="restarted by itself"):
                eventually(lambda: not writer.signals())
        writer.identify()
        assert writer.signals()


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"G2X1Y1\n", b"error:20"),
        (b"$J=X5\n", b"error:22"),
        (b"$J=G91F100\n", b"error:26"),
        (b"$J=G5X1F100\n", b"error:16"),
        (b"$J=X500F100\n", b"error:15"),
        (b"G1X1\n", b"error:22"),
        (b"X" * 90 + b"\n", b"error:11"),
        (b"$999=1\n", b"error:3"),
        (b"$130=250\n", b"ok"),
        (b"\n", b"ok"),
        (b"G0X500\n", b"ALARM:2"),
    ],
)
def test_the_simulator_answers_as_the_interface_says(line: bytes, answer: bytes) -> None:
    simulator = GrblSimulator(HOMED)
    with at_simulator(GrblDriver(), simulator) as (writer, transport):
        writer.perform("unlock", {})
        transport.write(line)
        assert transport.read_line().strip() == answer


def test_while_it_moves_the_simulator_takes_jogs_and_refuses_settings() -> None:
    simulator = GrblSimulator(STAGE)
    with at_simulator(GrblDriver(), simulator) as (_, transport):
        transport.write(b"$J=X100F3000\n$I\nG0X1\n$J=X90F3000\n")
        assert [transport.read_line().strip() for _ in range(4)] == [b"ok", b"error:8", b"error:9", b"ok"]
        transport.write(b"\x85")
        assert eventually(lambda: not simulator.is_moving())


def test_the_door_holds_and_a_cycle_start_goes_on() -> None:
    simulator = GrblSimulator(STAGE)
    with at_simulator(GrblDriver(), simulator) as (writer, transport):
        transport.write(b"G0X30\n")
        assert transport.read_line().strip() == b"ok"
        simulator.open_door()
        assert eventually(lambda: simulator.stage.speed == 0)
        with pytest.raises(RigRefused, match="Door"):
            writer.set("x", 1)
        transport.write(b"~")
        assert eventually(lambda: abs(simulator.outputs()["x"] - 30) < 0.01)


def test_the_driver_speaks_over_tcp_as_over_a_terminal_and_a_second_host_is_refused() -> None:
    simulator = GrblSimulator(STAGE)
    with at_simulator(GrblDriver(), simulator, over_tcp=True) as (writer, transport):
        writer.set("x", 1)
        second = Transport(transport.port)
        with pytest.raises(RigTimeout):
            GrblDriver().reader(STAGE, second).identify()
        second.close()
        assert writer.signals()
