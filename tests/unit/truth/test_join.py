"""Joining labels to a recording."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.records import FrameRef, Truth
from hilgui.truth import LabelledFrame, Labels, join, read_labels


def refs(*keys: str, period_s: float = math.nan, size: tuple[int, int] = (640, 480)) -> list[FrameRef]:
    return [FrameRef(k, key, k * period_s, datetime(2024, 1, 1, tzinfo=UTC), 0, *size) for k, key in enumerate(keys)]


def labels(*frames: LabelledFrame) -> Labels:
    return Labels(Path("drive.json"), "COCO", ("car",), frames, "")


def key(name: str) -> LabelledFrame:
    return LabelledFrame(Truth.none(), key=name)


def index(number: int, name: str = "") -> LabelledFrame:
    return LabelledFrame(Truth.none(), key=name, index=number)


def time(seconds: float) -> LabelledFrame:
    return LabelledFrame(Truth.none(), time_s=seconds)


@pytest.mark.parametrize(
    ("known", "recording", "beyond"),
    [
        pytest.param([index(k, f"d.mp4#{k:06d}") for k in range(9)], refs("d.mp4#000000", "d.mp4#000001"), 7, id="cut"),
        pytest.param([index(k) for k in range(9)], refs("d.mp4#000000", "d.mp4#000001"), 7, id="cut, by number"),
        pytest.param([index(k, f"{k}.png") for k in range(9)], refs("1.png", "2.png"), 0, id="chosen pictures"),
        pytest.param(
            [index(k, f"{name}.mp4#{k:06d}") for name in "de" for k in range(9)],
            refs("d.mp4#000000", "d.mp4#000001"),
            7,
            id="labels of two videos",
        ),
    ],
)
def test_labels_beyond_the_end_of_a_video_are_counted(
    known: list[LabelledFrame], recording: list[FrameRef], beyond: int
) -> None:
    assert join(labels(*known), recording).beyond == beyond


VIDEO = refs("d.mp4#000000", "d.mp4#000001", "d.mp4#000002", period_s=0.1)


@pytest.mark.parametrize(
    ("known", "recording", "kind", "seqs"),
    [
        pytest.param([key("b.png")], refs("a.png", "b.png"), "key", [1], id="file name"),
        pytest.param([key("b.jpg"), key("a.jpg")], refs("a.png", "b.png"), "key", [0, 1], id="another suffix"),
        pytest.param([key("b")], refs("a.png", "b.png"), "key", [1], id="stem"),
        pytest.param([key("images/b.png")], refs("a.png", "b.png"), "key", [1], id="with a folder"),
        pytest.param([key("images\\b.png")], refs("a.png", "b.png"), "key", [1], id="with a Windows folder"),
        pytest.param([key("d.mp4#000002")], VIDEO, "key", [2], id="frame of a video"),
        pytest.param([index(2, "old.mp4#000002"), index(0, "old.mp4#000000")], VIDEO, "frame", [0, 2], id="renamed"),
        pytest.param([index(1)], VIDEO, "frame", [1], id="frame number"),
        pytest.param([index(1), index(7)], VIDEO, "frame", [1], id="frame number beyond the end"),
        pytest.param([time(0.11), time(0.26)], VIDEO, "time", [1], id="time within half a period"),
        pytest.param([time(0.11), time(0.249)], VIDEO, "time", [1, 2], id="time just within half a period"),
        pytest.param([time(-0.04)], VIDEO, "time", [0], id="time before the first frame"),
        pytest.param([time(0.0)], VIDEO[:1], "time", [0], id="recording of one frame"),
        pytest.param([time(0.08), time(0.1)], VIDEO, "time", [1], id="two times for one frame"),
    ],
)
def test_ways_to_join(known: list[LabelledFrame], recording: list[FrameRef], kind: str, seqs: list[int]) -> None:
    joined = join(labels(*known), recording)
    assert (joined.kind, list(joined.truths), joined.labelled) == (kind, seqs, len(known))
    assert joined.frames == len(seqs)
    assert bool(joined.notes) == (len(seqs) < len(known))


@pytest.mark.parametrize(
    ("known", "recording"),
    [
        ([key("x.png")], refs("a.png")),
        ([time(9.0)], VIDEO),
        ([time(0.1)], refs("a.png", "b.png")),
        ([index(5)], VIDEO),
        ([], VIDEO),
        ([key("a.png")], []),
        ([key("x/a.png")], refs("p/a.png", "q/a.png")),
    ],
)
def test_labels_of_another_recording_are_refused(known: list[LabelledFrame], recording: list[FrameRef]) -> None:
    with pytest.raises(TruthBroken, match=r"drive\.json fits no frame .* labels of another recording\?"):
        join(labels(*known), recording)


def test_two_labels_for_one_frame_are_refused() -> None:
    with pytest.raises(TruthBroken, match=r"twice: p/a\.png and q/a\.png"):
        join(labels(key("p/a.png"), key("q/a.png")), refs("a.png"))


def test_boxes_outside_the_picture_are_noticed() -> None:
    truth = Truth.of(np.array([[700.0, 10, 720, 40], [600, 10, 720, 40]]), np.array([0, 0], np.int32))
    (note,) = join(labels(LabelledFrame(truth, key="a.png")), refs("a.png")).notes
    assert note.startswith("1 of 2 labelled boxes lie outside")


def test_boxes_outside_are_noticed_where_only_the_labels_know_the_size() -> None:
    truth = Truth.of(np.array([[5000.0, 10, 5100, 40]]), np.array([0], np.int32))
    frame = LabelledFrame(truth, key="a.png", width=640, height=480)
    (note,) = join(labels(frame), refs("a.png", size=(0, 0))).notes
    assert note.startswith("1 of 1 labelled boxes lie outside")


def test_boxes_without_area_are_counted() -> None:
    truth = Truth.of(np.array([[10.0, 10, 10, 40], [10, 10, 20, 40]]), np.array([0, 0], np.int32))
    (note,) = join(labels(LabelledFrame(truth, key="a.png")), refs("a.png", size=(0, 0))).notes
    assert note.startswith("1 of 2 labelled boxes have no area")


def test_labels_of_pictures_of_another_size_are_refused() -> None:
    frame = LabelledFrame(Truth.none(), key="b.png", width=1920, height=1080)
    with pytest.raises(TruthBroken, match=r"drive\.json labels pictures of 1920 × 1080, b\.png has 640 × 480;"):
        join(labels(key("a.png"), frame), refs("a.png", "b.png"))
    assert join(labels(frame), refs("b.png", size=(0, 0))).frames == 1


def test_the_key_frames_of_the_real_kitti_drive(shared_data: Path) -> None:
    drive = shared_data / "drives" / "kitti_2011_09_26_drive_0052"
    recording = refs(*sorted(path.name for path in (drive / "image_02").glob("*.png")), size=(1242, 375))
    joined = join(read_labels(drive / "label_2_keyframes"), recording)
    assert (joined.kind, list(joined.truths), joined.notes) == ("key", [7, 14, 21, 31], ())
