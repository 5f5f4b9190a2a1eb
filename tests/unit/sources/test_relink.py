"""A recording that moved is found by its content."""

from __future__ import annotations

from pathlib import Path

import pytest

from hilgui.errors import SourceBroken
from hilgui.sources import source_for
from hilgui.sources.fingerprint import file_sha256
from hilgui.sources.relink import find_by_hash

from .test_image_drives import write


def test_a_file_is_found_under_another_name(tmp_path: Path) -> None:
    moved = tmp_path / "a/b/other.mp4"
    moved.parent.mkdir(parents=True)
    moved.write_bytes(b"content")
    (tmp_path / "a/drive.mp4").write_bytes(b"another")
    looked: list[Path] = []
    found = find_by_hash(
        file_sha256(moved), [tmp_path], name="drive.mp4", size=7, progress=lambda path, _: looked.append(path)
    )
    assert found == moved
    assert looked[0].name == "drive.mp4"


@pytest.mark.parametrize("name", ["drive", "as it was called before"])
def test_a_folder_is_found_and_not_the_one_around_it(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "deep/drive", "0.png", "1.png")
    sha256 = source_for(folder).open().sha256
    assert source_for(folder.parent).open().sha256 == sha256
    assert find_by_hash(sha256, [tmp_path], name=name) == folder


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "drive.mp4").write_bytes(b"content")
    assert find_by_hash("0" * 64, [tmp_path]) is None
    assert find_by_hash(file_sha256(tmp_path / "drive.mp4"), [tmp_path], is_stopped=lambda: True) is None
    with pytest.raises(SourceBroken, match="no folder"):
        find_by_hash("0" * 64, [tmp_path / "nowhere"])
