"""Folders of images that are drives: stamps from files, names and EXIF; layouts of data sets; raw pictures."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from hilgui.errors import SourceBroken
from hilgui.sources import open_source, source_for
from hilgui.sources.image_stamps import stamp_of_name
from hilgui.sources.raw_pixels import from_bayer

T0 = 1_700_000_000


def write(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((16, 24, 3), 40 + 40 * number, np.uint8))
    return folder


@pytest.mark.parametrize(
    ("stem", "expected_ns"),
    [
        ("1700000000123456789", T0 * 10**9 + 123_456_789),
        ("1700000000123456", T0 * 10**9 + 123_456_000),
        ("front_1700000000123", T0 * 10**9 + 123_000_000),
        ("1700000000", T0 * 10**9),
        ("1700000000.25", T0 * 10**9 + 250_000_000),
        ("2023-11-14T22-13-20.5", T0 * 10**9 + 500_000_000),
        ("cam0_20231114_221320_250", T0 * 10**9 + 250_000_000),
        ("0000000017", None),
        ("0016E5_07959", None),
        ("frame_000123", None),
        ("20231514_221320", None),
    ],
)
def test_a_name_is_a_stamp_only_where_it_is_a_date(stem: str, expected_ns: int | None) -> None:
    assert stamp_of_name(stem) == expected_ns


def test_stamps_in_names_make_a_drive(tmp_path: Path) -> None:
    source = source_for(write(tmp_path, "1700000000000.png", "1700000000100.png", "1700000000350.png"))
    facts = source.open()
    assert facts.ordered
    assert "time comes from file names" in facts.notes
    assert [ref.time_s for ref in source.refs()] == pytest.approx([0, 0.1, 0.35])
    assert source.refs()[0].stamp.timestamp() == T0


def test_names_that_do_not_ascend_are_no_stamps(tmp_path: Path) -> None:
    assert not source_for(write(tmp_path, "a_1700000005.png", "b_1700000001.png")).open().ordered


SIDECARS = {
    "timestamps.txt": "2023-11-14 22:13:20.000000000\n2023-11-14 22:13:20.103000789\n2023-11-14 22:13:20.200000000\n",
    "timestamps.csv": "name,stamp\n0.png,1700000000000000000\n2.png,1700000000200000000\n1.png,1700000000103000789\n",
    "data.csv": "#timestamp [ns],filename\n1700000000000000000,0.png\n1700000000103000789,1.png\n"
    "1700000000200000000,2.png\n",
    "times.txt": "0.0\n0.103000789\n2.0e-01\n",
    "rgb.txt": "# colour images\n1700000000.0 rgb/0.png\n1700000000.103000789 rgb/1.png\n1700000000.2 rgb/2.png\n",
}


@pytest.mark.parametrize("name", SIDECARS)
@pytest.mark.parametrize("above", [False, True], ids=["inside", "above"])
def test_a_file_beside_the_images_gives_their_stamps(name: str, above: bool, tmp_path: Path) -> None:
    folder = write(tmp_path / "drive", "0.png", "1.png", "2.png")
    ((tmp_path if above else folder) / name).write_text(SIDECARS[name])
    source = source_for(folder)
    facts = source.open()
    assert facts.notes == (f"time comes from {name}",)
    assert [ref.time_s for ref in source.refs()] == pytest.approx([0, 0.103000789, 0.2], abs=1e-8)


def test_a_sidecar_that_misses_an_image_does_not_count(tmp_path: Path) -> None:
    folder = write(tmp_path, "0.png", "1.png", "2.png")
    (folder / "timestamps.csv").write_text("name,stamp\n0.png,1700000000\n1.png,1700000001\n")
    facts = source_for(folder).open()
    assert not facts.ordered


def test_part_of_a_kitti_drive_takes_its_own_lines(tmp_path: Path) -> None:
    folder = write(tmp_path / "drive/image_02/data", "0000000001.png", "0000000003.png")
    lines = [f"2011-09-26 13:02:25.{number}00000000" for number in range(5)]
    (folder.parent / "timestamps.txt").write_text("\n".join(lines))
    assert [ref.time_s for ref in open_source(tmp_path / "drive").refs()] == pytest.approx([0, 0.2])


def test_exif_gives_stamps_with_fractions(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(with_exif(f"2023:11:14 22:13:2{number}", f"{number}5"))
    source = source_for(tmp_path)
    assert "time comes from EXIF" in source.open().notes
    assert [ref.time_s for ref in source.refs()] == pytest.approx([0, 1.1, 2.2])


def with_exif(taken: str, fraction: str) -> bytes:
    """Put DateTimeOriginal and its fraction into a small JPEG."""
    jpeg = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    text = taken.encode() + b"\0"
    inner = struct.pack("<HHHII", 2, 0x9003, 2, len(text), 56) + struct.pack("<HHI4s", 0x9291, 2, 3, fraction.encode())
    tiff = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 26, 0) + inner + struct.pack("<I", 0) + text
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def test_a_given_rate_beats_every_stamp(tmp_path: Path) -> None:
    source = source_for(write(tmp_path, "1700000000.png", "1700000001.png"), fps=20)
    source.open()
    assert [ref.time_s for ref in source.refs()] == pytest.approx([0, 0.05])


@pytest.mark.parametrize(
    ("name", "frames", "fps"),
    [
        ("drives/kitti_2011_09_26_drive_0052", 34, 10),
        ("drives/kitti_2011_09_26_drive_0052/image_02", 34, 10),
        ("drives/mot17_mini", 8, 30),
        ("drives/mot17_mini/MOT17-04-FRCNN", 8, 30),
        ("drives/mot17_mini/MOT17-04-FRCNN/img1", 8, 30),
        ("drives/camvid_0016E5_val", 61, None),
        ("drives/camvid_0016E5_val/images", 61, None),
        ("drives/otb_crossing", 120, None),
        ("images_gt/kitti_mini", 18, None),
        ("images_gt/coco_val2017_100", 100, None),
        ("images_gt/tusimple_lanenet", 6, None),
    ],
)
def test_the_folder_of_a_data_set_can_be_named(name: str, frames: int, fps: float | None, shared_data: Path) -> None:
    facts = source_for(shared_data / name).open()
    assert (facts.frames, facts.fps, facts.ordered) == (frames, fps, fps is not None)


def test_a_stated_count_that_is_wrong_is_told(shared_data: Path) -> None:
    facts = source_for(shared_data / "drives/mot17_mini/MOT17-04-FRCNN").open()
    assert "the data set states 1050 pictures, 8 are there and count" in facts.notes


def test_several_folders_of_images_are_listed(shared_data: Path) -> None:
    with pytest.raises(SourceBroken, match="2 folders of images: name one of them"):
        open_source(shared_data / "images_gt/kitti_mini/tracking")


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 12])
def test_a_bayer_picture_gets_its_colours_back(pattern: str, bits: int, tmp_path: Path) -> None:
    colour = {"r": 0.8, "g": 0.4, "b": 0.1}
    top = (1 << bits) - 1
    mosaic = np.empty((32, 32), np.uint8 if bits == 8 else np.uint16)
    for place, letter in enumerate(pattern):
        mosaic[place // 2 :: 2, place % 2 :: 2] = round(colour[letter] * top)
    mosaic[0, 0] = mosaic[0, 0] if bits == 8 else top  # one sample as bright as it gets tells the depth
    cv2.imwrite(str(tmp_path / "0.png"), mosaic)
    frame = open_source(tmp_path, bayer=pattern).frame_at(0)
    expected = [round(255 * (value if bits == 8 else value ** (1 / 2.2))) for value in (0.1, 0.4, 0.8)]
    assert np.abs(frame.image[8:24, 8:24].reshape(-1, 3).mean(axis=0) - expected).max() <= 1.5


def test_a_profile_says_that_pictures_are_raw(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.full((16, 16), 100, np.uint8))
    (tmp_path / "camera.yaml").write_text("bayer: rggb\n")
    assert any("raw Bayer RGGB" in note for note in source_for(tmp_path).open().notes)


def test_a_bayer_pattern_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceBroken, match="no Bayer pattern"):
        open_source(write(tmp_path, "0.png"), bayer="rgbw")
    with pytest.raises(ValueError, match="at least 4"):
        from_bayer(np.zeros((2, 2), np.uint8), "rggb")


def test_a_header_that_claims_a_giant_picture_is_refused_before_memory_is_spent(tmp_path: Path) -> None:
    data = bytearray(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    struct.pack_into(">II", data, 16, 30_000, 30_000)
    (tmp_path / "0.png").write_bytes(bytes(data))
    source = open_source(tmp_path)
    with pytest.raises(SourceBroken, match="30000 × 30000"):
        source.frame_at(0)
    assert math.isnan(source.refs()[0].time_s)
