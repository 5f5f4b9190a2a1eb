"""Recordings of sessions: identical pixels, bounded, whole after a crash."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import SourceBroken, StoreBroken
from hilgui.records import Frame, FrameRef, SourceFacts
from hilgui.sources import open_source
from hilgui.sources.recorder import INDEX, NAME, Recorder, mend
from hilgui.stream import StopToken

WIDTH, HEIGHT, FPS = 128, 96, 30.0


def frame(seq: int) -> Frame:
    image = np.random.default_rng(seq).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    stamp = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seq / FPS)
    return Frame(FrameRef(seq, f"bench#{seq:06d}", seq / FPS, stamp, seq, WIDTH, HEIGHT), image)


def facts() -> SourceFacts:
    return SourceFacts("bench", "bench", "camera:bench:0", "", WIDTH, HEIGHT, FPS, None, ordered=True, live=True)


def record(folder: Path, numbers: list[int], budget_mb: int = 100) -> Recorder:
    with Recorder(folder, facts(), budget_mb) as recorder:
        for number in numbers:
            recorder.write(frame(number))
    return recorder


def replay(path: Path) -> list[Frame]:
    source = open_source(path)
    try:
        return [each for each in source.frames(StopToken()) if isinstance(each, Frame)]
    finally:
        source.close()


def test_a_recording_replays_with_identical_pixels_and_its_gaps(tmp_path: Path) -> None:
    numbers = [*range(20), *range(25, 40)]
    recorder = record(tmp_path, numbers)
    again = replay(recorder.path)
    assert len(again) == len(numbers)
    for number, each in zip(numbers, again, strict=True):
        assert np.array_equal(each.image, frame(number).image)
        assert each.ref.time_s == pytest.approx(number / FPS, abs=1e-4)
    lines = [json.loads(line) for line in (tmp_path / INDEX).read_text().splitlines()]
    assert [line["seq"] for line in lines[1:-1]] == numbers and lines[-1]["frames"] == len(numbers)
    assert not mend(recorder.path)


def test_a_recording_can_be_sought(tmp_path: Path) -> None:
    source = open_source(record(tmp_path, list(range(30))).path)
    source.open()
    for number in (17, 3, 29, 0):
        assert np.array_equal(source.frame_at(number).image, frame(number).image)
    source.close()


def test_a_full_recording_ends_and_says_so(tmp_path: Path) -> None:
    recorder = record(tmp_path, list(range(100)), budget_mb=1)
    assert 1_000_000 <= recorder.path.stat().st_size < 1_100_000
    assert "the recording was full after" in recorder.account()[1]
    assert 20 < len(replay(recorder.path)) < 40


def endlessly(folder: Path) -> None:
    with Recorder(folder, facts(), 1000) as recorder:
        for number in range(100_000):
            recorder.write(frame(number))
            time.sleep(0.002)


@pytest.mark.parametrize("round_number", range(3))
def test_a_killed_recording_is_readable_up_to_its_last_frame(tmp_path: Path, round_number: int) -> None:
    process = multiprocessing.get_context("spawn").Process(target=endlessly, args=(tmp_path,))
    process.start()
    index = tmp_path / INDEX
    deadline = time.monotonic() + 60
    while (not index.exists() or index.read_text().count("\n") < 20 + 7 * round_number) and time.monotonic() < deadline:
        time.sleep(0.003)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    acknowledged = index.read_text().count("\n") - 1
    mend(tmp_path / NAME)
    again = replay(tmp_path / NAME)
    assert len(again) >= acknowledged >= 19
    assert all(np.array_equal(each.image, frame(number).image) for number, each in enumerate(again))


@pytest.mark.parametrize("cut", [1, 500, 20_000])
def test_a_half_written_frame_is_cut_off(tmp_path: Path, cut: int) -> None:
    path = record(tmp_path, list(range(10))).path
    lines = (tmp_path / INDEX).read_text().splitlines()
    (tmp_path / INDEX).write_text("\n".join(lines[:9]) + '\n{"frame": 8, "se')  # as a crash leaves it
    with path.open("r+b") as file:
        file.truncate(json.loads(lines[8])["end"] + cut)
    assert mend(path) and not mend(path)
    again = replay(path)
    assert len(again) == 8
    assert np.array_equal(again[7].image, frame(7).image)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match="cannot be written"):
        record(tmp_path / "missing", [0])


def test_stamps_are_kept_as_they_were_and_not_snapped_to_the_rate(tmp_path: Path) -> None:
    times_s = [0.0, 0.0452, 0.0461, 0.1437, 0.21]  # two within a period of 1/30 s
    with Recorder(tmp_path, facts(), 100) as recorder:
        for number, time_s in enumerate(times_s):
            made = frame(number)
            recorder.write(replace(made, ref=replace(made.ref, time_s=time_s)))
    again = replay(recorder.path)
    assert [each.ref.time_s for each in again] == pytest.approx(times_s, abs=1e-4)
    assert all(np.array_equal(each.image, frame(number).image) for number, each in enumerate(again))


def test_frames_of_a_recording_have_the_stamps_of_the_session_and_not_of_the_file(tmp_path: Path) -> None:
    recorder = record(tmp_path, [3, 4, 7])
    os.utime(recorder.path, (2_000_000_000, 2_000_000_000))
    again = replay(recorder.path)
    for number, each in zip((3, 4, 7), again, strict=True):
        assert abs((each.ref.stamp - frame(number).ref.stamp).total_seconds()) < 1e-3


@pytest.mark.parametrize("text", ["", "[]\n[]\n", '{"format": "hilgui/recording.v1"}\n{"stamp": 7}\n', "{" * 9000])
def test_a_damaged_index_costs_only_the_stamps(tmp_path: Path, text: str) -> None:
    recorder = record(tmp_path, [0, 1])
    (tmp_path / INDEX).write_text(text)
    assert len(replay(recorder.path)) == 2


def test_the_folder_of_a_run_is_no_drive_and_its_recording_is_named(tmp_path: Path) -> None:
    recorder = record(tmp_path, [0, 1])
    (tmp_path / "run.sqlite").touch()
    with pytest.raises(SourceBroken, match=f"folder of a run, not a recording; its recording is .*{NAME}"):
        open_source(tmp_path)
    assert len(replay(recorder.path)) == 2
