"""Fog by the distances of a depth map: what lies far vanishes, and what has no map is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from hilgui.cli import main
from hilgui.corruptions import parse_recipe
from hilgui.errors import CallWrong, SourceBroken
from hilgui.pipeline.plan import RunPlan, recipe_of
from hilgui.records import Frame
from hilgui.settings import Settings
from hilgui.sources.corrupted import Corrupted
from hilgui.sources.opening import source_again, source_for
from hilgui.stream import StopToken

NEAR_M, FAR_M = 5.0, 200.0


def pictures(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for seq in range(count):
        cv2.imwrite(str(folder / f"{seq:04d}.png"), np.zeros((20, 40, 3), np.uint8))
    return folder


def depth(path: Path, left_m: float, right_m: float) -> Path:
    metres = np.repeat([[left_m] * 20 + [right_m] * 20], 20, axis=0)
    cv2.imwrite(str(path), (metres * 256).clip(0, 65535).astype(np.uint16))
    return path


def foggy(source: Path, maps: Path) -> list[NDArray[np.uint8]]:
    corrupted = Corrupted(source_for(source, 10.0, None), parse_recipe(["depth_fog:3"]), maps)
    facts = corrupted.open()
    assert facts.corrupt_depth == str(maps.resolve())
    assert any(f"distances from {maps.name}" in note for note in facts.notes)
    found = [item.image for item in corrupted.frames(StopToken()) if isinstance(item, Frame)]
    corrupted.close()
    again = source_again(facts)
    again.open()
    assert (again.frame_at(0).image == found[0]).all()
    again.close()
    return found


def test_one_map_stands_for_all_frames_and_far_pixels_vanish(tmp_path: Path) -> None:
    found = foggy(pictures(tmp_path / "drive"), depth(tmp_path / "depth.png", NEAR_M, FAR_M))
    assert len(found) == 3
    for image in found:
        assert image[:, :20].mean() < 60 < 150 < image[:, 20:].mean()


def test_a_folder_has_a_map_for_each_frame_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    for seq, (left_m, right_m) in enumerate(((NEAR_M, FAR_M), (FAR_M, NEAR_M), (NEAR_M, NEAR_M))):
        depth(tmp_path / "maps" / f"{seq:04d}.png", left_m, right_m)
    found = foggy(pictures(tmp_path / "drive"), tmp_path / "maps")
    assert [image[:, :20].mean() > image[:, 20:].mean() for image in found] == [False, True, False]


def test_what_was_not_measured_has_the_distance_of_its_neighbour(tmp_path: Path) -> None:
    whole = foggy(pictures(tmp_path / "drive"), depth(tmp_path / "depth.png", NEAR_M, NEAR_M))[0]
    sparse = np.zeros((20, 40), np.uint16)
    sparse[::4, ::4] = int(NEAR_M * 256)
    cv2.imwrite(str(tmp_path / "sparse.png"), sparse)
    assert (foggy(pictures(tmp_path / "other"), tmp_path / "sparse.png")[0] == whole).all()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "has no depth map for frame 0"),
        (np.zeros((4, 4), np.uint8), "no grey PNG with 16 bits"),
        (np.zeros((4, 4), np.uint16), "holds no distance at all"),
    ],
)
def test_a_frame_without_a_sound_map_is_named(tmp_path: Path, content: NDArray[np.uint8] | None, why: str) -> None:
    (tmp_path / "maps").mkdir()
    depth(tmp_path / "maps" / "0077.png", NEAR_M, FAR_M)
    if content is not None:
        cv2.imwrite(str(tmp_path / "maps" / "0000.png"), content)
    with pytest.raises(SourceBroken, match=why):
        foggy(pictures(tmp_path / "drive"), tmp_path / "maps")


def test_no_maps_at_all_are_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SourceBroken, match="holds no depth maps"):
        Corrupted(source_for(pictures(tmp_path / "drive"), 10.0, None), parse_recipe(["depth_fog"]), tmp_path / "none")


def test_depth_without_fog_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive = pictures(tmp_path / "drive")
    maps = depth(tmp_path / "depth.png", NEAR_M, FAR_M)
    plan = RunPlan(drive, drive, out=tmp_path, settings=Settings(), corrupt=("fog:3",), corrupt_depth=maps)
    with pytest.raises(CallWrong, match="belong to the corruption depth_fog"):
        recipe_of(plan)
    words = [
        "robustness",
        str(drive),
        "--fps",
        "10",
        "--model",
        str(drive),
        "--corruption",
        "fog",
        "--depth",
        str(maps),
    ]
    assert main(words) == 2
    assert "belong to one recording and to depth_fog" in capsys.readouterr().err
