"""The Modbus driver as a conversation, at its simulator, at pymodbus' server; the simulator asked by mbpoll."""

from __future__ import annotations

import asyncio
import os
import select
import shutil
import struct
import subprocess
import threading
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymodbus import ModbusDeviceIdentification
from pymodbus.framer import FramerRTU
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from devices.rigs import modbus_frame as frames
from devices.rigs.modbus import ModbusDriver, ModbusReader, ModbusWriter
from devices.sim.modbus_relay import ModbusRelaySimulator
from hilgui.errors import ProfileBroken, RigGarbled, RigIdentityWrong, RigRefused, RigTimeout
from hilgui.rigs import DeviceSpec, StopCategory, Transport
from tests.unit.devices.wire import Conversation, at_simulator, eventually, values

BOARD = ModbusRelaySimulator.examples[0]
PLAIN = DeviceSpec(
    "relays",
    "modbus",
    {
        "address": 3,
        "points": [
            {"name": "power", "coil": 4},
            {"name": "lamp", "coil": 5},
            {"name": "door", "discrete_input": 2},
            {
                "name": "level", "holding_register": 9, "scale": 0.5, "low": -10, "high": 10, "type": "int16",
                "writable": True,
            },
            {"name": "flow", "input_register": 6, "type": "float32", "words": "low_first", "low": 0, "high": 9},
        ],
    },
)  # fmt: skip


def _at(*turns: tuple[bytes, bytes]) -> Conversation:
    return Conversation(*((frames.framed(3, asked), answer) for asked, answer in turns))


def test_the_checksum_is_that_of_pymodbus_and_of_the_standard() -> None:
    assert frames.framed(2, b"\x07") == bytes.fromhex("02 07 41 12")  # Serial Line 1.02, 6.2.2
    for length in range(1, 64):
        data = os.urandom(length)
        assert FramerRTU.compute_CRC(data) == int.from_bytes(struct.pack("<H", frames.crc16(data)), "big")


@pytest.mark.parametrize(
    ("code", "words"),
    [(1, "illegal function"), (2, "illegal data address"), (4, "device failure"), (99, "does not have")],
)
def test_an_exception_comes_in_words(code: int, words: str) -> None:
    link = _at((frames.read(frames.Function.READ_COILS, 4, 1), frames.framed(3, bytes([0x81, code]))))
    with pytest.raises(RigRefused, match=words):
        ModbusReader(PLAIN, link).read("power")


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (frames.framed(3, b"\x01\x01\x01")[:-1] + b"\x00", RigGarbled),  # checksum
        (frames.framed(4, b"\x01\x01\x01"), RigGarbled),  # another board
        (frames.framed(3, b"\x02\x01\x01"), RigGarbled),  # another question
        (frames.framed(3, b"\x01\x02\x01\x00"), RigGarbled),  # another length
        (frames.framed(3, b"\x01\x01\x01")[:4], RigTimeout),  # cut off
        (b"", RigTimeout),
    ],
)
def test_what_is_no_answer_is_a_rig_error(answer: bytes, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        ModbusReader(PLAIN, _at((frames.read(frames.Function.READ_COILS, 4, 1), answer))).read("power")


def test_numbers_are_read_as_the_map_says() -> None:
    link = _at(
        (
            frames.read(frames.Function.READ_HOLDING_REGISTERS, 9, 1),
            frames.framed(3, b"\x03\x02" + struct.pack(">h", -7)),
        ),
        (
            frames.read(frames.Function.READ_INPUT_REGISTERS, 6, 2),
            frames.framed(3, b"\x04\x04" + (data := struct.pack(">f", 1.25))[2:] + data[:2]),
        ),
    )
    reader = ModbusReader(PLAIN, link)
    assert reader.read("level").value == -3.5
    assert reader.read("flow").value == 1.25


def test_a_false_echo_is_garbled() -> None:
    body = struct.pack(">BHH", 5, 4, 0xFF00)
    link = _at((body, frames.framed(3, struct.pack(">BHH", 5, 5, 0xFF00))))
    with pytest.raises(RigGarbled, match="echo"):
        ModbusWriter(PLAIN, link).set("power", 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"address": 0}, "address"),
        ({"points": []}, "points"),
        ({"points": [{"name": "a", "coil": 1}, {"name": "b", "coil": 3}]}, "neighbours"),
        ({"points": [{"name": "a", "coil": 1}, {"name": "a", "coil": 2}]}, "same name"),
        ({"points": [{"name": "a", "coil": 1, "discrete_input": 2}]}, "exactly one"),
        ({"points": [{"name": "a", "discrete_input": 1, "writable": True}]}, "cannot be written"),
        ({"points": [{"name": "a", "holding_register": 1}]}, "low and high"),
        ({"points": [{"name": "a", "holding_register": 1, "low": 0, "high": 70_000, "writable": True}]}, "not fit"),
        ({"points": [{"name": "a", "holding_register": 1, "low": 2, "high": 1}]}, "order"),
        ({"points": [{"name": "a", "coil": 1, "colour": "red"}]}, "colour"),
        ({"watchdog": {"timeout_register": 1}}, "timeout_ms"),
    ],
)
def test_a_mistake_in_the_map_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileBroken, match=said):
        ModbusDriver().facts(DeviceSpec("relays", "modbus", {**PLAIN.options, **change}))


@pytest.mark.parametrize(
    "frame",
    [
        frames.framed(3, b"\x05\x00\x04\xff\x00"),
        frames.framed(3, frames.write_coils(4, [False, False])),
        frames.framed(3, frames.write_registers(9, [1])),
        frames.framed(0, frames.read(frames.Function.READ_COILS, 4, 1)),
        frames.framed(4, frames.read(frames.Function.READ_COILS, 4, 1)),
        frames.framed(3, frames.read(frames.Function.READ_COILS, 4, 1))[:-1] + b"\x00",
        frames.framed(3, b"\x2b\x0d\x00\x00"),
        b"",
    ],
)
def test_only_whole_reads_of_this_board_are_queries(frame: bytes) -> None:
    assert ModbusDriver().is_query(PLAIN, frames.framed(3, frames.read(frames.Function.READ_COILS, 4, 1)))
    assert not ModbusDriver().is_query(PLAIN, frame)


def test_a_welded_contact_reads_back_as_it_is() -> None:
    simulator = ModbusRelaySimulator(BOARD)
    with at_simulator(ModbusDriver(), simulator) as (writer, _):
        writer.keep_alive()
        writer.set("power", 1)
        simulator.weld("power")
        writer.safe_state()
        assert values(writer)["power"] == 1 and simulator.outputs()["power"] == 1


def test_a_board_whose_watchdog_is_not_set_is_refused() -> None:
    simulator = ModbusRelaySimulator(BOARD)
    simulator.set_register(3, 100, 0)
    with pytest.raises(RigIdentityWrong, match="set to 0 ms"), at_simulator(ModbusDriver(), simulator):
        pass


def test_faults_of_the_board_and_of_the_wire_are_rig_errors_and_pass() -> None:
    simulator = ModbusRelaySimulator(BOARD)
    with at_simulator(ModbusDriver(), simulator) as (writer, transport):
        simulator.fail_with(6)
        with pytest.raises(RigRefused, match="busy"):
            writer.set("power", 1)
        simulator.fail_with(0)
        simulator.garble()
        with pytest.raises(RigGarbled, match="checksum"):
            writer.signals()
        simulator.garble(False)
        transport.write(b"\x07\x0f\x00")  # a frame that breaks off
        writer.signals()
        simulator.stall()
        with pytest.raises(RigTimeout):
            writer.signals()


@contextmanager
def _cable() -> Iterator[tuple[str, str]]:
    """Two pseudo terminals whose far ends are joined."""
    pairs = [os.openpty() for _ in range(2)]
    for _, slave in pairs:
        tty.setraw(slave)
    end = threading.Event()

    def carry() -> None:
        masters = [master for master, _ in pairs]
        while not end.is_set():
            for ready in select.select(masters, [], [], 0.01)[0]:
                os.write(masters[1 - masters.index(ready)], os.read(ready, 4096))

    thread = threading.Thread(target=carry, name="cable")
    thread.start()
    try:
        yield os.ttyname(pairs[0][1]), os.ttyname(pairs[1][1])
    finally:
        end.set()
        thread.join()
        for pair in pairs:
            for handle in pair:
                os.close(handle)


@contextmanager
def _pymodbus_server(port: str) -> Iterator[list[Any]]:
    """Run pymodbus' own RTU server; gives the requests as it understood them."""
    flow = list(struct.unpack(">HH", struct.pack(">f", 2.5)))[::-1]
    blocks = (
        [SimData(0, count=16, values=False, datatype=DataType.BITS)],
        [SimData(0, values=[False, False, True] + [False] * 13, datatype=DataType.BITS)],
        [SimData(0, count=20, values=0, datatype=DataType.REGISTERS)],
        [SimData(0, values=[0] * 6 + flow, datatype=DataType.REGISTERS)],
    )
    names = ModbusDeviceIdentification({0: "pymodbus", 1: "PM", 2: "3"})
    loop = asyncio.new_event_loop()
    is_up = threading.Event()
    heard: list[Any] = []
    servers: list[ModbusSerialServer] = []

    def trace(is_sending: bool, pdu: Any) -> Any:
        if not is_sending:
            heard.append(pdu)
        return pdu

    async def serve() -> None:
        board = SimDevice(3, blocks)
        servers.append(ModbusSerialServer(board, identity=names, port=port, baudrate=19200, trace_pdu=trace))
        await servers[0].serve_forever(background=True)
        is_up.set()
        await servers[0].serving

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="pymodbus")
    thread.start()
    try:
        assert is_up.wait(20)
        yield heard
    finally:
        if servers:
            asyncio.run_coroutine_threadsafe(servers[0].shutdown(), loop).result(20)
        thread.join(20)
        loop.close()


def test_the_driver_works_with_the_server_of_pymodbus() -> None:
    with _cable() as (ours, theirs), _pymodbus_server(theirs) as heard:
        transport = Transport(ours)
        try:
            writer = ModbusDriver().writer(PLAIN, transport)
            assert str(writer.identify()) == "pymodbus PM 3"
            writer.set("power", 1)
            assert (heard[-1].function_code, heard[-1].address, heard[-1].bits[0]) == (5, 4, True)
            writer.set("level", -4)
            assert (heard[-1].function_code, heard[-1].address, heard[-1].registers) == (6, 9, [0x10000 - 8])
            assert values(writer) == {"power": 1, "lamp": 0, "door": 1, "level": -4, "flow": 2.5}
            stop = writer.stop_bytes(StopCategory.CUT_POWER)
            assert transport.urgent(stop.data, stop.gap_s)
            assert eventually(lambda: (heard[-1].function_code, heard[-1].address) == (15, 4))
            assert heard[-1].bits[:2] == [False, False]
            transport.resume()
            writer.stop(StopCategory.CUT_POWER)
            writer.safe_state()
            assert values(writer)["power"] == 0
            outside = DeviceSpec("relays", "modbus", {"address": 3, "points": [{"name": "far", "coil": 5000}]})
            with pytest.raises(RigRefused, match="illegal data address"):
                ModbusDriver().reader(outside, transport).signals()
        finally:
            transport.close()


def _mbpoll(port: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("mbpoll")
    if program is None:
        pytest.skip("mbpoll is not installed (Debian package mbpoll)")
    always = (program, "-m", "rtu", "-a", "7", "-b", "9600", "-P", "none", "-0", "-1", "-o", "5")
    return subprocess.run((*always, *arguments), capture_output=True, text=True, timeout=60, check=False)


def test_mbpoll_reads_and_sets_the_simulated_board() -> None:
    simulator = ModbusRelaySimulator(BOARD)
    port = simulator.start()
    try:
        simulator.set_register(3, 100, 0)  # no watchdog: mbpoll feeds none
        simulator.set_register(4, 0, 235)
        assert "[0]: \t235" in _mbpoll(port, "-t", "3", "-r", "0", port).stdout
        assert _mbpoll(port, "-t", "0", "-r", "0", port, "1", "1").returncode == 0
        assert simulator.outputs() == {"power": 1, "lamp": 1, "level": 0}
        assert "[0]: \t1" in _mbpoll(port, "-t", "1", "-r", "0", port).stdout
        assert _mbpoll(port, "-t", "4", "-r", "20", port, "2500").returncode == 0
        assert simulator.outputs()["level"] == 2.5
        refused = _mbpoll(port, "-t", "4", "-r", "20000", port)
        assert "Illegal data address" in refused.stderr + refused.stdout
    finally:
        simulator.close()
