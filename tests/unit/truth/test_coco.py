"""The COCO reader: what it takes, and the sentences it says about broken files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.records import NO_TRACK
from hilgui.truth import Labels, find_truth, read_labels
from hilgui.truth.coco import CocoReader

DRIVE: dict[str, Any] = {
    "info": {"conditions": {"day_part": "night", "weather": "clear"}},
    "categories": [{"id": 7, "name": "person"}, {"id": 3, "name": "car"}],
    "images": [
        {"id": 1, "file_name": "drive.mp4#000000", "frame_index": 0, "timestamp_s": 0.0},
        {"id": 2, "file_name": "drive.mp4#000001", "frame_index": 1, "timestamp_s": 0.04},
    ],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40], "area": 900.5, "iscrowd": 0, "ignore": 1,
         "track_id": 17, "distance_m": 12.5, "occlusion": 0.25},
        {"id": 2, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4], "iscrowd": 1},
    ],
}  # fmt: skip


def written(folder: Path, document: Any) -> Path:
    path = folder / "drive.coco.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def changed(kind: str, row: int, **fields: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(DRIVE))
    document[kind][row].update(fields)
    return document


def test_a_drive_with_all_its_fields(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, DRIVE))
    assert (labels.format, labels.names) == ("COCO", ("person", "car"))
    assert labels.conditions == {"day_part": "night", "weather": "clear"}
    first, second = labels.frames
    assert (first.key, first.index, first.time_s) == ("drive.mp4#000000", 0, 0.0)
    assert first.truth.boxes.tolist() == [[10, 20, 40, 60], [1, 2, 4, 6]]
    assert first.truth.classes.tolist() == [1, 0]
    assert first.truth.tracks.tolist() == [17, NO_TRACK]
    assert first.truth.areas.tolist() == [900.5, 12.0]
    assert (first.truth.crowd.tolist(), first.truth.ignore.tolist()) == ([False, True], [True, False])
    assert np.array_equal(first.truth.distance_m, np.array([12.5, np.nan], np.float32), equal_nan=True)
    assert np.array_equal(first.truth.occlusion, np.array([0.25, np.nan], np.float32), equal_nan=True)
    assert len(second.truth) == 0


def test_frame_id_counts_frames_where_the_file_has_one_video(tmp_path: Path) -> None:
    document = {**DRIVE, "annotations": [], "images": [{"id": 1, "video_id": 4, "frame_id": 9}]}
    assert read_labels(written(tmp_path, document)).frames[0].index == 9


def test_frame_id_of_several_videos_names_no_frame(tmp_path: Path) -> None:
    images = [{"id": k, "video_id": k, "frame_id": 0, "file_name": f"{k}/0.png"} for k in (1, 2)]
    labels = read_labels(written(tmp_path, {**DRIVE, "annotations": [], "images": images}))
    assert [(frame.key, frame.index) for frame in labels.frames] == [("1/0.png", None), ("2/0.png", None)]


def test_day_part_and_weather_directly_under_info(tmp_path: Path) -> None:
    document = {**DRIVE, "info": {"day_part": "dusk", "weather": "rain", "year": 2024}}
    assert read_labels(written(tmp_path, document)).conditions == {"day_part": "dusk", "weather": "rain"}


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(DRIVE).encode())
    assert len(read_labels(path).frames) == 2


def test_a_missing_comma_gives_file_line_and_column(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps(DRIVE, indent=1).replace('"iscrowd": 0,', '"iscrowd": 0', 1))
    with pytest.raises(TruthBroken, match=rf"{path.name}, line \d+, column 4: .*comma") as caught:
        read_labels(path)
    assert caught.value.path == path
    broken = path.read_text().splitlines()
    assert caught.value.line is not None
    assert '"iscrowd": 0' in broken[caught.value.line - 2]


_NAN = json.dumps(DRIVE).replace("900.5", "NaN")
_HUGE = json.dumps(DRIVE).replace("900.5", "1e999")
_LONG = json.dumps(DRIVE).replace("900.5", "9" * 5000)
_DEEP = '{"images": ' + "[" * 100_000


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param(_NAN, "NaN is not a number", id="NaN"),
        pytest.param(_HUGE, "too large", id="1e999"),
        pytest.param(_LONG, "digits", id="5000 digits"),
        pytest.param(_DEEP, "nests", id="recursion bomb"),
        pytest.param('{"images": [', "line 1, column", id="cut off"),
        pytest.param({**DRIVE, "categories": {}}, 'no list "categories"', id="categories are no list"),
        pytest.param({"images": []}, 'no list "categories"', id="lists missing"),
        pytest.param({**DRIVE, "images": [5]}, "entry 0 of images", id="image is no object"),
        pytest.param({**DRIVE, "annotations": "images"}, 'no list "annotations"', id="annotations are text"),
        pytest.param(changed("annotations", 0, category_id=99), "category 99, which is not", id="unknown category"),
        pytest.param(changed("annotations", 0, image_id=99), "image 99, which is not", id="unknown image"),
        pytest.param(changed("annotations", 0, image_id=None), "has no image_id", id="no image"),
        pytest.param(changed("annotations", 0, category_id=[3]), "a list or an object is not an id", id="list as id"),
        pytest.param(changed("annotations", 0, bbox=[1, 2, -3, 4]), "negative size", id="negative width"),
        pytest.param(changed("annotations", 0, bbox=[1, 2, 3]), "bbox of four numbers", id="three numbers"),
        pytest.param(changed("annotations", 0, bbox=[1, 2, "3", 4]), "not a number", id="text in bbox"),
        pytest.param(changed("annotations", 0, bbox=[1, 2, 10**400, 4]), "too large", id="integer beyond floats"),
        pytest.param(changed("annotations", 0, bbox=[1, 2, 1e30, 4]), "larger than any picture", id="enormous box"),
        pytest.param(changed("annotations", 0, area=-1), "negative area", id="negative area"),
        pytest.param(changed("annotations", 0, iscrowd=2), "iscrowd is 2", id="iscrowd 2"),
        pytest.param(changed("annotations", 0, track_id=1.5), "not a whole number", id="half a track"),
        pytest.param(changed("annotations", 0, occlusion=25), "runs from 0 to 1", id="occlusion in percent"),
        pytest.param(changed("categories", 1, id=7), "repeats the id 7", id="category id twice"),
        pytest.param(changed("categories", 1, name="person"), 'repeats the name "person"', id="category name twice"),
        pytest.param(changed("categories", 0, name=""), "has no name", id="nameless category"),
        pytest.param(changed("images", 1, id=1), "repeats the id 1", id="image id twice"),
        pytest.param(changed("images", 0, frame_index=-1), "frames count from 0", id="negative frame"),
        pytest.param(changed("images", 0, file_name=[]), "is not text", id="file name is a list"),
        pytest.param({**DRIVE, "annotations": [], "images": [{"id": 1}]}, "which frame it is", id="image without name"),
    ],
)
def test_broken_labels_say_what_is_wrong(tmp_path: Path, document: Any, sentence: str) -> None:
    path = written(tmp_path, document)
    with pytest.raises(TruthBroken, match=sentence) as caught:
        CocoReader.read(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 600


def test_text_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(b'{"images": [],\n"note": "\xff"}')
    with pytest.raises(TruthBroken, match="line 2: not UTF-8"):
        read_labels(path)


def test_an_empty_file(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    with pytest.raises(TruthBroken, match="is empty"):
        CocoReader.read(path)
    with pytest.raises(TruthBroken, match="holds no labels that hilgui knows"):
        read_labels(path)


def test_a_file_larger_than_the_cap_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = written(tmp_path, '{"images": []')
    os.truncate(path, 600 * 2**20)  # sparse
    with pytest.raises(TruthBroken, match="larger than 512 MiB"):
        CocoReader.read(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\x00" * 100, b"hello", b'{"frames": []}'])
def test_other_files_are_not_recognised(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    assert not CocoReader.recognises(path)


def test_folders_and_missing_paths_are_not_recognised(tmp_path: Path) -> None:
    assert not any(CocoReader.recognises(path) for path in (tmp_path, tmp_path / "missing.json"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert not CocoReader.recognises(tmp_path / "pipe.json")
    with pytest.raises(TruthBroken, match="is not a file"):
        CocoReader.read(tmp_path / "pipe.json")


def test_missing_labels(tmp_path: Path) -> None:
    with pytest.raises(TruthBroken, match=r"there are no labels .*absent\.json"):
        read_labels(tmp_path / "absent.json")


def test_the_real_validation_images(shared_data: Path) -> None:
    labels = read_labels(shared_data / "images_gt" / "coco_val2017_100" / "instances_val2017_100.json")
    assert (len(labels.names), len(labels.frames)) == (80, 100)
    assert _total(labels, "classes") == 714
    assert sum(int(frame.truth.crowd.sum()) for frame in labels.frames) == 5


def _total(labels: Labels, field: str) -> int:
    return sum(len(getattr(frame.truth, field)) for frame in labels.frames)


@pytest.mark.parametrize(
    ("recording", "labels", "found"),
    [
        ("drive.mp4", ["drive.coco.json"], "drive.coco.json"),
        ("drive.mp4", ["drive.json"], "drive.json"),
        ("drive.mp4", ["drive.json", "drive.coco.json"], "drive.coco.json"),
        ("drive.v2.mp4", ["drive.v2.coco.json"], "drive.v2.coco.json"),
        ("drive.mp4", ["other.coco.json"], None),
        ("folder/", ["folder.coco.json"], "folder.coco.json"),
        ("folder/", ["folder/truth.coco.json"], "folder/truth.coco.json"),
        ("folder/", ["folder/a.coco.json", "folder/b.coco.json"], None),
        ("folder/", [], None),
    ],
)
def test_labels_beside_a_recording_are_found(
    tmp_path: Path, recording: str, labels: list[str], found: str | None
) -> None:
    if recording.endswith("/"):
        (tmp_path / recording).mkdir()
    for name in labels:
        (tmp_path / name).write_text(json.dumps(DRIVE))
    expected = None if found is None else tmp_path / found
    assert find_truth(tmp_path / recording) == expected


def test_a_json_beside_a_recording_that_holds_no_labels_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "drive.json").write_text('{"camera": "front"}')
    assert find_truth(tmp_path / "drive.mp4") is None
