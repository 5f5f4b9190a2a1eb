"""The bus beside the picture: on the run's clock, with the speed in metres a second."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import can
import numpy as np
import pytest

from hilgui.errors import CallWrong, SourceBroken
from hilgui.sources.vehicle import read_vehicle

from .test_signals import DBC, write_log

START = datetime.fromtimestamp(1_700_000_000, UTC)


@pytest.fixture
def dbc(tmp_path: Path) -> Path:
    path = tmp_path / "car.dbc"
    path.write_text(DBC)
    return path


@pytest.mark.parametrize("suffix", [".blf", ".asc", ".mf4"])
def test_the_speed_is_in_metres_a_second_whatever_the_log(suffix: str, tmp_path: Path, dbc: Path) -> None:
    vehicle = read_vehicle([write_log(tmp_path / f"drive{suffix}")], [dbc], start=START, offset_s=0.0)
    assert vehicle.speed == "SPEED.SPEED"
    assert vehicle.signals["SPEED.SPEED"].unit == "m/s"
    assert vehicle.speed_mps(1.0) == pytest.approx(15.0 / 3.6, abs=0.01)
    assert vehicle.speed_mps(0.01) == pytest.approx(10.05 / 3.6, abs=0.01)


def test_where_the_log_says_nothing_there_is_no_speed(tmp_path: Path, dbc: Path) -> None:
    vehicle = read_vehicle([write_log(tmp_path / "drive.blf")], [dbc], start=START)
    assert vehicle.speed_mps(3.5) is None
    assert vehicle.speed_mps(-5.0) is None
    assert vehicle.speed_mps(float("nan")) is None


def test_wall_clocks_give_the_offset_and_it_is_said(tmp_path: Path, dbc: Path) -> None:
    late = datetime.fromtimestamp(1_700_000_000.5, UTC)
    vehicle = read_vehicle([write_log(tmp_path / "drive.blf")], [dbc], start=late)
    assert vehicle.signals["SPEED.SPEED"].times[0] == pytest.approx(-0.5, abs=1e-3)
    assert "begins at -0.500 s of the recording, by the wall clocks" in vehicle.notes[0]


def test_clocks_years_apart_are_not_believed(tmp_path: Path, dbc: Path) -> None:
    vehicle = read_vehicle([write_log(tmp_path / "drive.blf")], [dbc], start=datetime(2001, 1, 1, tzinfo=UTC))
    assert vehicle.signals["SPEED.SPEED"].times[0] == 0
    assert "--can-offset moves it" in vehicle.notes[0]


def test_signals_by_name_are_kept_beside_the_speed(tmp_path: Path, dbc: Path) -> None:
    vehicle = read_vehicle([write_log(tmp_path / "drive.blf")], [dbc], start=START, wanted=["GEAR"])
    assert list(vehicle.signals) == ["SPEED.GEAR", "SPEED.SPEED"]
    with pytest.raises(CallWrong, match=r"no signal WHEEL; they have SPEED\.GEAR, SPEED\.SPEED"):
        read_vehicle([tmp_path / "drive.blf"], [dbc], start=START, wanted=["WHEEL"])
    with pytest.raises(CallWrong, match=r"no signal gear; did you mean GEAR"):
        read_vehicle([tmp_path / "drive.blf"], [dbc], start=START, wanted=["gear"])


def test_a_log_that_is_not_there_and_a_folder_of_logs_are_told(tmp_path: Path, dbc: Path) -> None:
    with pytest.raises(SourceBroken, match=r"there is no log .*gone\.blf; check the path"):
        read_vehicle([tmp_path / "gone.blf"], [dbc], start=START)
    with pytest.raises(SourceBroken, match="is a folder; name one log"):
        read_vehicle([tmp_path], [dbc], start=START)


def test_a_log_without_dbc_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CallWrong, match="--can LOG --dbc FILE"):
        read_vehicle([write_log(tmp_path / "drive.blf")], [], start=START)


def test_a_dbc_of_another_vehicle_is_told(tmp_path: Path) -> None:
    other = tmp_path / "other.dbc"
    other.write_text(DBC.replace("BO_ 180", "BO_ 181").replace("VAL_ 180", "VAL_ 181"))
    with pytest.raises(SourceBroken, match="is it that of this vehicle"):
        read_vehicle([write_log(tmp_path / "drive.blf")], [other], start=START)


@pytest.mark.parametrize("keep", [0, 8, 64, 100, 800, 4000, 8400])
def test_a_cut_off_mf4_ends_in_one_sentence(keep: int, tmp_path: Path, dbc: Path) -> None:
    path = write_log(tmp_path / "drive.mf4")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceBroken, match=r"drive\.mf4"):
        read_vehicle([path], [dbc], start=START)


def test_an_mf4_whose_packed_frames_are_damaged_is_refused_without_a_traceback(
    tmp_path: Path, dbc: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_log(tmp_path / "drive.mf4")
    content = bytearray(path.read_bytes())
    packed = content.index(b"##DZ") + 80
    content[packed : packed + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(SourceBroken, match=r"drive\.mf4 cannot be read: .*; copy it again"):
        read_vehicle([path], [dbc], start=START)
    assert not caplog.records  # asammdf would write a traceback to the terminal


def test_the_real_drive_has_its_makers_speed_also_as_mf4(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "can"
    dbc = folder / "opendbc/_toyota_2017.dbc"
    mf4 = tmp_path / "drive.mf4"
    with can.LogReader(folder / "comma2k19_example_derived.blf") as log, can.Logger(mf4) as writer:
        for message in log:
            if message.channel == 0 and message.arbitration_id == 180:
                writer(message)
    given = folder / "comma2k19_example/processed_log/CAN/speed"
    times, values = (np.load(given / name).ravel() for name in ("t", "value"))
    first = np.load(folder / "comma2k19_example/processed_log/CAN/raw_can/t").min()
    for log_file in (folder / "comma2k19_example_derived.blf", mf4):
        vehicle = read_vehicle([log_file], [dbc], start=START)
        assert vehicle.speed is not None
        speed = vehicle.signals[vehicle.speed]
        shift = 0.0 if log_file.suffix == ".blf" else times[0] - first
        decoded = np.interp(times - first - shift, speed.times, speed.values)
        assert np.corrcoef(decoded, values)[0, 1] >= 0.999
        assert np.median(np.abs(decoded - values)) < 0.5
