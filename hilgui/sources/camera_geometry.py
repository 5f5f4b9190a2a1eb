"""Collects where a camera looks from: the profile's word first, then the recording's own calibration."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from hilgui.errors import SourceBroken
from hilgui.records import CameraGeometry
from hilgui.sources.camera_profile import CameraProfile, Lens

KITTI_HEIGHT_M = 1.65  # of all cameras above the road: Geiger et al., Vision meets Robotics, 2013, figure 3

_MAX_BYTES = 2**16
_MOST_FILES = 200
_CALIB_NAMES = ("calib_cam_to_cam.txt", "calib.txt")


def find_geometry(
    recording: Path, camera: dict[str, Any] | None, profile: CameraProfile | None, width: int, height: int
) -> CameraGeometry | None:
    """Give what is known about a camera, None where nobody tells its focal length.

    `camera` is `SourceFacts.camera` (ROS' CameraInfo or Foxglove's CameraCalibration). A picture of unknown size
    (0 and 0) is as large as the calibration says. Raises SourceBroken for a calibration that cannot be read.
    """
    told = _of_recording(camera, width, height) or _of_kitti(recording, width, height)
    lens = None if profile is None else profile.lens
    if profile is None or lens is None:
        return told
    across, down = _scale(profile, width, height)
    size = (width, height) if width and height else profile.size or (0, 0)
    focal = lens.focal_px * across if lens.focal_px is not None else (told.focal_px if told else None)
    if focal is None:
        return None
    cx = lens.cx * across if lens.cx is not None else (told.cx if told else size[0] / 2)
    cy = lens.cy * down if lens.cy is not None else (told.cy if told else size[1] / 2)
    return CameraGeometry(
        width=size[0],
        height=size[1],
        focal_px=focal,
        cx=cx,
        cy=cy,
        height_m=lens.height_m if lens.height_m is not None else (told.height_m if told else None),
        horizon_px=_horizon(lens, focal, cy, down, told),
        origin=str(profile.path.name),
    )


def _horizon(lens: Lens, focal: float, cy: float, down: float, told: CameraGeometry | None) -> float | None:
    if lens.horizon_px is not None:
        return lens.horizon_px * down
    if lens.pitch_deg is not None:
        return cy - focal * math.tan(math.radians(lens.pitch_deg))
    return told.horizon_px if told else None


def _scale(profile: CameraProfile, width: int, height: int) -> tuple[float, float]:
    if profile.size is None or not (width and height):
        return 1.0, 1.0
    return width / profile.size[0], height / profile.size[1]


def _of_recording(camera: dict[str, Any] | None, width: int, height: int) -> CameraGeometry | None:
    """Read the matrix K, row by row, as ROS and Foxglove write it."""
    numbers: list[float] = list((camera or {}).get("K") or [])
    if len(numbers) != 9 or not all(math.isfinite(each) for each in numbers) or not numbers[0] > 0:
        return None
    assert camera is not None
    told = int(camera.get("width") or width), int(camera.get("height") or height)
    across = width / told[0] if width and told[0] else 1.0
    down = height / told[1] if height and told[1] else 1.0
    size = (width, height) if width and height else told
    focal, cx, cy = numbers[0] * across, numbers[2] * across, numbers[5] * down
    return CameraGeometry(size[0], size[1], focal, cx, cy, origin="the recording")


def _of_kitti(recording: Path, width: int, height: int) -> CameraGeometry | None:
    """Read P2, the projection of the left colour camera, from a calibration beside the pictures or above them.

    Where every picture has a file of its own, they count only if they agree: a set of images has no one camera.
    """
    found = [(file, _projection(file)) for file in _calibrations(recording)]
    if not found or any(numbers != found[0][1] for _, numbers in found):
        return None
    file, numbers = found[0]
    if len(numbers) != 12 or not all(map(math.isfinite, numbers)) or numbers[0] <= 0:
        return None
    # The cameras of KITTI look level along the road: the horizon lies in the row of the optical axis.
    return CameraGeometry(
        width, height, numbers[0], numbers[2], numbers[6], KITTI_HEIGHT_M, numbers[6], origin=f"KITTI {file.name}"
    )


def _projection(file: Path) -> list[float]:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise SourceBroken(f"the calibration {file} is far too large; is it the right file?", path=file)
        rows = dict(line.split(":", 1) for line in file.read_text("utf-8").splitlines() if ":" in line)
        return [float(word) for word in (rows.get("P2") or rows.get("P_rect_02") or "").split()]
    except (OSError, UnicodeDecodeError, ValueError) as failure:
        sentence = f"the calibration {file} cannot be read: {failure}; mend it or take it away"
        raise SourceBroken(sentence, path=file) from failure


def _calibrations(recording: Path) -> list[Path]:
    if not recording.is_dir():
        return []
    roots = (recording, recording / "calib", recording.resolve().parent, recording.resolve().parent / "calib")
    whole = next((root / name for root in roots for name in _CALIB_NAMES if (root / name).is_file()), None)
    if whole is not None:
        return [whole]
    folder = next((root for root in (roots[1], roots[3]) if root.is_dir()), None)
    return [] if folder is None else sorted(folder.glob("*.txt"))[:_MOST_FILES]
