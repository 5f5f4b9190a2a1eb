"""Everything in the folder of real data opens as a recording, or is refused for a stated reason."""

from __future__ import annotations

from pathlib import Path

from hilgui.errors import SourceBroken
from hilgui.records import Frame
from hilgui.sources import source_for

OPENS = {
    "bags/derived_kitti0052_ros2_mcap": 34,
    "bags/derived_kitti0052_ros2_mcap/derived_kitti0052_ros2_mcap.mcap": 34,
    "bags/foxglove_json_camera_placeholder.mcap": 10,
    "drives/camvid_0016E5_val": 61,
    "drives/clips/carnd_test_video.mp4": 38,
    "drives/clips/solidWhiteRight.mp4": 221,
    "drives/clips/test_small2.mp4": 100,
    "drives/kitti_2011_09_26_drive_0052": 34,
    "drives/mot17_mini": 8,
    "drives/otb_crossing": 120,
    "images_gt/coco_val2017_100": 100,
    "images_gt/kitti_mini": 18,
    "images_gt/tusimple_lanenet": 6,
}


def test_every_recording_opens_and_its_last_frame_can_be_read(shared_data: Path) -> None:
    found = {}
    for name, frames in OPENS.items():
        source = source_for(shared_data / name)
        try:
            found[name] = source.open().frames
            assert isinstance(source.frame_at(frames - 1), Frame)
        finally:
            source.close()
    assert found == OPENS


def test_everything_else_is_refused_in_one_sentence_that_names_it(shared_data: Path) -> None:
    strange = []
    for path in sorted(shared_data.rglob("*")):
        name = str(path.relative_to(shared_data))
        if name in OPENS or (path.is_file() and path.suffix in (".png", ".jpg", ".txt")):
            continue
        try:
            source = source_for(path)
        except SourceBroken as failure:
            if str(path) not in str(failure):
                strange.append(f"{name}: {failure}")
            continue
        if path.is_file():
            try:
                source.open()
                strange.append(f"{name}: opened")
            except SourceBroken as failure:
                if str(path) not in str(failure):
                    strange.append(f"{name}: {failure}")
            finally:
                source.close()
    assert strange == []
