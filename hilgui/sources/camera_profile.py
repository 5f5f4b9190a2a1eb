"""What is always in the way of a camera: its own bonnet, the sky, burnt-in text. Nothing found there is judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hilgui.errors import SourceBroken
from hilgui.records import NO_CLASS, Truth

PROFILE = "camera.yaml"

_CELL_PX = 8  # boxes follow the mask in steps of this
_COVERED = 0.97  # of the mask, then the rest is left
_MAX_BOXES = 64
_MAX_PROFILE_BYTES = 2**20
_MAX_MASK_BYTES = 64 * 2**20


class IgnoreRegion(BaseModel):
    """A polygon in pixels that is not judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field("", description="bonnet, sky, text …")
    polygon: tuple[tuple[float, float], ...] = Field(min_length=3, max_length=1000)


class Lens(BaseModel):
    """Intrinsics in pixels of `size`, and where the camera stands; what is left out comes from the recording."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    focal_px: float | None = Field(None, gt=0, lt=1e6)
    cx: float | None = Field(None, gt=-1e6, lt=1e6)
    cy: float | None = Field(None, gt=-1e6, lt=1e6)
    height_m: float | None = Field(None, gt=0, lt=100, description="of the lens above the road")
    pitch_deg: float | None = Field(None, gt=-89, lt=89, description="how far the camera looks down")
    horizon_px: float | None = Field(None, gt=-1e6, lt=1e6, description="row of the horizon, instead of the pitch")


class CameraYaml(BaseModel):
    """The file that people write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = 1
    size: tuple[int, int] | None = Field(None, description="width and height that the polygons belong to")
    mask: str | None = Field(None, description="PNG beside this file; what is not black is ignored")
    ignore: tuple[IgnoreRegion, ...] = ()
    bayer: Literal["rggb", "bggr", "gbrg", "grbg"] | None = None
    lens: Lens | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CameraProfile:
    """The static regions of one camera, and where it looks from."""

    path: Path
    size: tuple[int, int] | None  # width, height; None: that of the recording
    polygons: tuple[IgnoreRegion, ...] = ()
    mask: NDArray[np.uint8] | None = None  # (H, W), not 0 is ignored
    bayer: str | None = None
    lens: Lens | None = None


def find_profile(recording: Path) -> CameraProfile | None:
    """Find the profile of a recording, or None; raises SourceBroken for one that cannot be read.

    For `drive.mp4`: `drive.camera.yaml`, `drive.mask.png`, then `camera.yaml` in the same folder. For a folder:
    `camera.yaml` inside it, then `NAME.camera.yaml`, `NAME.mask.png` beside it.
    """
    recording = recording.resolve()
    beside = recording.parent
    stem = recording.name if recording.is_dir() else recording.stem
    own = (beside / f"{stem}.camera.yaml", beside / f"{stem}.mask.png")
    places = (recording / PROFILE, *own) if recording.is_dir() else (*own, beside / PROFILE)
    found = next((path for path in places if path.is_file()), None)
    return None if found is None else read_profile(found)


def read_profile(path: Path) -> CameraProfile:
    """Read a YAML profile or a mask picture; raises SourceBroken."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return CameraProfile(path, None, mask=_read_mask(path))
    about = _read_yaml(path)
    mask = None
    if about.mask is not None:
        if Path(about.mask).name != about.mask:
            raise SourceBroken(f"{path} names the mask {about.mask}: it has to lie beside the profile", path=path)
        mask = _read_mask(path.with_name(about.mask))
    return CameraProfile(path, about.size, about.ignore, mask, about.bayer, about.lens)


def ignored_pixels(profile: CameraProfile, width: int, height: int) -> NDArray[np.bool_]:
    """Give (height, width): True where nothing is judged. Regions of another size are scaled."""
    pixels = np.zeros((height, width), np.uint8)
    if profile.mask is not None:
        pixels = np.asarray(cv2.resize(profile.mask, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
        pixels = np.ascontiguousarray(pixels > 0).astype(np.uint8)
    across, down = (width / profile.size[0], height / profile.size[1]) if profile.size else (1.0, 1.0)
    for region in profile.polygons:
        corners = np.rint(np.array(region.polygon) * (across, down)).clip(-(2**15), 2**15).astype(np.int32)
        cv2.fillPoly(pixels, [corners], 1)
    return pixels > 0


def ignore_rows(profile: CameraProfile, width: int, height: int) -> Truth:
    """Give the ignored pixels as boxes without class, (G, 4) in pixels: few, large, overlapping, none beyond the mask.

    A detection is left out when one region covers half of it, so each box is as large as the mask allows.
    """
    boxes = cover(ignored_pixels(profile, width, height))
    count = len(boxes)
    return Truth.of(boxes, np.full(count, NO_CLASS, np.int32), ignore=np.ones(count, np.bool_))


def with_ignored(truth: Truth, regions: Truth) -> Truth:
    """Add the rows of a profile to the truth of one frame."""
    if not len(regions):
        return truth
    return truth.beside(regions)


def cover(pixels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Cover a mask with boxes, (G, 4) x1 y1 x2 y2, largest first."""
    height, width = pixels.shape
    rows, columns = -(-height // _CELL_PX), -(-width // _CELL_PX)
    padded = np.ones((rows * _CELL_PX, columns * _CELL_PX), bool)
    padded[:height, :width] = pixels
    blocks = padded.reshape(rows, _CELL_PX, columns, _CELL_PX)
    cells: NDArray[np.bool_] = np.asarray(blocks.all(axis=(1, 3)), np.bool_)
    left = cells.copy()
    boxes: list[tuple[int, int, int, int]] = []
    while len(boxes) < _MAX_BOXES and left.sum() > (1 - _COVERED) * max(cells.sum(), 1):
        box = _grown(cells, _largest(left))
        boxes.append(box)
        left[box[1] : box[3], box[0] : box[2]] = False
    scaled = np.array(boxes, np.float64).reshape(-1, 4) * _CELL_PX
    return np.minimum(scaled, (width, height, width, height))


def _largest(cells: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Find the largest full rectangle: the highest columns of each row, widened as far as they reach."""
    best, area = (0, 0, 0, 0), 0
    heights = np.zeros(cells.shape[1], np.int64)
    for row in range(cells.shape[0]):
        heights = np.where(cells[row], heights + 1, 0)
        stack: list[tuple[int, int]] = []  # left edge, height
        for column, height in enumerate([*heights.tolist(), 0]):
            edge = column
            while stack and stack[-1][1] >= height:
                edge, tall = stack.pop()
                if tall * (column - edge) > area:
                    area = tall * (column - edge)
                    best = (edge, row - tall + 1, column, row + 1)
            stack.append((edge, height))
    return best


def _grown(cells: NDArray[np.bool_], box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Widen a box over what other boxes cover already."""
    x1, y1, x2, y2 = box
    while x1 > 0 and cells[y1:y2, x1 - 1].all():
        x1 -= 1
    while x2 < cells.shape[1] and cells[y1:y2, x2].all():
        x2 += 1
    while y1 > 0 and cells[y1 - 1, x1:x2].all():
        y1 -= 1
    while y2 < cells.shape[0] and cells[y2, x1:x2].all():
        y2 += 1
    return x1, y1, x2, y2


def _read_yaml(path: Path) -> CameraYaml:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        if path.stat().st_size > _MAX_PROFILE_BYTES:
            raise SourceBroken(f"the camera profile {path} is far too large; is it the right file?", path=path)
        return CameraYaml.model_validate(YAML(typ="safe").load(path.read_text("utf-8")) or {})
    except ValidationError as failure:
        first = failure.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        raise SourceBroken(f"the camera profile {path} is wrong at {key}: {first['msg']}", path=path) from failure
    except (OSError, UnicodeDecodeError, YAMLError, RecursionError) as failure:
        reason = str(failure).splitlines()[0]
        raise SourceBroken(f"the camera profile {path} cannot be read: {reason}; mend it", path=path) from failure


def _read_mask(path: Path) -> NDArray[np.uint8]:
    from hilgui.sources.container import refuse_huge
    from hilgui.sources.image_header import image_size

    try:
        if path.stat().st_size > _MAX_MASK_BYTES:
            raise SourceBroken(f"the mask {path} is far too large; is it the right file?", path=path)
        data = path.read_bytes()
        if (size := image_size(data)) is not None:
            refuse_huge(*size, path)
        mask = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    except (OSError, cv2.error) as failure:
        raise SourceBroken(f"the mask {path} cannot be read: {failure}; save it again as PNG", path=path) from failure
    if mask is None:
        raise SourceBroken(f"the mask {path} is no picture; save it again as PNG", path=path)
    return np.asarray(mask, np.uint8)
