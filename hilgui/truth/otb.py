"""OTB: groundtruth_rect.txt, the box of one object in every frame."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from hilgui.errors import TruthBroken
from hilgui.truth.label_file import MAX_FRAMES, broken, number, peek, read_text
from hilgui.truth.protocol import LabelledFrame, Labels
from hilgui.truth.rows import EMPTY, LabelledObject, box_flaw, truth_of

CLASS = "object"
TRACK = 0

_NAME = re.compile(r"groundtruth(_rect)?(\.\d+)?\.txt")
_BETWEEN = re.compile(r"[,\s]+")


class OtbReader:
    """Reads the labels of the Object Tracking Benchmark: line n is the box of frame n, from 1.

    A line is x, y, width, height (px, as written) between tabs, blanks or commas. The path is the file or the folder
    that holds it. The one class is `object`: a class map says what it is (`otb_to_coco`: a person). It is the same
    object all along. NaN, or no size, is a frame without it.
    """

    format: ClassVar[str] = "OTB"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the path is, or holds, a groundtruth file whose first line has four numbers."""
        file = _file(path)
        words = _BETWEEN.split(peek(file, 256).strip().split(b"\n")[0].decode("ascii", "replace").strip())
        return _NAME.fullmatch(file.name) is not None and len(words) == 4 and all(map(_is_number, words))

    @classmethod
    def read(cls, path: Path) -> Labels:
        """Read the labels; raises TruthBroken with the line."""
        file = _file(path)
        text, sha256 = read_text(file, limit=16 * 2**20)
        rows = text.rstrip().split("\n") if text.strip() else []
        if not rows:
            raise TruthBroken(f"{file} holds no rows; copy it again", path=file)
        if len(rows) > MAX_FRAMES:
            raise TruthBroken(f"{file} labels more than {MAX_FRAMES} frames; is it the right file?", path=file)
        frames = []
        for line, row in enumerate(rows, 1):
            labelled = _object(file, line, _BETWEEN.split(row.strip()))
            frames.append(LabelledFrame(EMPTY if labelled is None else truth_of([labelled]), index=line - 1))
        note = "OTB labels one object a frame: every other object is unlabelled, so phantoms mean little"
        return Labels(path, cls.format, (CLASS,), tuple(frames), sha256, class_map="otb_to_coco", notes=(note,))


def _file(path: Path) -> Path:
    return path / "groundtruth_rect.txt" if path.is_dir() else path


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _object(file: Path, line: int, words: list[str]) -> LabelledObject | None:
    if len(words) != 4:
        raise broken(file, f"{len(words)} numbers where OTB labels have four: x, y, width, height", line)
    if any(word.casefold() == "nan" for word in words):
        return None
    x, y, width, height = (number(file, line, word, "a number of the box") for word in words)
    if flaw := box_flaw(x, y, x + width, y + height):
        raise broken(file, flaw, line)
    return LabelledObject((x, y, x + width, y + height), 0, TRACK) if width and height else None
