"""Camera profiles: what is always in the way becomes ignore regions."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.records import NO_CLASS, Truth
from hilgui.sources.camera_profile import cover, find_profile, ignore_rows, ignored_pixels, read_profile, with_ignored

BONNET = """
schema_version: 1
size: [640, 480]
ignore:
  - name: bonnet
    polygon: [[0, 480], [100, 400], [540, 400], [640, 480]]
"""


def test_a_polygon_becomes_boxes_inside_it_that_cover_most_of_it(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(BONNET)
    profile = read_profile(path)
    pixels, rows = ignored_pixels(profile, 640, 480), ignore_rows(profile, 640, 480)
    covered = np.zeros_like(pixels)
    for x1, y1, x2, y2 in rows.boxes.astype(int):
        assert pixels[y1:y2, x1:x2].all()
        covered[y1:y2, x1:x2] = True
    assert covered.sum() > 0.85 * pixels.sum()
    assert len(rows) <= 64
    assert rows.ignore.all()
    assert (rows.classes == NO_CLASS).all()


def test_regions_of_another_size_are_scaled(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(BONNET)
    small = ignored_pixels(read_profile(path), 320, 240)
    assert small[239, 160]
    assert not small[190, 160]


def test_a_rectangle_is_one_box() -> None:
    pixels = np.zeros((96, 160), bool)
    pixels[:24, 40:160] = True
    assert cover(pixels).tolist() == [[40, 0, 160, 24]]


def test_an_empty_mask_ignores_nothing() -> None:
    assert len(cover(np.zeros((48, 64), bool))) == 0


@pytest.mark.parametrize("name", ["drive.mask.png", "drive.camera.yaml", "camera.yaml"])
def test_a_profile_is_found_beside_its_recording(name: str, tmp_path: Path) -> None:
    (tmp_path / "drive.mp4").write_bytes(b"")
    if name.endswith(".png"):
        cv2.imwrite(str(tmp_path / name), np.full((8, 8), 255, np.uint8))
    else:
        (tmp_path / name).write_text(BONNET)
    profile = find_profile(tmp_path / "drive.mp4")
    assert profile is not None
    assert profile.path.name == name
    assert ignored_pixels(profile, 640, 480)[470, 320]


def test_without_a_profile_there_is_none(tmp_path: Path) -> None:
    assert find_profile(tmp_path / "drive.mp4") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ignore: [{polygon: [[0, 0], [1, 1]]}]", "wrong at ignore.0.polygon"),
        ("bonet: 3", "wrong at bonet"),
        ("mask: ../secret.png", "beside the profile"),
        ("a: [", "cannot be read"),
        ("mask: nothing.png", "cannot be read"),
        ("[1, 2]", "wrong at"),
    ],
)
def test_a_wrong_profile_is_named(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(text)
    with pytest.raises(SourceBroken, match=reason):
        read_profile(path)


def test_the_rows_are_added_to_the_truth_of_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "camera.yaml"
    path.write_text(BONNET)
    regions = ignore_rows(read_profile(path), 640, 480)
    truth = Truth.of(np.array([[1.0, 2, 3, 4]]), np.zeros(1, np.int32))
    both = with_ignored(truth, regions)
    assert len(both) == 1 + len(regions)
    assert not both.ignore[0]
    assert with_ignored(truth, Truth.none()) is truth
