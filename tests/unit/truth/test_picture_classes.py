"""Classes of whole pictures: from a table, from folders, joined by file name; what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.records import FrameRef
from hilgui.truth import join, read_labels
from tests.unit.cornercases import drive


def refs(*keys: str) -> list[FrameRef]:
    from dataclasses import replace

    return [replace(drive.moment(seq, ordered=False).ref, seq=seq, key=key) for seq, key in enumerate(keys)]


def test_a_table_of_files_and_classes_is_joined_by_name(tmp_path: Path) -> None:
    table = tmp_path / "val.csv"
    table.write_text("file,class\nb.jpg,tench|goldfish\na.jpg,207\n", encoding="utf-8")
    labels = read_labels(table)
    assert labels.format == "picture classes"
    joined = join(labels, refs("a.jpg", "b.jpg", "c.jpg"))
    told = {seq: [each.names[number] for number in each.classes] for seq, each in joined.classes.items()}
    assert told == {0: ["207"], 1: ["tench", "goldfish"]}
    assert (joined.frames, joined.truths) == (2, {})


def test_a_folder_for_each_class_is_read(tmp_path: Path) -> None:
    for name in ("n01440764", "n01443537"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / f"{name}_1.png"), np.zeros((4, 4, 3), np.uint8))
    labels = read_labels(tmp_path)
    assert [frame.key for frame in labels.frames] == ["n01440764/n01440764_1.png", "n01443537/n01443537_1.png"]
    assert labels.frames[1].classes is not None
    assert labels.frames[1].classes.names == ("n01440764", "n01443537")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,class\na.jpg,cat\na.jpg,dog\n", "line 3: a.jpg is labelled twice"),
        ("file,class\na.jpg\n", "line 2: the row names no file or no class"),
        ("file,class\na.jpg,\n", "line 2: the class has no name"),
        ("file,class\n", "labels no picture"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path: Path, text: str, said: str) -> None:
    table = tmp_path / "val.csv"
    table.write_text(text, encoding="utf-8")
    with pytest.raises(TruthBroken, match=said):
        read_labels(table)


@pytest.mark.parametrize(
    "folders",
    [("0001", "0016"), ("0001",), ("image_02", "image_03"), ("img1",), ("left", "right")],
    ids=lambda folders: " ".join(folders),
)
def test_sequences_and_cameras_of_a_drive_are_no_classes(tmp_path: Path, folders: tuple[str, ...]) -> None:
    drive_folder = tmp_path / "drive"  # alone in its folder: labels beside it would be named
    for name in folders:
        (drive_folder / name).mkdir(parents=True)
        for frame in (0, 15):
            cv2.imwrite(str(drive_folder / name / f"{frame:06d}.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(TruthBroken, match="holds pictures and no labels that hilgui knows; formats"):
        read_labels(drive_folder)


@pytest.mark.parametrize(
    ("folder", "picture"), [("00012", "00012_00003"), ("7", "000042"), ("0001", "cat"), ("dog", "000042")]
)
def test_numbered_classes_are_classes_where_their_pictures_do_not_count_frames(
    tmp_path: Path, folder: str, picture: str
) -> None:
    (tmp_path / folder).mkdir()
    cv2.imwrite(str(tmp_path / folder / f"{picture}.png"), np.zeros((4, 4, 3), np.uint8))
    assert [frame.key for frame in read_labels(tmp_path).frames] == [f"{folder}/{picture}.png"]
