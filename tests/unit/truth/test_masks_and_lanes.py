"""Labels of pixels and lanes: what they mean, and that they are read one at a time."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.records.masks import IGNORED_PIXEL, LaneTruth, MaskTruth
from hilgui.truth import Labels, read_labels
from hilgui.truth.masks import CAMVID
from tests.unit.truth.samples import SAMPLES


def put(folder: Path, name: str) -> Labels:
    return read_labels(next(each for each in SAMPLES if each.name == name).put(folder))


def mask_of(labels: Labels, number: int = 0) -> MaskTruth:
    mask = labels.frames[number].mask
    assert mask is not None
    return mask.load()


def lanes_of(labels: Labels, number: int = 0) -> LaneTruth:
    lanes = labels.frames[number].lanes
    assert lanes is not None
    return lanes.load()


def grey(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def test_a_mask_of_camvid(tmp_path: Path) -> None:
    labels = put(tmp_path, "masks")
    assert (labels.format, labels.names, labels.frames[0].key) == ("masks", CAMVID, "a")
    assert labels.frames[0].truth is None
    mask = mask_of(labels)
    assert np.unique(mask.classes).tolist() == [0, 3, 8, IGNORED_PIXEL]
    assert not mask.classes.flags.writeable
    assert mask.names[8] == "car"


def test_a_value_that_no_class_has_is_refused_when_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, "masks")
    grey(tmp_path / "labels" / "b.png", np.full((48, 64), 77, np.uint8))
    labels = read_labels(tmp_path)
    with pytest.raises(TruthBroken, match=r"b\.png has the pixel value 77, which no class has"):
        mask_of(labels, 1)


def test_masks_in_colours(tmp_path: Path) -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :3] = (128, 64, 128)[::-1]
    grey(tmp_path / "0001_L.png", pixels)
    (tmp_path / "label_colors.txt").write_text("128 64 128\tRoad\n0 0 0\tVoid\n")
    labels = read_labels(tmp_path)
    assert (labels.names, labels.frames[0].key) == (("Road", "Void"), "0001")
    assert mask_of(labels).classes[0].tolist() == [0, 0, 0, *[IGNORED_PIXEL] * 3]
    pixels[0, 0] = (1, 2, 3)
    grey(tmp_path / "0001_L.png", pixels)
    with pytest.raises(TruthBroken, match=r"the colour 3 2 1, which label_colors\.txt does not name"):
        mask_of(read_labels(tmp_path))


def test_a_picture_that_claims_to_be_enormous_is_refused_unread(tmp_path: Path) -> None:
    put(tmp_path, "masks")
    file = tmp_path / "labels" / "a.png"
    file.write_bytes(file.read_bytes()[:16] + (60_000).to_bytes(4, "big") * 2 + file.read_bytes()[24:])
    with pytest.raises(TruthBroken, match="larger than any mask"):
        mask_of(Labels(tmp_path, "", (), read_frames(tmp_path), ""))


def read_frames(folder: Path) -> tuple:
    from hilgui.truth.masks import MaskReader

    return MaskReader.read(folder).frames


def test_the_real_camvid_drive_is_not_held_in_memory(shared_data: Path) -> None:
    folder = shared_data / "drives" / "camvid_0016E5_val"
    tracemalloc.start()
    labels = read_labels(folder)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2**20
    assert [frame.key for frame in labels.frames[:2]] == ["0016E5_07959", "0016E5_07961"]
    mask = mask_of(labels)
    assert mask.classes.shape == (360, 480)
    assert set(np.unique(mask.classes).tolist()) <= {*range(11), IGNORED_PIXEL}
    images = {path.stem for path in (folder / "images").iterdir()}
    assert images == {frame.key for frame in labels.frames}


def test_lanes_run_from_near_to_far_through_the_middle(tmp_path: Path) -> None:
    lanes = lanes_of(put(tmp_path, "lane masks")).lanes
    assert [lane[:, 1].tolist() for lane in lanes] == [[40.5, 30.5, 20.5, 10.5], [40.5, 30.5, 20.5]]
    assert [set(lane[:, 0].tolist()) for lane in lanes] == [{11.5}, {42.0}]
    assert lanes[0].dtype == np.float32


def test_the_real_tusimple_masks(shared_data: Path) -> None:
    labels = read_labels(shared_data / "images_gt" / "tusimple_lanenet")
    assert [len(lanes_of(labels, number)) for number in range(6)] == [4, 4, 4, 5, 4, 4]
    assert [frame.key for frame in labels.frames] == [f"{k:04d}" for k in range(6)]


def test_tusimple_json(tmp_path: Path) -> None:
    labels = read_labels(next(each for each in SAMPLES if each.name == "tusimple").put(tmp_path) / "a.json")
    assert (labels.format, labels.frames[0].key) == ("TuSimple", "clips/1/20.jpg")
    assert [lane.tolist() for lane in lanes_of(labels).lanes] == [[[12, 30], [10, 20]], [[31, 20], [30, 10]]]
