"""Several cameras of one drive become one source in time order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hilgui.errors import CallWrong, SourceBroken
from hilgui.records import Frame, RunHeader
from hilgui.sources import FrameSource, cameras_for, source_again
from hilgui.sources.several import beside_of
from hilgui.stream import StopToken
from tests.corpus.numbers import number_of
from tests.unit.store.rows import header

from .bags import FRAMES, write_rosbag1, write_rosbag2
from .clips import write_clip

OPENED: list[FrameSource] = []


@pytest.fixture(autouse=True)
def _close_all() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def opened(source: FrameSource) -> FrameSource:
    OPENED.append(source)
    source.open()
    return source


CAMERAS = ("/front/image", "/rear/image")


@pytest.mark.parametrize("topic", ["all", "/front/image,/rear/image"])
def test_cameras_of_a_bag_alternate_on_one_clock(tmp_path: Path, topic: str) -> None:
    source = opened(cameras_for(write_rosbag2(tmp_path / "bag", cameras=CAMERAS), topic=topic))
    refs = source.refs()
    assert [ref.seq for ref in refs] == list(range(2 * FRAMES))
    assert [ref.channel for ref in refs] == list(CAMERAS) * FRAMES
    times = [ref.time_s for ref in refs]
    assert times == sorted(times)
    played = list(source.frames(StopToken()))
    for seq, item in enumerate(played):
        assert isinstance(item, Frame)
        assert (item.ref.seq, item.ref.channel) == (seq, CAMERAS[seq % 2])
        assert number_of(item.image) == seq // 2
        assert (source.frame_at(seq).image == item.image).all()
    assert len({ref.key for ref in refs}) == len(refs)


def test_one_topic_of_several_is_one_camera_without_a_channel(tmp_path: Path) -> None:
    source = opened(cameras_for(write_rosbag1(tmp_path / "d.bag", cameras=CAMERAS), topic="/rear/image"))
    assert {ref.channel for ref in source.refs()} == {""}
    assert len(source.refs()) == FRAMES


def test_videos_of_one_drive_are_merged_by_time_and_opened_again(tmp_path: Path) -> None:
    front = write_clip(tmp_path / "front.mp4", list(range(10)))
    rear = write_clip(tmp_path / "rear.mp4", [0, 2, 4, 6, 8])
    source = opened(cameras_for(front, [rear]))
    facts = source.open()
    assert facts.channels == ("front", "rear")
    assert facts.frames == 15
    assert "side by side at their first frames" in " ".join(facts.notes)
    order = [(ref.channel, round(ref.time_s, 3)) for ref in source.refs()]
    assert order[:5] == [
        ("front", 0.0),
        ("rear", 0.0),
        ("front", order[2][1]),
        ("front", order[3][1]),
        ("rear", order[3][1]),
    ]
    again = opened(source_again(facts))
    assert [(ref.channel, ref.key) for ref in again.refs()] == [(ref.channel, ref.key) for ref in source.refs()]
    assert again.open().sha256 == facts.sha256


def test_cameras_survive_the_header_of_a_run(tmp_path: Path) -> None:
    from dataclasses import replace

    front = write_clip(tmp_path / "front.mp4", list(range(3)))
    (tmp_path / "b").mkdir()
    same = write_clip(tmp_path / "b" / "front.mp4", list(range(3)))
    facts = opened(cameras_for(front, [same])).open()
    assert facts.channels == (f"{tmp_path.name}/front", "b/front")
    stored = replace(header(), source=facts)
    assert RunHeader.from_json(json.loads(json.dumps(stored.as_json()))).source == facts


def test_an_unordered_set_is_no_camera_beside_another(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(folder / name), np.zeros((8, 8, 3), np.uint8))
    source = cameras_for(write_clip(tmp_path / "front.mp4", list(range(3))), [folder])
    OPENED.append(source)
    with pytest.raises(SourceBroken, match="has no time stamps"):
        source.open()


def test_a_topic_that_is_not_there_is_refused(tmp_path: Path) -> None:
    source = cameras_for(write_rosbag2(tmp_path / "bag", cameras=CAMERAS), topic="/front/image,/top/image")
    OPENED.append(source)
    with pytest.raises(SourceBroken, match="no camera topic '/top/image'"):
        source.open()


def test_a_video_has_no_topics(tmp_path: Path) -> None:
    with pytest.raises(SourceBroken, match="one camera and no topics"):
        cameras_for(write_clip(tmp_path / "front.mp4", [0, 1]), topic="all")


@pytest.mark.parametrize("offset_s", [0.5, -0.5])
def test_a_camera_that_began_later_or_earlier_is_laid_where_it_was(tmp_path: Path, offset_s: float) -> None:
    front, rear = write_clip(tmp_path / "front.mp4", list(range(5))), write_clip(tmp_path / "rear.mp4", list(range(5)))
    source = opened(cameras_for(front, [rear], offsets_s=[offset_s]))
    refs = source.refs()
    begins = {channel: min(ref.time_s for ref in refs if ref.channel == channel) for channel in ("front", "rear")}

    assert begins["rear"] - begins["front"] == pytest.approx(offset_s)
    assert min(begins.values()) == 0
    assert f"rear begins {offset_s:+g} s" in source.open().notes
    assert [ref.time_s for ref in opened(source_again(source.open())).refs()] == [ref.time_s for ref in refs]


def test_an_offset_is_written_behind_the_file_unless_the_file_is_called_so(tmp_path: Path) -> None:
    named = tmp_path / "rear.mp4@2"
    named.touch()

    assert beside_of("rear.mp4@-0.25") == (Path("rear.mp4"), -0.25)
    assert beside_of(str(named)) == (named, 0.0)
    assert beside_of("me@home.mp4") == (Path("me@home.mp4"), 0.0)
    with pytest.raises(CallWrong, match="at most a day"):
        beside_of("rear.mp4@nan")
