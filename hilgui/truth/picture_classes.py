"""Classes of whole pictures: a table of files and classes, or a folder for each class, as ImageNet has them."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from pathlib import Path
from typing import ClassVar

import numpy as np

from hilgui.errors import TruthBroken
from hilgui.records import ClassTruth
from hilgui.truth.image_size import SUFFIXES
from hilgui.truth.label_file import MAX_FILES, broken, peek, read_text
from hilgui.truth.masks import MaskReader
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import Names

_FILE = ("file", "filename", "image", "imageid")
_CLASS = ("class", "label", "classid")
_BETWEEN = "|"  # several classes of one picture, any of which is right
_LOOKED_AT = 50
_CAMERA = re.compile(r"image_\d{1,2}|img\d?|images?|rgb|frames|data|left|right", re.IGNORECASE)


class PictureClassReader:
    """Reads the class of each picture, for classifiers.

    A CSV file has a header with `file` (or filename, image, ImageId) and `class` (or label, ClassId); `a|b` means that
    either is right. A folder of folders takes the name of each folder for the class of the pictures in it, unless they
    are the cameras or the numbered sequences of a drive. A class is a name or a number as the model numbers it. Boxes
    are unlabelled.
    """

    format: ClassVar[str] = "picture classes"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file is a table of files and classes, or the folder holds nothing but folders of pictures."""
        if path.is_dir():
            return bool(_by_folder(path, _LOOKED_AT)) and not MaskReader.recognises(path) and not _drives(path)
        if path.suffix.lower() != ".csv":
            return False
        header = [word.strip() for word in peek(path, 1024).split(b"\n")[0].decode("utf-8-sig", "replace").split(",")]
        return len(header) <= 4 and None not in (_column(header, _FILE), _column(header, _CLASS))

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line."""
        rows, sha256 = _folders(path) if path.is_dir() else _table(path)
        names = Names()
        told: list[tuple[str, list[int]]] = []
        for line, key, classes in rows:
            try:
                told.append((key, [names.number(each) for each in classes]))
            except ValueError as failure:
                raise broken(path, str(failure), line) from failure
        known = names.all()
        frames = tuple(
            LabelledFrame(None, key, classes=ClassTruth(np.array(numbers, np.int32), known)) for key, numbers in told
        )
        return Labels(path, cls.format, (), frames, sha256)


def _table(path: Path) -> tuple[list[tuple[int | None, str, list[str]]], str]:
    text, sha256 = read_text(path)
    try:
        table = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as failure:
        raise TruthBroken(f"{path} is no CSV: {failure}; export it again", path=path) from failure
    file, kind = (_column(table[0] if table else [], names) for names in (_FILE, _CLASS))
    if file is None or kind is None:
        raise TruthBroken(f"{path} needs a header with the columns file and class", path=path)
    rows: list[tuple[int | None, str, list[str]]] = []
    seen: set[str] = set()
    for line, row in enumerate(table[1:], 2):
        if not row:
            continue
        if len(row) <= max(file, kind) or not row[file].strip():
            raise broken(path, "the row names no file or no class", line)
        key = row[file].strip()
        if key in seen:
            raise broken(path, f"{key[:80]} is labelled twice", line)
        seen.add(key)
        rows.append((line, key, row[kind].split(_BETWEEN)))
    if not rows:
        raise TruthBroken(f"{path} labels no picture; export it again", path=path)
    return rows, sha256


def _folders(path: Path) -> tuple[list[tuple[int | None, str, list[str]]], str]:
    pictures = _by_folder(path, MAX_FILES + 1)
    if not pictures:
        raise TruthBroken(f"{path} holds no folders of pictures, one for each class", path=path)
    if len(pictures) > MAX_FILES:
        raise TruthBroken(f"{path} holds more than {MAX_FILES} pictures; split it", path=path)
    keys = [f"{picture.parent.name}/{picture.name}" for picture in pictures]
    sha256 = hashlib.sha256("\n".join(keys).encode()).hexdigest()
    return [(None, key, [picture.parent.name]) for key, picture in zip(keys, pictures, strict=True)], sha256


def _by_folder(path: Path, most: int) -> list[Path]:
    """List the pictures of the folders in a folder; none where anything but folders lies in it."""
    try:
        inside = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
        if not inside or not all(entry.is_dir() for entry in inside):
            return []
        found: list[Path] = []
        for folder in inside:
            files = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
            if not files or any(entry.suffix.lower() not in SUFFIXES for entry in files):
                return []
            found += files
            if len(found) >= most:
                break
    except OSError:
        return []
    return found


def _drives(path: Path) -> bool:
    """Say whether folders of pictures are cameras (`image_02`) or sequences (`0001`) of numbered frames (`000120`).

    Classes that look the same, with leading zeros in the names of folders and pictures, need a CSV file.
    """
    folders = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    names = [folder.name for folder in folders]
    if any(_CAMERA.fullmatch(name) for name in names):
        return True
    frames = [picture.stem for picture in _by_folder(path, _LOOKED_AT)]
    return _numbered(names) and _numbered(frames)


def _numbered(names: list[str]) -> bool:
    """Say whether names are numbers of one width, as counters with leading zeros write them."""
    digits = all(name.isdecimal() for name in names) and len({len(name) for name in names}) == 1
    return digits and len(names[0]) > 1 and any(name.startswith("0") for name in names)


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    """Find the column that has one of these names."""
    plain = [word.strip().casefold().replace("_", "") for word in header]
    return next((plain.index(name) for name in names if name in plain), None)
