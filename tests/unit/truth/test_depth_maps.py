"""Folders of measured depth in 16-bit PNG files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import TruthBroken
from hilgui.truth import read_labels
from hilgui.truth.depth_maps import DepthReader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "depth"
    made.mkdir()
    raw = np.zeros((6, 8), np.uint16)
    raw[2, 3] = 12 * 256 + 128
    for name in ("000001", "000002"):
        cv2.imwrite(str(made / f"{name}.png"), raw)
    return made


def test_metres_are_the_sample_over_256_and_nothing_measured_is_nan(folder: Path) -> None:
    labels = read_labels(folder)
    assert (labels.format, [frame.key for frame in labels.frames]) == ("depth maps", ["000001", "000002"])
    depth = labels.frames[0].depth
    assert depth is not None
    metres = depth.load().metres
    assert metres[2, 3] == 12.5
    assert np.isnan(metres).sum() == 47


def test_pictures_of_8_bits_are_no_depth(folder: Path) -> None:
    cv2.imwrite(str(folder / "000000.png"), np.zeros((6, 8), np.uint8))
    assert not DepthReader.recognises(folder)
    with pytest.raises(TruthBroken, match="is not a grey PNG with 16 bits"):
        DepthReader.read(folder)


@pytest.mark.parametrize("keep", [0, 20, 40, 60])
def test_a_cut_off_file_is_one_sentence(folder: Path, keep: int) -> None:
    labels = DepthReader.read(folder)
    file = folder / "000001.png"
    file.write_bytes(file.read_bytes()[:keep])
    depth = labels.frames[0].depth
    assert depth is not None
    with pytest.raises(TruthBroken, match="000001"):
        depth.load()


def test_the_lidar_of_kitti_is_read(shared_data: Path) -> None:
    labels = read_labels(shared_data / "drives/kitti_2011_09_26_drive_0052/lidar_depth_keyframes")
    depth = labels.frames[0].depth
    assert depth is not None
    metres = depth.load().metres
    assert metres.shape == (375, 1242)
    known = metres[~np.isnan(metres)]
    assert 10_000 < len(known) < 40_000
    assert 2 < known.min() < known.max() < 100
