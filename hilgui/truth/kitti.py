"""KITTI object labels: a folder with one text file for each image."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.records import NO_CLASS, NO_TRACK, Truth
from hilgui.truth.label_file import FolderHash, broken, lines, number, peek, text_files
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import LabelledObject, Names, box_flaw, truth_of

CLASSES = ("Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc")
IGNORE_REGION = "DontCare"
OCCLUSION = {0: 0.0, 1: 0.25, 2: 0.6, 3: 1.0}  # shares we read into KITTI's four words

_COLUMNS = 15


class KittiReader:
    """Reads the `label_2` folder of the KITTI object benchmark; a file belongs to the image with the same stem.

    A line has 15 columns: type, truncation, occlusion, alpha, x1 y1 x2 y2 (px), height width length (m),
    x y z (m, camera), rotation. DontCare becomes an ignore region without class. `distance_m` is z, where the line
    has one. Occlusion 0 (visible), 1 (partly), 2 (largely) becomes 0, .25, .6; 3 (unknown, which the benchmark
    never counts) becomes 1. Truncation is the share outside the picture. Names of other types are taken as they are.
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
        files = text_files(path, ".txt") if path.is_dir() else []
        if not files:
            raise TruthBroken(f"{path} holds no .txt files; KITTI labels are a folder of them", path=path)
        whole = FolderHash()
        names = Names(CLASSES)
        frames = [LabelledFrame(_truth(file, whole.read(file), names), key=file.stem) for file in files]
        return Labels(path, cls.format, names.all(), tuple(frames), whole.value(), class_map="kitti_to_coco")


def kitti_object(file: Path, line: int, words: list[str], names: Names, track: int = NO_TRACK) -> LabelledObject:
    """Read the 15 columns from the type to the rotation; raises TruthBroken."""
    numbers = [number(file, line, word, f"column {column}") for column, word in enumerate(words[1:], 2)]
    x1, y1, x2, y2 = numbers[3:7]
    if flaw := box_flaw(x1, y1, x2, y2):
        raise broken(file, flaw, line)
    if words[0] == IGNORE_REGION:
        return LabelledObject((x1, y1, x2, y2), NO_CLASS, ignore=True, occlusion=math.nan)
    try:
        class_number = names.number(words[0])
    except ValueError as failure:
        raise broken(file, str(failure), line) from failure
    return LabelledObject(
        (x1, y1, x2, y2),
        class_number,
        track,
        distance_m=numbers[12] if numbers[12] > 0 else math.nan,
        occlusion=OCCLUSION.get(int(numbers[1]), math.nan),
        truncation=numbers[0] if 0.0 <= numbers[0] <= 1.0 else math.nan,
    )


def _looks_like_kitti(start: bytes) -> bool:
    words = start.strip().split(b"\n")[0].split()
    return len(words) in (_COLUMNS, _COLUMNS + 1) and words[0][:1].isalpha() and all(map(_is_number, words[1:]))


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _truth(file: Path, text: str, names: Names) -> Truth:
    return truth_of([_object(file, line, words.split(), names) for line, words in lines(text)])


def _object(file: Path, line: int, words: list[str], names: Names) -> LabelledObject:
    if len(words) == _COLUMNS + 1:
        raise broken(file, "16 columns, the last a score: a file of results, not of labels", line)
    if len(words) != _COLUMNS:
        raise broken(file, f"{len(words)} columns where KITTI object labels have {_COLUMNS}", line)
    return kitti_object(file, line, words, names)
