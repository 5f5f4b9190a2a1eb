"""Where a camera looks from: profile, CameraInfo, KITTI's calibration."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.evaluation import geometry
from hilgui.records import CameraGeometry
from hilgui.sources.camera_geometry import find_geometry
from hilgui.sources.camera_profile import read_profile

INFO = {"width": 640, "height": 480, "K": [500.0, 0, 320, 0, 500, 240, 0, 0, 1]}
PROFILE = """
schema_version: 1
size: [640, 480]
lens: {focal_px: 500, cy: 240, height_m: 1.5, pitch_deg: 2}
"""


def profile(folder: Path, text: str = PROFILE):  # type: ignore[no-untyped-def]
    path = folder / "camera.yaml"
    path.write_text(text)
    return read_profile(path)


def test_the_recordings_matrix_is_scaled_to_its_pictures(tmp_path: Path) -> None:
    found = find_geometry(tmp_path, INFO, None, 1280, 960)
    assert found == CameraGeometry(1280, 960, 1000.0, 640.0, 480.0, origin="the recording")
    assert found.pitch_deg is None
    assert geometry.CameraGeometry.of(found) is None


def test_a_profile_comes_before_the_recording(tmp_path: Path) -> None:
    found = find_geometry(tmp_path, INFO, profile(tmp_path), 640, 480)
    assert found is not None
    assert (found.focal_px, found.cx, found.height_m, found.origin) == (500, 320, 1.5, "camera.yaml")
    assert found.pitch_deg == pytest.approx(2)
    assert found.horizon_px == pytest.approx(240 - 500 * math.tan(math.radians(2)))


def test_the_row_of_the_road_gives_its_distance(tmp_path: Path) -> None:
    found = find_geometry(tmp_path, None, profile(tmp_path, PROFILE.replace("pitch_deg: 2", "pitch_deg: 0")), 640, 480)
    assert found is not None
    camera = geometry.CameraGeometry.of(found)
    assert camera is not None
    distances = geometry.ground_distance_m(np.array([240.0 + 75.0, 240.0]), camera)
    assert distances[0] == pytest.approx(10.0)
    assert np.isnan(distances[1])


def test_without_a_focal_length_there_is_no_geometry(tmp_path: Path) -> None:
    assert find_geometry(tmp_path, None, None, 640, 480) is None
    lens = profile(tmp_path, "schema_version: 1\nlens: {height_m: 1.5}\n")
    assert find_geometry(tmp_path, None, lens, 640, 480) is None
    assert find_geometry(tmp_path, {"K": [0.0] * 9}, None, 640, 480) is None


def test_a_camera_of_kitti_is_known_by_its_calibration(shared_data: Path) -> None:
    found = find_geometry(shared_data / "drives/kitti_2011_09_26_drive_0052", None, None, 1242, 375)
    assert found is not None
    assert found.focal_px == pytest.approx(721.5377)
    assert (found.height_m, found.horizon_px) == (1.65, pytest.approx(172.854))


def test_pictures_of_several_cameras_have_no_one_geometry(tmp_path: Path) -> None:
    (tmp_path / "calib").mkdir()
    for name, focal in (("1.txt", 721.5), ("2.txt", 707.0)):
        (tmp_path / "calib" / name).write_text(f"P2: {focal} 0 600 0 0 {focal} 170 0 0 0 1 0\n")
    assert find_geometry(tmp_path, None, None, 1242, 375) is None


@pytest.mark.parametrize("content", [b"P2: a b c\n", b"\xff\xfe\x00", b"P2: " + b"1 " * 40_000])
def test_a_broken_calibration_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "calib.txt").write_bytes(content)
    with pytest.raises(SourceBroken, match=r"calib\.txt"):
        find_geometry(tmp_path, None, None, 1242, 375)


@pytest.mark.parametrize("lens", ["{focal_px: 0}", "{focal_px: .nan}", "{pitch_deg: 100}", "{height: 2}"])
def test_a_lens_that_cannot_be_is_refused(tmp_path: Path, lens: str) -> None:
    with pytest.raises(SourceBroken, match="wrong at lens"):
        profile(tmp_path, f"schema_version: 1\nlens: {lens}\n")
