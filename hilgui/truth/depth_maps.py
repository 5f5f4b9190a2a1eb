"""Folders of measured depth: one 16-bit PNG for each image, metres · 256, as KITTI's depth benchmark has them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.records.masks import DepthTruth
from hilgui.truth.label_file import FolderHash, text_files
from hilgui.truth.picture import is_deep_grey, picture_sum, png_size, read_deep_picture
from hilgui.truth.protocol import LabelledFrame, Labels

_INSIDE = ("groundtruth_depth", "depth", "depths")


@dataclass(frozen=True, slots=True, eq=False)
class DepthFile:
    """The distances of one frame in their file; `load` may be called on any thread and keeps nothing."""

    path: Path

    def load(self) -> DepthTruth:
        """Read the file; raises TruthBroken."""
        raw = read_deep_picture(self.path)
        raw.flags.writeable = False
        return DepthTruth(raw)


class DepthReader:
    """Reads a folder of grey PNG files with 16 bits: metres times 256, 0 where nothing was measured.

    The path is that folder or the one above `depth`. A file belongs to the image with the same stem. Boxes are
    unlabelled.
    """

    format: ClassVar[str] = "depth maps"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the folder holds grey PNG files of 16 bits and nothing says that they are pictures."""
        folder = _folder(path)
        try:
            first = next(iter(sorted(folder.glob("*.png"))), None) if folder.is_dir() else None
        except OSError:
            return False
        return first is not None and is_deep_grey(first)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """List the files; raises TruthBroken. Pixels are read by `DepthFile.load`."""
        folder = _folder(path)
        files = text_files(folder, ".png") if folder.is_dir() else []
        if not files:
            raise TruthBroken(f"{path} holds no PNG files; give the folder of depth maps", path=path)
        sums, frames = FolderHash(), []
        for file in files:
            if not is_deep_grey(file):
                raise TruthBroken(
                    f"{file} is not a grey PNG with 16 bits (metres · 256); export the depth as such", path=file
                )
            sums.add(file.name, picture_sum(file))
            width, height = png_size(file)
            frames.append(LabelledFrame(None, file.stem, width=width, height=height, depth=DepthFile(file)))
        return Labels(path, cls.format, (), tuple(frames), sums.value())


def _folder(path: Path) -> Path:
    return next((path / name for name in _INSIDE if (path / name).is_dir()), path)
