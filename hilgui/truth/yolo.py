"""YOLO text labels: a folder with one text file for each image, in shares of the picture, and a file of names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from hilgui.errors import TruthBroken
from hilgui.truth.image_size import picture_size, sizes_in
from hilgui.truth.label_file import MAX_FILES, FolderHash, broken, lines, number, peek, read_text, read_yaml, whole
from hilgui.truth.protocol import LabelledFrame, Labels, Sizes
from hilgui.truth.rows import LabelledObject, Names, truth_of

_INSIDE = ("labels", "obj_train_data")
_NAME_FILES = ("classes.txt", "obj.names", "classes.names", "data.yaml", "data.yml", "dataset.yaml")
_NOT_LABELS = frozenset({"classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt"})
_LINE = re.compile(rb"\d+(\s+[-+.\deE]+){4,}\s*")
_EDGE = 1e-3  # how far a box may reach over the picture by rounding


class YoloReader:
    """Reads YOLO labels: the folder of text files, the folder above it, or its `data.yaml`.

    A line is class number (from 0), centre x, centre y, width, height, each a share of the picture; a line with a
    polygon counts as the box around it. The names come from `classes.txt`, `obj.names` or `data.yaml`, in the folder
    or up to two above. The sizes of the pictures come from the caller, from the images beside the labels (the same
    folder, or `images` for `labels`), or the file is refused. An empty file is a labelled frame without objects, a
    missing one is an unlabelled frame.
    """

    format: ClassVar[str] = "YOLO"
    needs_sizes: ClassVar[bool] = True

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether one of the first text files starts like a class number and shares, and names are found.

        Files that are all empty need the names in the folder itself.
        """
        folder = _labels_folder(path)
        if not folder.is_dir() or _names_file(path, folder) is None:
            return False
        starts = [peek(file, 512).strip().split(b"\n")[0].strip() for file in _first_files(folder)]
        if starts and not any(starts):
            return _names_file(path, folder) in [root / name for root in (path, folder) for name in _NAME_FILES]
        return any(_LINE.fullmatch(start) is not None for start in starts)

    @classmethod
    def read(cls, path: Path, sizes: Sizes | None = None) -> Labels:
        """Read the labels; raises TruthBroken with file and line, also for a picture whose size nobody knows."""
        folder = _labels_folder(path)
        names_file = _names_file(path, folder)
        if names_file is None:
            raise TruthBroken(f"{path} has no names of classes; put a classes.txt or data.yaml beside it", path=path)
        names = _names(names_file)
        files = _files(folder)
        if not files:
            raise TruthBroken(f"{folder} holds no .txt files; YOLO labels are one an image", path=folder)
        size_of = sizes or _sizes_beside(folder)
        sums = FolderHash()
        sums.add(names_file.name, read_text(names_file, limit=2**20)[1])
        frames = [_frame(file, file.relative_to(folder), sums.read(file), names, size_of) for file in files]
        return Labels(path, cls.format, names, tuple(frames), sums.value())


def _labels_folder(path: Path) -> Path:
    root = path.parent if path.suffix.lower() in (".yaml", ".yml", ".data") else path
    return next((root / name for name in _INSIDE if (root / name).is_dir()), root)


def _names_file(path: Path, folder: Path) -> Path | None:
    if path.suffix.lower() in (".yaml", ".yml"):
        return path if path.is_file() else None
    for root in (folder, *list(folder.resolve().parents)[:2]):
        for name in _NAME_FILES:
            if (root / name).is_file():
                return root / name
    return None


def _first_files(folder: Path) -> list[Path]:
    try:
        files = [file for file in sorted(folder.glob("*.txt")) if file.name.casefold() not in _NOT_LABELS]
        return files[:50] or [file for _, file in zip(range(50), folder.glob("*/*.txt"), strict=False)]
    except OSError:
        return []


def _files(folder: Path) -> list[Path]:
    try:
        files = sorted(
            file for file in folder.rglob("*.txt") if file.name.casefold() not in _NOT_LABELS and file.is_file()
        )
    except OSError as failure:
        raise TruthBroken(f"labels {folder} cannot be read: {failure.strerror or failure}", path=folder) from failure
    if len(files) > MAX_FILES:
        raise TruthBroken(f"{folder} holds more than {MAX_FILES} files; split it by drive", path=folder)
    return files


def _names(file: Path) -> tuple[str, ...]:
    if file.suffix.lower() in (".yaml", ".yml"):
        document = read_yaml(file)
        told = document.get("names") if isinstance(document, dict) else None
    else:
        told = [row.strip() for row in read_text(file, limit=2**20)[0].rstrip().split("\n")]
    if isinstance(told, dict) and list(told) == list(range(len(told))):
        told = list(told.values())
    return _checked(file, told)


def _checked(file: Path, told: Any) -> tuple[str, ...]:
    if not isinstance(told, list) or not told:
        raise TruthBroken(f"{file} has no list of names (names: [car, person], or 0: car)", path=file)
    names = Names()
    for position, name in enumerate(told):
        try:
            if not isinstance(name, str) or names.number(name) != position:
                raise ValueError(f"{str(name)[:40]!r} is no name, or a repeated one")
        except ValueError as failure:
            raise TruthBroken(f"{file}, name {position}: {failure}; names must differ", path=file) from failure
    return names.all()


def _sizes_beside(folder: Path) -> Sizes:
    """Look for the images in the same folder, and in `images` where the labels are in `labels`."""
    parts = folder.resolve().parts
    swapped = [
        Path(*parts[:at], "images", *parts[at + 1 :]) for at in reversed(range(len(parts))) if parts[at] == "labels"
    ]
    beside = next((each for each in swapped if each.is_dir()), None)
    if beside is not None:
        return sizes_in(beside)

    def look_up(key: str) -> tuple[int, int] | None:
        for suffix in (".jpg", ".png", ".jpeg", ".bmp", ".webp"):
            size = picture_size(folder / f"{key}{suffix}")
            if size is not None:
                return size
        return None

    return look_up


def _frame(file: Path, name: Path, text: str, names: Sequence[str], size_of: Sizes) -> LabelledFrame:
    key = name.with_suffix("").as_posix()
    size = size_of(key)
    if size is None:
        raise TruthBroken(
            f"{file}: nobody knows how large the picture {name.stem} is, and YOLO labels are shares of it; "
            "give the folder of its images",
            path=file,
        )
    objects = [_object(file, line, row.split(), names, size) for line, row in lines(text)]
    return LabelledFrame(truth_of(objects), key, width=size[0], height=size[1])


def _object(file: Path, line: int, words: list[str], names: Sequence[str], size: tuple[int, int]) -> LabelledObject:
    if len(words) == 6:
        raise broken(file, "6 columns, the last a score: a file of results, not of labels", line)
    if len(words) != 5 and (len(words) < 7 or len(words) % 2 == 0):
        raise broken(file, f"{len(words)} columns where YOLO labels have 5, or a polygon of pairs", line)
    class_number = whole(file, line, words[0], "the class")
    if not 0 <= class_number < len(names):
        raise broken(file, f"class {class_number}; the file of names has 0 to {len(names) - 1}", line)
    shares = [number(file, line, word, "a share") for word in words[1:]]
    if not all(-_EDGE <= share <= 1 + _EDGE for share in shares):
        raise broken(file, "a share is not between 0 and 1; are these pixels?", line)
    if len(shares) == 4:
        x, y, width, height = shares
        if width < 0 or height < 0:
            raise broken(file, "a size is negative", line)
        corners = x - width / 2, y - height / 2, x + width / 2, y + height / 2
    else:
        corners = min(shares[0::2]), min(shares[1::2]), max(shares[0::2]), max(shares[1::2])
    x1, y1, x2, y2 = (corner * side for corner, side in zip(corners, (*size, *size), strict=True))
    return LabelledObject((x1, y1, x2, y2), class_number)
