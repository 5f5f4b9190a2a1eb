"""The board's firmware, compiled for an Arduino Uno and run in simavr; the real driver at its UART."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.rigs.board import BoardDriver, BoardWriter
from devices.rigs.board_protocol import DEAD_MAN_MS
from hilgui.errors import RigBroken
from hilgui.rigs import DeviceSpec, StopCategory, Transport
from tests.unit.devices.avr.core import AvrBoard, build_bridge, build_sketch, need_avr_tools
from tests.unit.devices.test_board import FIRMWARE

pytestmark = pytest.mark.slow

RELAY, LED, TRIGGER, PANEL0, PANEL1 = "B0", "B5", "D7", "2B", "1A"
_PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    need_avr_tools()
    folder = tmp_path_factory.mktemp("avr")
    return build_bridge(folder), build_sketch(FIRMWARE / "board.ino", folder)


@pytest.fixture
def board(built: tuple[Path, Path]) -> Iterator[AvrBoard]:
    running = AvrBoard(*built, [RELAY, LED, TRIGGER])
    yield running
    running.close()


@pytest.fixture
def writer(board: AvrBoard) -> Iterator[BoardWriter]:
    transport = Transport(board.port)
    writer = BoardDriver().writer(DeviceSpec("board", "board"), transport)
    _identified(writer)
    yield writer
    transport.close()


def _identified(writer: BoardWriter) -> str:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return str(writer.identify())
        except RigBroken:
            if time.monotonic() > deadline:
                raise


def test_outputs_are_off_at_boot_and_the_driver_finds_its_board(board: AvrBoard, writer: BoardWriter) -> None:
    assert _identified(writer) == "hilgui hilgui-board 1.0 #0001"
    assert not any(change.value for change in board.changes)
    assert not any(writer.read(name).value for name in ("panel0", "panel3", "led", "relay"))


def test_the_pins_follow_and_stop_puts_them_off(board: AvrBoard, writer: BoardWriter) -> None:
    for name, value in (("panel0", 50.0), ("panel1", 60.0), ("led", 1.0), ("relay", 1.0)):
        writer.set(name, value)
    for name, value in ((PANEL0, 128), (PANEL1, 153), (LED, 1), (RELAY, 1)):
        assert board.ever(name, value)  # the dead-man may have acted again where this machine is slow
    writer.stop(StopCategory.CUT_POWER)
    assert board.eventually(RELAY, 0) and board.eventually(PANEL0, 0) and board.eventually(LED, 0)


def test_the_dead_man_puts_everything_off_within_250_ms_of_silence(board: AvrBoard, writer: BoardWriter) -> None:
    writer.set("relay", 1.0)
    writer.set("panel0", 90.0)
    assert board.eventually(RELAY, 1) and board.eventually(RELAY, 0) and board.eventually(PANEL0, 0)
    on, off = (next(c for c in reversed(board.changes) if c.name == RELAY and c.value == value) for value in (1, 0))
    panel = next(change for change in reversed(board.changes) if change.name == PANEL0)
    fed_us = max(change.at_us for change in board.changes if change.value)  # set is what fed it last
    assert off.at_us - on.at_us >= 230_000
    assert off.at_us - fed_us <= DEAD_MAN_MS * 1000 and panel.at_us - fed_us <= DEAD_MAN_MS * 1000 + 1000
    assert writer.read("dead_man_trips").value >= 1


def test_fed_it_stays_on_and_counts_edges_and_triggers(board: AvrBoard, writer: BoardWriter) -> None:
    writer.set("led", 1.0)
    for _ in range(8):
        writer.keep_alive()
    board.tell("EDGE D2")
    writer.perform("trigger", {"width_us": 500.0})
    deadline = time.monotonic() + _PATIENCE_S
    while writer.read("edges").value < 1 and time.monotonic() < deadline:
        writer.keep_alive()
    assert writer.read("edges").value == 1 and writer.read("edge_time").value > 0
    rise, fall = [change for change in board.changes if change.name == TRIGGER][-2:]
    assert (rise.value, fall.value) == (1, 0) and 490 <= fall.at_us - rise.at_us <= 560
    assert writer.read("trigger_time").value * 1e6 == pytest.approx(rise.at_us, abs=1000)


def test_a_cut_line_and_garbage_leave_it_safe_and_listening(board: AvrBoard, writer: BoardWriter) -> None:
    link = writer._link
    link.write(b">01 SET relay 1*00")
    link.write(writer.stop_bytes(StopCategory.CUT_POWER).data)
    link.write(b"\xff" * 300 + b"\n")
    link.write(b">02 SET relay 1*0000\n")
    assert _identified(writer)
    assert RELAY not in {change.name for change in board.changes if change.value}


def test_a_main_loop_that_hangs_is_reset_by_the_watchdog_with_its_outputs_off(tmp_path: Path) -> None:
    need_avr_tools()
    text = (FIRMWARE / "board.ino").read_text(encoding="utf-8")
    hanging = text.replace("  wdt_reset();\n", "  if (!led_on) wdt_reset();\n  while (led_on) {}\n")
    assert hanging != text
    sketch = tmp_path / "hanging.ino"
    sketch.write_text(hanging, encoding="utf-8")
    (tmp_path / "crc16.h").write_bytes((FIRMWARE / "crc16.h").read_bytes())
    board = AvrBoard(build_bridge(tmp_path), build_sketch(sketch, tmp_path), [RELAY, LED])
    try:
        transport = Transport(board.port)
        try:
            writer = BoardDriver().writer(DeviceSpec("board", "board"), transport)
            _identified(writer)
            writer.set("led", 1.0)
            assert board.eventually(LED, 1) and board.eventually(LED, 0)
            on, off = (next(c for c in board.changes if c.name == LED and c.value == value) for value in (1, 0))
            off = next(c for c in board.changes if c.name == LED and c.at_us > on.at_us)
            assert 50_000 <= off.at_us - on.at_us <= DEAD_MAN_MS * 1000
        finally:
            transport.close()
    finally:
        board.close()
