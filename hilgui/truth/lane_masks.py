"""Folders of lane masks: one PNG for each image, one grey value for each lane, as LaneNet trains on TuSimple."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import TruthBroken
from hilgui.records.masks import LaneTruth
from hilgui.truth.label_file import FolderHash, text_files
from hilgui.truth.picture import picture_sum, png_kind, png_size, read_picture, values_of
from hilgui.truth.protocol import LabelledFrame, Labels

_INSIDE = "gt_instance_image"
_FOLDERS = re.compile(r".*(lane|instance|binary).*")
_MAX_LANES = 32
_BACKGROUND = 0.8  # share of pixels that are no lane
_STEP_PX = 10  # rows between two points, as TuSimple samples


@dataclass(frozen=True, slots=True, eq=False)
class LaneMask:
    """The lanes of one frame in their mask; `load` may be called on any thread and keeps nothing."""

    path: Path

    def load(self) -> LaneTruth:
        """Draw a line through the middle of each grey value, every tenth row; raises TruthBroken."""
        pixels = _grey(self.path)
        values = [value for value in values_of(pixels) if value]
        if len(values) > _MAX_LANES:
            raise TruthBroken(f"{self.path} has {len(values)} grey values; that are no lanes", path=self.path)
        lanes = [_line(pixels == value) for value in values]
        return LaneTruth(tuple(lane for lane in lanes if len(lane) > 1))


class LaneMaskReader:
    """Reads a folder of instance masks: grey PNG files, 0 is no lane, every other value is one lane.

    The path is that folder or the one above `gt_instance_image`. Lanes become polylines from near to far through the
    middle of their pixels on every tenth row. Binary masks do not tell lanes apart and are refused. Boxes are
    unlabelled.
    """

    format: ClassVar[str] = "lane masks"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the folder holds grey PNG files that are nearly all background, with a few values."""
        try:
            folder = _folder(path)
            first = next(iter(sorted(folder.glob("*.png"))), None) if folder.is_dir() else None
            if first is None or png_kind(first) != "grey" or _FOLDERS.fullmatch(folder.name) is None:
                return False
            pixels = read_picture(first)
        except (OSError, TruthBroken):
            return False
        return pixels.size > 0 and len(values_of(pixels)) <= _MAX_LANES and float((pixels == 0).mean()) >= _BACKGROUND

    @classmethod
    def read(cls, path: Path) -> Labels:
        """List the masks; raises TruthBroken. Pixels are read by `LaneMask.load`."""
        folder = _folder(path)
        files = text_files(folder, ".png") if folder.is_dir() else []
        if not files:
            raise TruthBroken(f"{path} holds no PNG masks; give the folder of lane masks", path=path)
        if set(values_of(_grey(files[0]))) <= {0, 255}:
            raise TruthBroken(
                f"{folder} holds binary masks, which do not tell lanes apart; give the instance masks", path=folder
            )
        sums, frames = FolderHash(), []
        for file in files:
            sums.add(file.name, picture_sum(file))
            width, height = png_size(file)
            frames.append(LabelledFrame(None, file.stem, width=width, height=height, lanes=LaneMask(file)))
        return Labels(path, cls.format, (), tuple(frames), sums.value())


def _folder(path: Path) -> Path:
    return path / _INSIDE if (path / _INSIDE).is_dir() else path


def _grey(file: Path) -> NDArray[np.uint8]:
    pixels = read_picture(file)
    if pixels.ndim != 2:
        raise TruthBroken(f"{file} is in colours; lane masks have one grey value for each lane", path=file)
    return pixels


def _line(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give (P, 2) x y in pixels from the lowest row up, the mean of each row that is a multiple of ten."""
    rows = np.arange(0, mask.shape[0], _STEP_PX)[::-1]
    sampled = mask[rows]
    counts = sampled.sum(axis=1)
    sums = sampled @ np.arange(mask.shape[1], dtype=np.float64)
    found = counts > 0
    line = np.column_stack([sums[found] / counts[found] + 0.5, rows[found] + 0.5]).astype(np.float32)
    line.flags.writeable = False
    return line
