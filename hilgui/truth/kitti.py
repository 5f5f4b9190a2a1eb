"""KITTI object labels: a folder with one text file for each image."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import ClassVar

import numpy as np

from hilgui.errors import TruthBroken
from hilgui.records import NO_CLASS, Truth
from hilgui.truth.label_file import peek, read_text
from hilgui.truth.protocol import LabelledFrame, Labels

CLASSES = ("Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc")
IGNORE_REGION = "DontCare"
OCCLUSION = {0: 0.0, 1: 0.25, 2: 0.6, 3: 1.0}  # shares we read into KITTI's four words

_COLUMNS = 15
_MAX_FILE_BYTES = 2**20
_MAX_FILES = 200_000


class KittiReader:
    """Reads the `label_2` folder of the KITTI object benchmark; a file belongs to the image with the same stem.

    A line has 15 columns: type, truncation, occlusion, alpha, x1 y1 x2 y2 (px), height width length (m),
    x y z (m, camera), rotation. DontCare becomes an ignore region without class. `distance_m` is z, where the line
    has one. Occlusion 0 (visible), 1 (partly), 2 (largely) becomes 0, .25, .6; 3 (unknown, which the benchmark
    never counts) becomes 1. Truncation is not kept. Names of other types are taken as they are.
    """

    format: ClassVar[str] = "KITTI"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether one of the first 50 text files of the folder starts like a KITTI line."""
        try:
            files = sorted(path.glob("*.txt"))[:50] if path.is_dir() else []
        except OSError:
            return False
        return any(_looks_like_kitti(peek(file, 512)) for file in files)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read every text file of the folder; raises TruthBroken with file and line."""
        try:
            files = sorted(path.glob("*.txt")) if path.is_dir() else []
        except OSError as failure:
            raise TruthBroken(f"labels {path} cannot be read: {failure}", path=path) from failure
        if not files:
            raise TruthBroken(f"{path} holds no .txt files; KITTI labels are a folder of them", path=path)
        if len(files) > _MAX_FILES:
            raise TruthBroken(f"{path} holds more than {_MAX_FILES} files; split it by drive", path=path)
        whole = hashlib.sha256()
        names = list(CLASSES)
        frames: list[LabelledFrame] = []
        for file in files:
            text, sha256 = read_text(file, limit=_MAX_FILE_BYTES)
            whole.update(f"{file.name}\0{sha256}\n".encode())
            frames.append(LabelledFrame(_truth(file, text, names), key=file.stem))
        return Labels(path, cls.format, tuple(names), tuple(frames), whole.hexdigest(), class_map="kitti_to_coco")


def _looks_like_kitti(start: bytes) -> bool:
    words = start.strip().split(b"\n")[0].split()
    if not _COLUMNS <= len(words) <= _COLUMNS + 1:
        return False
    try:
        [float(word) for word in words[1:]]
    except ValueError:
        return False
    return words[0][:1].isalpha()


def _truth(file: Path, text: str, names: list[str]) -> Truth:
    rows = [_row(file, number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not rows:
        return Truth.none()
    for name, _ in rows:
        if name != IGNORE_REGION and name not in names:
            names.append(name)
    values = np.array([numbers for _, numbers in rows])
    regions = np.array([name == IGNORE_REGION for name, _ in rows])
    return Truth.of(
        values[:, 3:7],
        np.array([NO_CLASS if name == IGNORE_REGION else names.index(name) for name, _ in rows], np.int32),
        ignore=regions,
        distance_m=np.where(regions | (values[:, 12] <= 0), math.nan, values[:, 12]).astype(np.float32),
        occlusion=np.array([OCCLUSION.get(int(occlusion), math.nan) for occlusion in values[:, 1]], np.float32),
    )


def _row(file: Path, line: int, words: list[str]) -> tuple[str, list[float]]:
    if len(words) == _COLUMNS + 1:
        raise _broken(file, line, "16 columns, the last a score: a file of results, not of labels")
    if len(words) != _COLUMNS:
        raise _broken(file, line, f"{len(words)} columns where KITTI object labels have {_COLUMNS}")
    try:
        numbers = [float(word) for word in words[1:]]
    except ValueError:
        raise _broken(file, line, "a column after the type is not a number") from None
    if not all(math.isfinite(number) for number in numbers):
        raise _broken(file, line, "a number is not finite")
    x1, y1, x2, y2 = numbers[3:7]
    if x2 < x1 or y2 < y1:
        raise _broken(file, line, f"the box ends before it begins: {x1:g} {y1:g} {x2:g} {y2:g}")
    return words[0], numbers


def _broken(file: Path, line: int, what: str) -> TruthBroken:
    return TruthBroken(f"{file}, line {line}: {what}; mend the line or leave the file out", path=file, line=line)
