"""Folders of class masks: one PNG for each image, as CamVid has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import TruthBroken
from hilgui.records.masks import IGNORED_PIXEL, MaskTruth
from hilgui.truth.label_file import FolderHash, broken, lines, number, read_text, text_files
from hilgui.truth.picture import picture_sum, png_kind, png_size, read_picture
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import Names

CAMVID = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
    "unlabelled",
)

_INSIDE = ("labels", "masks", "annotations", "SegmentationClass")
_FOLDERS = re.compile(r"labels?|masks?|annotations|.*annot|SegmentationClass|gtFine")
_NAME_FILES = ("classes.txt", "label_colors.txt")
_UNJUDGED = frozenset({"unlabelled", "unlabeled", "void", "ignore", "ignored"})


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    """What the pixels mean: for a grey value, or for a colour."""

    names: tuple[str, ...]
    values: NDArray[np.uint8]  # (256,) grey value → class or IGNORED_PIXEL
    colours: dict[int, int]  # red·65536 + green·256 + blue → class or IGNORED_PIXEL; empty for grey masks


@dataclass(frozen=True, slots=True, eq=False)
class MaskFile:
    """One mask in its file; `load` may be called on any thread and keeps nothing."""

    path: Path
    key: _Key

    def load(self) -> MaskTruth:
        """Read the mask; raises TruthBroken for a damaged file and for a pixel that means nothing."""
        pixels = read_picture(self.path)
        classes = self._grey(pixels) if pixels.ndim == 2 else self._coloured(pixels)
        classes.flags.writeable = False
        return MaskTruth(classes, self.key.names)

    def _grey(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.key.colours:
            raise TruthBroken(f"{self.path} is grey where label_colors.txt speaks of colours", path=self.path)
        classes: NDArray[np.uint8] = self.key.values[pixels]
        strange = (classes == IGNORED_PIXEL - 1) & (pixels != IGNORED_PIXEL)
        if strange.any():
            value = int(pixels[strange][0])
            raise TruthBroken(f"{self.path} has the pixel value {value}, which no class has", path=self.path)
        return classes

    def _coloured(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if not self.key.colours:
            raise TruthBroken(f"{self.path} is in colours; put a label_colors.txt beside the masks", path=self.path)
        wide = pixels.astype(np.uint32)
        codes = wide[:, :, 0] * 65536 + wide[:, :, 1] * 256 + wide[:, :, 2]
        present, where = np.unique(codes, return_inverse=True)
        strange = [int(code) for code in present if int(code) not in self.key.colours]
        if strange:
            raise TruthBroken(
                f"{self.path} has the colour {strange[0] >> 16} {strange[0] >> 8 & 255} {strange[0] & 255}, which "
                "label_colors.txt does not name",
                path=self.path,
            )
        table = np.array([self.key.colours[int(code)] for code in present], np.uint8)
        classes: NDArray[np.uint8] = table[where.reshape(codes.shape)]
        return classes


class MaskReader:
    """Reads a folder of PNG masks: grey values that count classes, or colours with a `label_colors.txt`.

    The path is the folder of masks or the one above it (`labels`, `masks`, `annotations`). Names come from
    `classes.txt` (line n is the value n − 1) or `label_colors.txt` (red green blue name) in the folder or above it,
    else the twelve classes of CamVid are meant. Classes called unlabelled or void are not judged. A mask belongs to
    the image with the same stem, without CamVid's `_L`. Masks are read one at a time, when somebody asks; boxes are
    unlabelled.
    """

    format: ClassVar[str] = "masks"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the folder holds grey PNG files of few values under a usual name, or has names beside it."""
        folder = _folder(path)
        if not folder.is_dir():
            return False
        files = _first_masks(folder)
        if not files or not all(map(png_kind, files)):
            return False
        names = _names_file(folder)
        if names is not None and names.name == "label_colors.txt":
            return True
        if not all(png_kind(file) == "grey" for file in files):
            return False
        if names is None and not _FOLDERS.fullmatch(folder.name):
            return False
        try:
            pixels = read_picture(files[0])
            largest = int(np.max(pixels[pixels != IGNORED_PIXEL], initial=0))
            return largest < len(_key(names).names)
        except TruthBroken:
            return False

    @classmethod
    def read(cls, path: Path) -> Labels:
        """List the masks; raises TruthBroken. Pixels are read and judged by `MaskFile.load`."""
        folder = _folder(path)
        files = text_files(folder, ".png") if folder.is_dir() else []
        if not files:
            raise TruthBroken(f"{path} holds no PNG masks; give the folder of masks", path=path)
        names_file = _names_file(folder)
        key, sums = _key(names_file), FolderHash()
        frames = []
        for file in files:
            if not png_kind(file):
                raise TruthBroken(
                    f"{file} is not a grey or colour PNG with 8 bits; export the masks as such", path=file
                )
            sums.add(file.name, picture_sum(file))
            width, height = png_size(file)
            mask = MaskFile(file, key)
            frames.append(LabelledFrame(None, file.stem.removesuffix("_L"), width=width, height=height, mask=mask))
        return Labels(path, cls.format, key.names, tuple(frames), sums.value())


def _folder(path: Path) -> Path:
    return next((path / name for name in _INSIDE if (path / name).is_dir()), path)


def _first_masks(folder: Path) -> list[Path]:
    try:
        return [file for _, file in zip(range(3), sorted(folder.glob("*.png")), strict=False)]
    except OSError:
        return []


def _names_file(folder: Path) -> Path | None:
    candidates = (root / name for root in (folder, folder.resolve().parent) for name in _NAME_FILES)
    return next((file for file in candidates if file.is_file()), None)


def _key(names_file: Path | None) -> _Key:
    if names_file is None:
        return _grey_key(CAMVID)
    text = read_text(names_file, limit=2**16)[0]
    if names_file.name == "label_colors.txt":
        return _colour_key(names_file, text)
    names = Names()
    for line, name in lines(text.rstrip()):
        try:
            fresh = names.number(name) == line - 1
        except ValueError as failure:
            raise broken(names_file, str(failure), line) from failure
        if not fresh or line > IGNORED_PIXEL - 1:
            raise broken(names_file, "a name is repeated, or a line is blank, or there are more than 254", line)
    return _grey_key(names.all())


def _grey_key(names: tuple[str, ...]) -> _Key:
    """Map the values; one that no class has becomes 254, so that `load` can name it."""
    values = np.full(256, IGNORED_PIXEL - 1, np.uint8)
    values[: len(names)] = [IGNORED_PIXEL if name.casefold() in _UNJUDGED else k for k, name in enumerate(names)]
    values[IGNORED_PIXEL] = IGNORED_PIXEL
    return _Key(names, values, {})


def _colour_key(file: Path, text: str) -> _Key:
    names = Names()
    colours: dict[int, int] = {}
    for line, row in lines(text):
        words = row.split()
        parts = [number(file, line, word, "a colour") for word in words[:3]]
        if len(words) < 4 or not all(0 <= each <= 255 and each == int(each) for each in parts):
            raise broken(file, "a line is red, green, blue (0 to 255) and a name", line)
        code = int(parts[0]) * 65536 + int(parts[1]) * 256 + int(parts[2])
        try:
            class_number = names.number(" ".join(words[3:]))
        except ValueError as failure:
            raise broken(file, str(failure), line) from failure
        if class_number >= IGNORED_PIXEL - 1:
            raise broken(file, "there are more than 254 classes", line)
        colours[code] = IGNORED_PIXEL if words[3].casefold() in _UNJUDGED else class_number
    if not colours:
        raise TruthBroken(f"{file} names no colours; a line is red, green, blue and a name", path=file)
    return _Key(names.all(), np.full(256, IGNORED_PIXEL - 1, np.uint8), colours)
