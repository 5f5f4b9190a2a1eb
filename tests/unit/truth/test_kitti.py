"""The KITTI reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.records import NO_CLASS
from hilgui.truth import read_labels
from hilgui.truth.kitti import CLASSES, KittiReader

CAR = "Car 0.00 2 1.85 387.63 181.54 423.81 203.12 1.67 1.87 3.69 -16.53 2.39 58.49 1.57"
DONT_CARE = "DontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10"


def folder(root: Path, **files: str) -> Path:
    for stem, text in files.items():
        (root / f"{stem.removeprefix('f')}.txt").write_text(text)
    return root


def test_a_folder_of_labels(tmp_path: Path) -> None:
    labels = read_labels(folder(tmp_path, f000001=f"{CAR}\n{DONT_CARE}\n\n", f000002=""))
    assert (labels.format, labels.names, labels.class_map) == ("KITTI", CLASSES, "kitti_to_coco")
    first, second = labels.frames
    assert (first.key, second.key, len(second.truth)) == ("000001", "000002", 0)
    assert first.truth.classes.tolist() == [0, NO_CLASS]
    assert first.truth.ignore.tolist() == [False, True]
    assert first.truth.boxes[0].tolist() == [387.63, 181.54, 423.81, 203.12]
    assert np.array_equal(first.truth.distance_m, np.array([58.49, np.nan], np.float32), equal_nan=True)
    assert np.array_equal(first.truth.occlusion, np.array([0.6, np.nan], np.float32), equal_nan=True)


def test_a_type_that_kitti_does_not_have_is_taken_as_it_is(tmp_path: Path) -> None:
    labels = read_labels(folder(tmp_path, f1=CAR.replace("Car", "Tractor")))
    assert labels.names == (*CLASSES, "Tractor")
    assert labels.frames[0].truth.classes.tolist() == [len(CLASSES)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Car 1 2 3", "4 columns where KITTI object labels have 15"),
        (f"{CAR} 0.97", "a file of results, not of labels"),
        (CAR.replace("181.54", "abc"), "is not a finite number"),
        (CAR.replace("181.54", "nan"), "not a finite number"),
        (CAR.replace("423.81", "23.81"), "ends before it begins"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(TruthBroken, match=rf"000002\.txt, line 2: .*{sentence}") as caught:
        read_labels(folder(tmp_path, f000001=CAR, f000002=f"{CAR}\n{line}\n"))
    assert (caught.value.path, caught.value.line) == (tmp_path / "000002.txt", 2)


def test_binary_text_is_named(tmp_path: Path) -> None:
    (folder(tmp_path, f000001=CAR) / "000002.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TruthBroken, match=r"000002\.txt, line 1: not UTF-8"):
        read_labels(tmp_path)


def test_other_folders_are_not_recognised(tmp_path: Path) -> None:
    assert not KittiReader.recognises(tmp_path)
    assert not KittiReader.recognises(folder(tmp_path, readme="The labels of this drive.\n"))
    with pytest.raises(TruthBroken, match=r"formats: COCO, .*KITTI"):
        read_labels(tmp_path)


def test_an_empty_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(TruthBroken, match=r"holds no \.txt files"):
        KittiReader.read(tmp_path)


def test_the_real_object_labels(shared_data: Path) -> None:
    labels = read_labels(shared_data / "images_gt" / "kitti_mini" / "label_2")
    assert labels.names == CLASSES
    assert len(labels.frames) == 18
    first = next(frame for frame in labels.frames if frame.key == "000001").truth
    assert [labels.names[number] for number in first.classes[:3]] == ["Truck", "Car", "Cyclist"]
    assert (first.classes == NO_CLASS).sum() == 4
    assert first.distance_m[0] == pytest.approx(69.44)
