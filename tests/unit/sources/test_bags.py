"""Bags: every storage, encoding and kind of picture; cameras chosen; damage named."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest
from mcap.writer import CompressionType
from rosbags.rosbag1 import Writer as Writer1

from hilgui.errors import SourceBroken
from hilgui.records import Frame, Loss
from hilgui.sources import FrameSource, source_again
from hilgui.sources import source_for as find_source
from hilgui.stream import StopToken
from tests.corpus.clips import Odd
from tests.corpus.numbers import number_of

from .bags import CAMERA, FRAMES, START_NS, samples, write_foxglove, write_rosbag1, write_rosbag2

BAGS: dict[str, Callable[[Path], Path]] = {
    "rosbag2 in MCAP": lambda folder: write_rosbag2(folder / "bag"),
    "rosbag2 in SQLite": lambda folder: write_rosbag2(folder / "bag", sqlite=True),
    "one SQLite file": lambda folder: next(write_rosbag2(folder / "bag", sqlite=True).glob("*.db3")),
    "rosbag1": lambda folder: write_rosbag1(folder / "drive.bag"),
    "rosbag1, bz2": lambda folder: write_rosbag1(folder / "d.bag", compression=Writer1.CompressionFormat.BZ2),
    "rosbag1, lz4": lambda folder: write_rosbag1(folder / "d.bag", compression=Writer1.CompressionFormat.LZ4),
    "Foxglove JSON": lambda folder: write_foxglove(folder / "drive.mcap"),
    "Foxglove protobuf": lambda folder: write_foxglove(folder / "drive.mcap", encoding="protobuf"),
    "MCAP, lz4": lambda folder: write_foxglove(folder / "drive.mcap", compression=CompressionType.LZ4),
    "MCAP, plain": lambda folder: write_foxglove(folder / "drive.mcap", compression=CompressionType.NONE),
    "MCAP without chunks": lambda folder: write_foxglove(folder / "drive.mcap", chunked=False),
    "raw bgr8": lambda folder: write_rosbag2(folder / "bag", raw="bgr8"),
    "raw mono8, ROS 1": lambda folder: write_rosbag1(folder / "drive.bag", raw="mono8"),
    "raw mono16": lambda folder: write_rosbag2(folder / "bag", raw="mono16"),
    "raw bayer_rggb8": lambda folder: write_rosbag2(folder / "bag", raw="bayer_rggb8"),
    "raw bayer_grbg16": lambda folder: write_rosbag2(folder / "bag", raw="bayer_grbg16"),
}


_open: list[FrameSource] = []


@pytest.fixture(autouse=True)
def _close_all() -> Iterator[None]:
    yield
    while _open:
        _open.pop().close()


def source_for(path: Path, topic: str | None = None) -> FrameSource:
    _open.append(find_source(path, topic=topic))
    return _open[-1]


def open_source(path: Path, topic: str | None = None) -> FrameSource:
    source = source_for(path, topic)
    source.open()
    return source


@pytest.mark.parametrize("name", BAGS)
def test_every_picture_is_delivered_in_time_order_and_found_again(name: str, tmp_path: Path) -> None:
    source = source_for(BAGS[name](tmp_path))
    facts = source.open()
    assert facts.ordered
    assert (facts.frames, facts.width, facts.height) == (FRAMES, 160, 96)
    assert facts.fps == pytest.approx(10)
    frames = [item for item in source.frames(StopToken()) if isinstance(item, Frame)]
    assert [number_of(frame.image) for frame in frames] == list(range(FRAMES))
    assert [frame.ref.time_s for frame in frames] == pytest.approx([number / 10 for number in range(FRAMES)])
    assert frames[0].ref.stamp.timestamp() == START_NS / 1e9
    order = random.Random(5)
    for _ in range(30):
        seq = order.randrange(FRAMES)
        assert number_of(source.frame_at(seq).image) == seq
    source.close()


@pytest.mark.parametrize(
    ("codec", "format_name"),
    [("libx264", "h264"), ("libx265", "h265"), ("libvpx-vp9", "vp9"), ("libsvtav1", "av1")],
)
def test_video_in_messages_is_decoded_at_any_message(codec: str, format_name: str, tmp_path: Path) -> None:
    options = {"libx265": {"x265-params": "log-level=none:bframes=0:keyint=8:pools=1"}}.get(codec, {})
    if codec == "libsvtav1":
        options = {"preset": "10", "crf": "5", "svtav1-params": "lp=1:pred-struct=1"}
    clip = Odd("clip.ts" if codec != "libvpx-vp9" else "clip.mkv", codec, options, gop=8, b_frames=0, frames=30)
    if codec == "libsvtav1":
        clip = Odd("clip.mkv", codec, options, gop=8, b_frames=-1, frames=30)
    with av.open(str(clip.write(tmp_path))) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        pieces = [bytes(packet) for packet in packets]
        if codec == "libsvtav1":  # files keep the sequence header apart, messages bring it with every key picture
            head = bytes(container.streams.video[0].codec_context.extradata or b"")[4:]
            pieces = [head + bytes(packet) if packet.is_keyframe else bytes(packet) for packet in packets]
    source = open_source(
        write_foxglove(
            tmp_path / "d.mcap", encoding="protobuf", kind="CompressedVideo", pieces=pieces, format_name=format_name
        )
    )
    straight = [number_of(item.image) for item in source.frames(StopToken()) if isinstance(item, Frame)]
    assert straight == list(range(30))
    for seq in (29, 3, 4, 17, 16, 0, 11):
        assert number_of(source.frame_at(seq).image) == seq


def test_video_of_10_bits_in_messages_keeps_its_samples_and_says_what_is_reduced(tmp_path: Path) -> None:
    clip = Odd("clip.ts", pix_fmt="yuv420p10le", gop=8, b_frames=0, frames=4).write(tmp_path)
    with av.open(str(clip)) as container:
        pieces = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    bag = tmp_path / "d.mcap"
    source = open_source(
        write_foxglove(bag, encoding="protobuf", kind="CompressedVideo", pieces=pieces, format_name="h264")
    )
    alone = open_source(clip)
    for seq in (0, 3, 1):
        frame = source.frame_at(seq)
        assert frame.raw is not None
        assert frame.raw.dtype == np.uint16
        assert np.array_equal(frame.raw, alone.frame_at(seq).raw)
    assert "10-bit samples are reduced to 8 bits" in source_for(bag).open().notes


def test_damaged_messages_share_one_reason_and_each_says_what_is_wrong(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / "bag", sqlite=True)
    with closing(sqlite3.connect(next(bag.glob("*.db3")))) as base, base:
        base.execute("UPDATE messages SET data = substr(data, 1, 60) WHERE id % 3 = 0")
    losses = [item for item in open_source(bag).frames(StopToken()) if isinstance(item, Loss)]
    assert len(losses) > 1
    assert {loss.reason for loss in losses} == {"could not be read"}
    assert all(f"picture {loss.ref.seq} of {CAMERA}" in loss.detail for loss in losses)


def test_several_cameras_are_listed_and_one_is_chosen(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / "bag", cameras=("/left/image", "/right/image"))
    with pytest.raises(
        SourceBroken, match=r"2 cameras: choose one with --topic: /left/image \(12\), /right/image.*--topic all"
    ):
        open_source(bag)
    assert "/right/image" in source_for(bag, topic="right/image").open().kind
    with pytest.raises(SourceBroken, match=r"no camera topic '/rear'; it has /left/image"):
        open_source(bag, topic="/rear")


def test_a_bag_without_a_camera_lists_its_topics(shared_data: Path) -> None:
    with pytest.raises(SourceBroken, match=r"no camera topic; it has .*/turtle1/pose"):
        open_source(shared_data / "bags/example-bz2_no_camera.bag")


def test_a_topic_is_only_for_bags(tmp_path: Path) -> None:
    clip = Odd("clip.mp4", frames=3).write(tmp_path)
    with pytest.raises(SourceBroken, match="no topics"):
        open_source(clip, topic="/camera")


def test_the_intrinsics_come_with_the_recording(shared_data: Path) -> None:
    camera = source_for(shared_data / "bags/derived_kitti0052_ros2_mcap").open().camera
    assert camera is not None
    assert (camera["width"], camera["height"]) == (1242, 375)
    assert camera["K"][0] == pytest.approx(721.5377)


def test_a_bag_that_was_not_closed_is_read_without_its_index(tmp_path: Path) -> None:
    path = write_foxglove(tmp_path / "drive.mcap")
    data = path.read_bytes()
    end = data.index(b"\x0f\x04\x00\x00\x00\x00\x00\x00\x00")  # the record that ends the messages
    path.write_bytes(data[:end])
    source = source_for(path)
    facts = source.open()
    assert facts.frames == FRAMES
    assert any("did not close" in note for note in facts.notes)
    assert number_of(source.frame_at(7).image) == 7


def test_a_bag_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    for path in (write_foxglove(tmp_path / "drive.mcap"), write_rosbag1(tmp_path / "drive.bag")):
        path.write_bytes(path.read_bytes()[:-5000])
        with pytest.raises(SourceBroken, match="cut off"):
            open_source(path)


def test_a_wrong_check_sum_loses_the_pictures_of_that_chunk_only(tmp_path: Path) -> None:
    path = write_foxglove(tmp_path / "drive.mcap", compression=CompressionType.NONE)
    data = bytearray(path.read_bytes())
    data[data.index(b"/9j/") + 900] ^= 1  # amid the first picture
    path.write_bytes(bytes(data))
    items = list(open_source(path).frames(StopToken()))
    good = [number_of(item.image) for item in items if isinstance(item, Frame)]
    assert len(items) == FRAMES
    assert 0 < len(good) < FRAMES
    assert good == list(range(FRAMES - len(good), FRAMES))


def test_a_rosbag2_that_lacks_a_file_is_refused(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / "bag")
    next(bag.glob("*.mcap")).unlink()
    with pytest.raises(SourceBroken, match=r"lacks bag\.mcap"):
        open_source(bag)


def test_the_topic_is_part_of_what_the_run_keeps(tmp_path: Path) -> None:
    assert CAMERA in source_for(write_rosbag1(tmp_path / "drive.bag")).open().kind


def test_the_recording_of_a_stored_run_opens_with_the_same_camera(tmp_path: Path) -> None:
    facts = source_for(write_rosbag2(tmp_path / "bag", cameras=("/left/image", "/right/image")), "/right/image").open()
    again = source_again(facts)
    _open.append(again)
    assert again.open() == facts


@pytest.mark.parametrize(
    ("encoding", "kind"), [("mono16", np.uint16), ("bayer_rggb8", np.uint8), ("bayer_grbg16", np.uint16)]
)
def test_samples_that_are_reduced_for_models_come_along(encoding: str, kind: type, tmp_path: Path) -> None:
    frame = open_source(write_rosbag2(tmp_path / "bag", raw=encoding)).frame_at(1)

    assert frame.raw is not None
    assert (frame.raw.shape, frame.raw.dtype) == ((96, 160), kind)
    assert frame.raw.tobytes() == samples(1, encoding).tobytes()


@pytest.mark.parametrize("encoding", ["bgr8", "mono8"])
def test_samples_of_8_bits_are_no_reduction(encoding: str, tmp_path: Path) -> None:
    assert open_source(write_rosbag2(tmp_path / "bag", raw=encoding)).frame_at(0).raw is None
