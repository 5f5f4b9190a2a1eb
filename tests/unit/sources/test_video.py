"""Video: counted by its packets, exact at any frame, honest about damage."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.records import Frame
from hilgui.sources import open_source, source_for
from hilgui.sources.video import VideoSource
from hilgui.stream import StopToken
from tests.corpus.clips import Odd

from .clips import grey, write_clip

STAMPS = {
    "constant rate": list(range(30)),
    "variable rate": [0, 1, 3, 4, 9, 10, 11, 20, 21, 40, 41, 42, 50],
    "offset start": list(range(90, 110)),
    "one frame": [0],
}


def level(frame: Frame) -> int:
    return round(float(np.median(frame.image)))


@pytest.mark.parametrize("name", STAMPS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_every_frame_is_delivered_once_with_its_own_picture(tmp_path: Path, name: str, suffix: str) -> None:
    stamps = STAMPS[name]
    source = VideoSource(write_clip(tmp_path / f"clip{suffix}", stamps))
    facts = source.open()
    frames = [frame for frame in source.frames(StopToken()) if isinstance(frame, Frame)]
    assert facts.frames == len(stamps) == len(frames)
    assert [frame.ref.seq for frame in frames] == list(range(len(stamps)))
    assert [level(frame) for frame in frames] == pytest.approx([grey(seq) for seq in range(len(stamps))], abs=2)
    expected_s = [(stamp - stamps[0]) / 30 for stamp in stamps]
    assert [frame.ref.time_s for frame in frames] == pytest.approx(expected_s, abs=2e-3)


@pytest.mark.parametrize("name", STAMPS)
def test_seeking_gives_exactly_the_frame_that_was_asked_for(tmp_path: Path, name: str) -> None:
    stamps = STAMPS[name]
    source = open_source(write_clip(tmp_path / "clip.mp4", stamps))
    order = random.Random(7)
    for _ in range(60):
        seq = order.randrange(len(stamps))
        assert level(source.frame_at(seq)) == pytest.approx(grey(seq), abs=2)
    source.close()


def test_frames_are_read_only(tmp_path: Path) -> None:
    frame = open_source(write_clip(tmp_path / "clip.mp4", [0, 1])).frame_at(1)
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0, 0] = 1


def test_a_frame_past_the_end_is_refused(tmp_path: Path) -> None:
    source = open_source(write_clip(tmp_path / "clip.mp4", [0, 1]))
    with pytest.raises(IndexError, match="0 to 1, not 2"):
        source.frame_at(2)


def test_stopping_ends_the_frames(tmp_path: Path) -> None:
    stop = StopToken()
    source = open_source(write_clip(tmp_path / "clip.mp4", list(range(20))))
    frames = source.frames(stop)
    next(frames)
    stop.stop("enough")
    assert list(frames) == []


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_recording_that_was_cut_off_is_named(tmp_path: Path, keep: float) -> None:
    path = write_clip(tmp_path / "clip.mp4", list(range(30)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(SourceBroken, match=r"clip\.mp4"):
        open_source(path)


def test_a_playlist_with_the_name_of_a_video_is_refused(tmp_path: Path) -> None:
    secret = write_clip(tmp_path / "secret.mp4", [0, 1])
    trap = tmp_path / "trap.avi"
    trap.write_text(f"ffconcat version 1.0\nfile {secret}\n")
    with pytest.raises(SourceBroken, match=r"trap\.avi is not a recording"):
        open_source(trap)


@pytest.mark.parametrize("content", [b"", b"\x00" * 400, b"RIFF\x00\x00\x00\x00AVI LIST" + b"\xff" * 400])
def test_garbage_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceBroken, match=r"garbage\.mp4"):
        open_source(path)


def test_a_missing_recording_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceBroken, match="no recording"):
        open_source(tmp_path / "nowhere.mp4")


def test_a_header_that_lies_about_the_count_is_not_believed(shared_data: Path) -> None:
    source = VideoSource(shared_data / "drives/clips/test_small2.mp4")
    assert source.open().frames == 100
    assert sum(1 for _ in source.frames(StopToken())) == 100


def test_random_seeks_of_a_real_drive_give_the_frames_of_a_straight_read(shared_data: Path) -> None:
    source = open_source(shared_data / "drives/clips/carnd_test_video.mp4")
    straight = [frame.image for frame in source.frames(StopToken()) if isinstance(frame, Frame)]
    order = random.Random(3)
    for _ in range(40):
        seq = order.randrange(len(straight))
        assert np.array_equal(source.frame_at(seq).image, straight[seq])
    source.close()


@pytest.mark.parametrize(
    ("matrix", "degrees"), [((0, 1, -1, 0), 270), ((-1, 0, 0, -1), 180), ((0, -1, 1, 0), 90)], ids=["270", "180", "90"]
)
def test_a_video_that_asks_to_be_turned_is_turned(tmp_path: Path, matrix: tuple[int, ...], degrees: int) -> None:
    path = Odd("turned.mp4", frames=4).write(tmp_path)
    upright = open_source(path).frame_at(2).image
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    struct.pack_into(">9i", data, place, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    source = source_for(path)
    facts = source.open()
    frame = source.frame_at(2)
    assert any(f"turned by {degrees}°" in note for note in facts.notes)
    assert (facts.height, facts.width) == frame.image.shape[:2]
    assert np.array_equal(frame.image, np.rot90(upright, degrees // 90))
    source.close()


@pytest.mark.parametrize("suffix", [".mkv", ".avi"])
def test_a_container_that_states_more_bytes_than_it_has_is_refused(tmp_path: Path, suffix: str) -> None:
    path = Odd(f"cut{suffix}", "mpeg4", frames=40).write(tmp_path)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(SourceBroken, match="cut off"):
        open_source(path)
