"""Home-made boards: frames, what the wire does to them, and the dead-man, with the clock in the test's hand."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.rigs.board import BoardDriver, BoardWriter
from devices.rigs.board_protocol import crc16, duty_of, frame, parse, permille_of
from devices.sim.board import BoardSimulator
from hilgui.errors import RigGarbled, RigIdentityWrong, RigLost, RigRefused
from hilgui.rigs import DeviceSpec, Transport
from hilgui.rigs.faults import Fault, FaultKind

FIRMWARE = Path(__file__).parents[3] / "devices/firmware/board"
VECTORS = (FIRMWARE / "vectors.h").read_text(encoding="utf-8")
BOARD = DeviceSpec("board", "board")
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="*"), min_size=1, max_size=40)


class Clock:
    """Stands still until it is told to go."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulator(clock: Clock) -> Iterator[BoardSimulator]:
    board = BoardSimulator(BOARD, clock)
    yield board
    board.close()


@pytest.fixture
def writer(simulator: BoardSimulator) -> Iterator[BoardWriter]:
    transport = Transport(simulator.start())
    writer = BoardDriver().writer(BOARD, transport)
    writer.identify()
    yield writer
    transport.close()


def _say(simulator: BoardSimulator, body: str, seq: int = 1) -> tuple[str, ...]:
    answer = parse(simulator.take(frame(">", seq, body)).removesuffix(b"\n"))
    assert answer is not None and answer.seq == seq
    return answer.words


def test_checksums_and_duties_are_those_of_the_shared_vectors() -> None:
    sums = re.findall(r'^CRC_VECTOR\("(.*)", (0x[0-9A-F]{4})\)$', VECTORS, re.M)
    assert len(sums) == 12
    assert {text: crc16(text.encode()) for text, _ in sums} == {text: int(told, 16) for text, told in sums}
    duties = [tuple(map(int, row)) for row in re.findall(r"^DUTY_VECTOR\((\d+), (\d+), (\d+)\)$", VECTORS, re.M)]
    assert len(duties) == 7
    assert [(asked, duty_of(asked), permille_of(duty_of(asked))) for asked, _, _ in duties] == duties


def test_the_firmware_s_checksum_is_that_of_the_shared_vectors(tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler")
    source = tmp_path / "vectors.c"
    source.write_text(
        '#include "crc16.h"\nint main(void) {\n  int wrong = 0;\n'
        "#define CRC_VECTOR(text, told) wrong += crc16_of(text) != (told);\n#define DUTY_VECTOR(a, b, c)\n"
        '#include "vectors.h"\n  return wrong;\n}\n',
        encoding="utf-8",
    )
    program = str(tmp_path / "vectors")
    subprocess.run([compiler, "-Wall", "-Werror", f"-I{FIRMWARE}", str(source), "-o", program], check=True)
    assert subprocess.run([program], check=False).returncode == 0


def test_sketch_and_driver_agree_on_every_number() -> None:
    sketch = (FIRMWARE / "board.ino").read_text(encoding="utf-8")
    for said in ("PROTOCOL = 1;", "DEAD_MAN_MS = 240;", "PULSE_MIN_US = 10, PULSE_MAX_US = 5000;", "LINE_LIMIT = 64;"):
        assert said in sketch
    assert "REPEAT_MS = 500;" in sketch and "PANELS = 4;" in sketch and "Serial.begin(115200);" in sketch


@given(st.sampled_from("<>"), st.integers(0, 255), TEXT)
def test_every_frame_reads_back(mark: str, seq: int, body: str) -> None:
    line = frame(mark, seq, body)
    found = parse(line[:-1])
    assert found is not None and (found.mark, found.seq, " ".join(found.words)) == (mark, seq, body)


@given(st.integers(0, 255), TEXT, st.data())
def test_a_flipped_bit_is_never_read_as_another_command(seq: int, body: str, data: st.DataObject) -> None:
    line = frame(">", seq, body)[:-1]
    at, bit = data.draw(st.integers(0, len(line) - 1)), data.draw(st.integers(0, 7))
    assert parse(line[:at] + bytes([line[at] ^ 1 << bit]) + line[at + 1 :]) is None


@given(st.binary(max_size=200))
def test_no_bytes_at_all_upset_the_board(data: bytes) -> None:
    board = BoardSimulator(BOARD, Clock())
    board.take(data + b"\n")
    assert not any(board.outputs().values())


@pytest.mark.parametrize("body", ["SET panel0 5\n", "a*b", "\x00", "SET pänel0 1", ""])
def test_control_characters_and_stars_are_refused_by_the_encoder(body: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        frame(">", 1, body)


def test_outputs_go_off_before_250_ms_of_silence_are_over(clock: Clock, simulator: BoardSimulator) -> None:
    _say(simulator, "SET panel2 1000")
    _say(simulator, "SET relay 1")
    clock.now_s += 0.2
    simulator.tick(clock.now_s)
    assert simulator.outputs()["panel2"] == 100.0
    _say(simulator, "KA")
    clock.now_s += 0.239
    simulator.tick(clock.now_s)
    assert simulator.outputs()["relay"] == 1.0
    clock.now_s += 0.002
    simulator.tick(clock.now_s)
    assert not any(simulator.outputs().values())
    assert _say(simulator, "GET?")[11] == "1"  # one trip of the dead-man


def test_questions_do_not_feed_the_dead_man(clock: Clock, simulator: BoardSimulator) -> None:
    _say(simulator, "SET led 1")
    for _ in range(3):
        clock.now_s += 0.1
        _say(simulator, "GET?")
        simulator.tick(clock.now_s)
    assert simulator.outputs()["led"] == 0.0


def test_a_trigger_sent_twice_fires_once_and_later_again(clock: Clock, simulator: BoardSimulator) -> None:
    assert _say(simulator, "TRIG 1000", seq=7) == _say(simulator, "TRIG 1000", seq=7)
    assert simulator.pulses == 1
    _say(simulator, "TRIG 1000", seq=8)
    clock.now_s += 0.6
    _say(simulator, "TRIG 1000", seq=8)
    assert simulator.pulses == 3


@pytest.mark.parametrize(
    ("body", "error"),
    [("SET panel4 1", "3"), ("SET panel0 1001", "3"), ("SET led 2", "3"), ("SET led -1", "3"), ("TRIG 9", "3"),
     ("TRIG 5001", "3"), ("TRIG x", "3"), ("JUMP", "2"), ("SET led", "2")],
)  # fmt: skip
def test_what_the_board_does_not_know_is_an_error_and_changes_nothing(
    simulator: BoardSimulator, body: str, error: str
) -> None:
    assert _say(simulator, body) == ("ERR", error)
    assert not any(simulator.outputs().values()) and simulator.pulses == 0


def test_a_line_spoilt_on_the_way_is_asked_again(writer: BoardWriter, simulator: BoardSimulator) -> None:
    transport = writer._link
    assert isinstance(transport, Transport)
    for is_write in (True, False):
        transport.faults.inject(Fault(FaultKind.CORRUPT, on_write=is_write, on_read=not is_write, times=1))
        writer.set("panel1", 40.0)
        assert transport.faults.injected
        transport.faults.clear()
    assert simulator.outputs()["panel1"] == 40.0


def test_a_wire_that_spoils_everything_is_an_error(writer: BoardWriter, simulator: BoardSimulator) -> None:
    simulator.disturb(1.0)
    with pytest.raises(RigGarbled):
        for _ in range(5):
            writer.signals()


def test_a_board_that_restarts_is_lost_and_found_again(writer: BoardWriter, simulator: BoardSimulator) -> None:
    writer.set("panel0", 50.0)
    simulator.reboot()
    with pytest.raises(RigLost, match="restarted"):
        for _ in range(50):
            writer.keep_alive()
    assert not any(simulator.outputs().values())
    assert writer.identify().model == "hilgui-board"


def test_a_sensor_without_a_value_reads_nan(writer: BoardWriter, simulator: BoardSimulator) -> None:
    simulator.override("photodiode", "-")
    assert math.isnan(writer.read("photodiode").value)


def test_another_protocol_version_is_refused(writer: BoardWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.sim.board.PROTOCOL", 2)
    with pytest.raises(RigIdentityWrong, match="version 2"):
        writer.identify()


def test_a_switch_is_not_set_halfway(writer: BoardWriter) -> None:
    with pytest.raises(RigRefused, match="0 or 1"):
        writer.set("relay", 0.5)


def test_a_slow_board_is_read_all_the_same(writer: BoardWriter, simulator: BoardSimulator) -> None:
    simulator.slow_down(0.03)
    assert writer.read("panel0").value == 0.0
