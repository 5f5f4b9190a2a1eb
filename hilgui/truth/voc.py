"""Pascal VOC and ImageNet XML: one file for each image."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.truth.label_file import FolderHash, number, peek, text_files
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import OCCLUDED, LabelledObject, Names, box_flaw, truth_of
from hilgui.truth.xml_file import Element, read_xml

_ROOT = re.compile(rb"<annotation[\s>]")
_MAX_FILE_BYTES = 4 * 2**20
_CORNERS = ("xmin", "ymin", "xmax", "ymax")


class VocReader:
    """Reads Pascal VOC's XML, which ImageNet shares: a file, a folder of them, or a folder with `Annotations`.

    An object has `name` and `bndbox` (xmin ymin xmax ymax in px, taken as written: nothing is shifted or widened by a
    pixel). `difficult` objects are never counted (`ignore`), as VOC does. `occluded` is read as .5, since it names no
    share. `truncated`, poses and parts are not kept. An image is named by `filename`, else by the file of its labels.
    """

    format: ClassVar[str] = "Pascal VOC"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the file, or one of the first XML files of the folder, holds one <annotation>."""
        try:
            folder = _folder(path)
            files = [path] if path.is_file() else sorted(folder.glob("*.xml"))[:20] if folder.is_dir() else []
        except OSError:
            return False
        return any(file.suffix.lower() == ".xml" and _ROOT.search(peek(file, 4096)) is not None for file in files)

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with file and line."""
        files = [path] if path.is_file() else text_files(_folder(path), ".xml")
        if not files:
            raise TruthBroken(f"{path} holds no .xml files; Pascal VOC labels are one an image", path=path)
        sums, names = FolderHash(), Names()
        frames = []
        for file in files:
            root, sha256 = read_xml(file, limit=_MAX_FILE_BYTES)
            sums.add(file.name, sha256)
            frames.append(_frame(file, root, names))
        return Labels(path, cls.format, names.all(), tuple(frames), sums.value(), class_map="voc_to_coco")


def _folder(path: Path) -> Path:
    return path / "Annotations" if (path / "Annotations").is_dir() else path


def _frame(file: Path, root: Element, names: Names) -> LabelledFrame:
    if root.tag != "annotation":
        root.refuse(f"<{root.tag}> where Pascal VOC has <annotation>")
    objects = [_object(element, names) for element in root.all("object")]
    size = root.first("size")
    width, height = (0, 0) if size is None else (_length(size, "width"), _length(size, "height"))
    return LabelledFrame(truth_of(objects), root.words("filename") or file.stem, width=width, height=height)


def _object(element: Element, names: Names) -> LabelledObject:
    try:
        class_number = names.number(element.words("name"))
    except ValueError as failure:
        element.refuse(str(failure))
    corners = element.child("bndbox")
    x1, y1, x2, y2 = (_number(corners.child(side)) for side in _CORNERS)
    if flaw := box_flaw(x1, y1, x2, y2):
        corners.refuse(flaw)
    occluded = element.words("occluded")
    return LabelledObject(
        (x1, y1, x2, y2),
        class_number,
        ignore=_flag(element, "difficult"),
        occlusion=math.nan if not occluded else OCCLUDED if _flag(element, "occluded") else 0.0,
    )


def _flag(element: Element, tag: str) -> bool:
    word = element.words(tag).casefold()
    if word not in ("", "0", "1", "false", "true"):
        element.refuse(f"{tag} is {word[:40]}; it is 0 or 1")
    return word in ("1", "true")


def _number(element: Element) -> float:
    return number(element.path, element.line, element.text.strip(), element.tag)


def _length(size: Element, tag: str) -> int:
    found = size.first(tag)
    length = 0.0 if found is None or not found.text.strip() else _number(found)
    if not 0 <= length <= 10**6 or length != int(length):
        size.refuse(f"{tag} {length:g} is not the size of a picture")
    return int(length)
