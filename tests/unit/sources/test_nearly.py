"""Files that are no recording but belong to one are refused with what to give instead."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import SourceBroken, TruthBroken
from hilgui.sources import open_source
from hilgui.truth import read_labels


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
def test_one_picture_names_its_folder(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"000000{suffix}"
    cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))

    with pytest.raises(SourceBroken, match="it is one picture; give the folder of them"):
        open_source(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.blf", b"LOGG" + bytes(140)),
        ("log.mf4", b"MDF     4.10    "),
        ("log.asc", b"date Sam Sep 30 15:06:13.191 2017\n"),
        ("car.dbc", b'VERSION ""'),
    ],
)
def test_a_bus_log_says_how_it_is_given(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(SourceBroken, match="--can LOG --dbc FILE"):
        open_source(path)


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "drive.mp4"
    path.touch()

    with pytest.raises(SourceBroken, match="it is empty"):
        open_source(path)


def test_what_nobody_knows_keeps_its_sentence(tmp_path: Path) -> None:
    path = tmp_path / "playlist.avi"
    path.write_text("#EXTM3U\nother.mp4\n")

    with pytest.raises(SourceBroken, match="its content is none of"):
        open_source(path)


def test_one_file_of_a_folder_of_labels_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "label_2"
    folder.mkdir()
    line = "Car 0.00 0 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59\n"
    for number in range(3):
        (folder / f"{number:06d}.txt").write_text(line)

    assert len(read_labels(folder).frames) == 3
    with pytest.raises(TruthBroken, match="its folder does: give "):
        read_labels(folder / "000000.txt")
