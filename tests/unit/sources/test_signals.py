"""Signals of the bus on the recording's clock."""

from __future__ import annotations

from pathlib import Path

import can
import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.sources.signals import read_bus

DBC = """VERSION ""
BU_: car
BO_ 180 SPEED: 8 car
 SG_ SPEED : 7|16@0+ (0.01,0) [0|250] "kph" car
 SG_ GEAR : 16|4@1+ (1,0) [0|15] "" car
VAL_ 180 GEAR 0 "park" 1 "drive" ;
"""


@pytest.fixture
def dbc(tmp_path: Path) -> Path:
    path = tmp_path / "car.dbc"
    path.write_text(DBC)
    return path


def write_log(path: Path) -> Path:
    with can.Logger(path) as writer:
        for number in range(100):
            speed = (1000 + 10 * number).to_bytes(2, "big")
            data = speed + bytes([number // 50, 0, 0, 0, 0, 0])
            writer(
                can.Message(timestamp=1_700_000_000 + number / 50, arbitration_id=180, data=data, is_extended_id=False)
            )
            writer(
                can.Message(timestamp=1_700_000_000 + number / 50, arbitration_id=999, data=data, is_extended_id=False)
            )
    return path


@pytest.mark.parametrize("suffix", [".blf", ".asc"])
def test_signals_come_on_the_clock_of_the_recording(suffix: str, tmp_path: Path, dbc: Path) -> None:
    log = read_bus(write_log(tmp_path / f"drive{suffix}"), dbc, offset_s=0.5)
    speed = log.signals["SPEED.SPEED"]
    assert (log.frames, log.decoded) == (200, 100)
    assert speed.unit == "kph"
    assert speed.values == pytest.approx(10 + 0.1 * np.arange(100))
    assert speed.times == pytest.approx(0.5 + np.arange(100) / 50, abs=2e-4)
    assert log.signals["SPEED.GEAR"].choices == {0: "park", 1: "drive"}


def test_the_value_at_a_time_is_the_last_one_known(tmp_path: Path, dbc: Path) -> None:
    speed = read_bus(write_log(tmp_path / "drive.blf"), dbc, names=["SPEED"]).signals["SPEED.SPEED"]
    values = speed.at(np.array([-1.0, 0.0, 0.021, 99.0]))
    assert np.isnan(values[0])
    assert values[1:] == pytest.approx([10.0, 10.1, 19.9])


def test_the_recordings_first_stamp_is_zero(tmp_path: Path, dbc: Path) -> None:
    log = read_bus(write_log(tmp_path / "drive.blf"), dbc, zero_s=1_700_000_001.0)
    assert log.signals["SPEED.SPEED"].times[0] == pytest.approx(-1)


def test_the_speed_of_a_real_drive_fits_what_its_makers_decoded(shared_data: Path) -> None:
    folder = shared_data / "can"
    log = read_bus(
        folder / "comma2k19_example_derived.blf", folder / "opendbc/_toyota_2017.dbc", names=["SPEED"], channels=[0]
    )
    given = folder / "comma2k19_example/processed_log/CAN/speed"
    times, values = (np.load(given / name).ravel() for name in ("t", "value"))
    first = np.load(folder / "comma2k19_example/processed_log/CAN/raw_can/t").min()
    speed = next(signal for name, signal in log.signals.items() if name.endswith(".SPEED"))
    decoded = np.interp(times - first, speed.times, speed.values)
    assert np.corrcoef(decoded, values)[0, 1] >= 0.999


@pytest.mark.parametrize(
    "name",
    ["issue_1256.asc", "logfile.asc", "logfile_errorframes.asc", "test_CanFdMessage.asc", "test_CanFdMessage64.blf"],
)
def test_logs_with_fd_and_error_frames_are_read(name: str, shared_data: Path, dbc: Path) -> None:
    assert read_bus(shared_data / "can/python_can" / name, dbc).frames > 0


def test_a_signal_that_nobody_knows_is_refused(tmp_path: Path, dbc: Path) -> None:
    with pytest.raises(SourceBroken, match="knows none of the signals WHEEL"):
        read_bus(write_log(tmp_path / "drive.blf"), dbc, names=["WHEEL"])


@pytest.mark.parametrize("content", [b"", b"LOGG", b"LOGG" + b"\xff" * 300, b"MDF     4.10" + b"\0" * 100, b"\0" * 50])
def test_a_broken_log_is_named(content: bytes, tmp_path: Path, dbc: Path) -> None:
    path = tmp_path / "drive.blf"
    path.write_bytes(content)
    with pytest.raises(SourceBroken, match=r"drive\.blf"):
        read_bus(path, dbc)


def test_a_log_that_was_cut_off_ends_in_one_sentence_or_fewer_frames(tmp_path: Path, dbc: Path) -> None:
    whole = write_log(tmp_path / "drive.blf").read_bytes()
    for keep in range(0, len(whole), 97):
        path = tmp_path / "cut.blf"
        path.write_bytes(whole[:keep])
        try:
            assert read_bus(path, dbc).frames <= 200
        except SourceBroken as failure:
            assert "cut.blf" in str(failure)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"BO_ 12 X", b'VERSION ""\nBO_ x'])
def test_a_broken_dbc_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "car.dbc"
    path.write_bytes(content)
    with pytest.raises(SourceBroken, match=r"car\.dbc"):
        read_bus(write_log(tmp_path / "drive.blf"), path)


@pytest.mark.parametrize("content", [b"LOGG\x90\x00\x1b[2J" * 99, b"\x1b[2J\x07<!<" * 999])
def test_what_is_no_dbc_is_one_sentence_without_its_bytes(content: bytes, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.dbc"
    wrong.write_bytes(content)
    with pytest.raises(SourceBroken, match=r"wrong\.dbc .*is it the right file") as refused:
        read_bus(write_log(tmp_path / "drive.blf"), wrong)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300 + len(str(wrong))
