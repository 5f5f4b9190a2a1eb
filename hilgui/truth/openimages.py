"""OpenImages CSV: one row for each box, in shares of the picture."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.truth.image_size import picture_size
from hilgui.truth.label_file import broken, number, peek, read_text
from hilgui.truth.protocol import LabelledFrame, Labels, Sizes
from hilgui.truth.rows import OCCLUDED, LabelledObject, Names, truth_of

_NEEDED = ("ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")
_DESCRIPTIONS = ("class-descriptions-boxable.csv", "class-descriptions.csv")
_MAX_BYTES = 256 * 2**20


class OpenImagesReader:
    """Reads the box annotations of OpenImages: a CSV file with a header.

    `XMin` to `YMax` are shares of the picture, with a decimal point or comma; sizes come from the caller or from
    images beside the file. `IsGroupOf` is a crowd, `IsOccluded` is read as .5 (-1 and nothing: unknown). Labels of
    the form /m/01g317 are translated by `class-descriptions-boxable.csv` beside the file. Images without rows are
    unlabelled.
    """

    format: ClassVar[str] = "OpenImages"
    needs_sizes: ClassVar[bool] = True

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file is a CSV whose header has ImageID, LabelName and XMin."""
        header = peek(path, 1024).split(b"\n")[0]
        return path.suffix.lower() == ".csv" and all(name.encode() in header for name in _NEEDED)

    @classmethod
    def read(cls, path: Path, sizes: Sizes | None = None) -> Labels:
        """Read the labels; raises TruthBroken with the line, also for a picture whose size nobody knows."""
        text, sha256 = read_text(path, limit=_MAX_BYTES)
        names, described = Names(), _descriptions(path.parent)
        size_of = sizes or (lambda key: _beside(path.parent, key))
        known: dict[str, tuple[int, int]] = {}
        objects: dict[str, list[LabelledObject]] = defaultdict(list)
        for line, row in _rows(path, text):
            key = row["ImageID"]
            if not key:
                raise broken(path, "the row names no image", line)
            if key not in known:
                size = size_of(key)
                if size is None:
                    raise broken(path, f"nobody knows how large {key[:80]} is; give the folder of its images", line)
                known[key] = size
            objects[key].append(_object(path, line, row, names, described, known[key]))
        frames = tuple(LabelledFrame(truth_of(found), key, None, None, *known[key]) for key, found in objects.items())
        if not frames:
            raise TruthBroken(f"{path} holds no rows; export the labels again", path=path)
        return Labels(path, cls.format, names.all(), frames, sha256, class_map="voc_to_coco")


def _rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [word.strip() for word in next(reader, [])]
        missing = [name for name in _NEEDED if name not in header]
        if missing:
            raise broken(path, f"the header lacks {', '.join(missing)}", 1)
        for words in reader:
            if not any(words):
                continue
            if len(words) != len(header):
                raise broken(path, f"{len(words)} columns where the header has {len(header)}", reader.line_num)
            yield reader.line_num, {name: word.strip() for name, word in zip(header, words, strict=True)}
    except csv.Error as failure:
        raise broken(path, f"not CSV: {failure}", reader.line_num) from failure


def _object(
    path: Path, line: int, row: dict[str, str], names: Names, described: dict[str, str], size: tuple[int, int]
) -> LabelledObject:
    x1, x2, y1, y2 = (number(path, line, row[name].replace(",", "."), name) for name in _NEEDED[2:])
    if not all(0 <= share <= 1 for share in (x1, x2, y1, y2)):
        raise broken(path, "a share is not between 0 and 1; are these pixels?", line)
    if x2 < x1 or y2 < y1:
        raise broken(path, f"the box ends before it begins: {x1:g} {y1:g} {x2:g} {y2:g}", line)
    label = row["LabelName"]
    try:
        class_number = names.number(described.get(label, label))
    except ValueError as failure:
        raise broken(path, str(failure), line) from failure
    occluded = row.get("IsOccluded", "")
    return LabelledObject(
        (x1 * size[0], y1 * size[1], x2 * size[0], y2 * size[1]),
        class_number,
        crowd=row.get("IsGroupOf", "") == "1",
        occlusion=OCCLUDED if occluded == "1" else 0.0 if occluded == "0" else math.nan,
    )


def _descriptions(folder: Path) -> dict[str, str]:
    for name in _DESCRIPTIONS:
        if (folder / name).is_file():
            rows = (row.partition(",") for row in read_text(folder / name, limit=2**22)[0].splitlines())
            return {label.strip(): word.strip() for label, comma, word in rows if comma and word.strip()}
    return {}


def _beside(folder: Path, key: str) -> tuple[int, int] | None:
    name = key.replace("\\", "/").rpartition("/")[2]
    if not name or "\0" in name:
        return None
    return next((size for end in ("", ".jpg", ".png") if (size := picture_size(folder / f"{name}{end}"))), None)
