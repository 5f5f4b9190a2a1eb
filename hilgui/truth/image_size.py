"""How large the pictures are, for labels in shares of the picture: read from headers, not from pixels."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from hilgui.errors import TruthBroken
from hilgui.truth.label_file import peek
from hilgui.truth.protocol import Labels, Sizes

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})

_MAX_PICTURES = 500_000
_MAX_PICTURE_BYTES = 256 * 2**20
_HEADER_BYTES = 2**18
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the start-of-frame markers


def one_size(width: int, height: int) -> Sizes:
    """Give every picture the same size: the frames of a video."""
    return lambda _key: (width, height)


def sizes_of(labels: Labels) -> Sizes:
    """Take the sizes that other labels of the same pictures tell."""
    known = {stem(frame.key): (frame.width, frame.height) for frame in labels.frames if frame.width and frame.height}
    return lambda key: known.get(stem(key))


def sizes_of_recording(path: Path, width: int, height: int) -> Sizes | None:
    """Give the sizes of a recording's frames: its own, or those of the images in its folder once one is asked for."""
    if width and height:
        return one_size(width, height)
    if not path.is_dir():
        return None
    folder = cache(sizes_in)
    return lambda key: folder(path)(key)


def sizes_in(folder: Path) -> Sizes:
    """Look a picture up in a folder and the folders inside it, by its name without suffix; raises TruthBroken."""
    pictures: dict[str, Path] = {}
    try:
        if not folder.is_dir():
            raise TruthBroken(f"there is no folder of images {folder}; check the path", path=folder)
        for count, file in enumerate(folder.rglob("*")):
            if count > _MAX_PICTURES:
                raise TruthBroken(f"{folder} holds more than {_MAX_PICTURES} files; give the folder of images itself")
            if file.suffix.lower() in SUFFIXES:
                pictures.setdefault(file.stem, file)
    except OSError as failure:
        raise TruthBroken(f"images {folder} cannot be read: {failure.strerror or failure}", path=folder) from failure

    def look_up(key: str) -> tuple[int, int] | None:
        file = pictures.get(stem(key))
        return None if file is None else picture_size(file)

    return look_up


def stem(key: str) -> str:
    """Give the name that a picture and its labels share: no folder, no suffix of a picture."""
    name = key.replace("\\", "/").rpartition("/")[2]
    head, dot, tail = name.rpartition(".")
    return head if dot and f".{tail.lower()}" in SUFFIXES else name


def picture_size(file: Path) -> tuple[int, int] | None:
    """Give width and height as a reader shows the picture, None for what is no picture; does not raise."""
    start = peek(file, _HEADER_BYTES)
    if start.startswith(b"\x89PNG\r\n\x1a\n") and start[12:16] == b"IHDR" and len(start) >= 24:
        width, height = struct.unpack(">II", start[16:24])
        return (width, height) if 0 < width <= 2**20 and 0 < height <= 2**20 else None
    return _jpeg_size(start) or _decoded_size(file)


def _jpeg_size(start: bytes) -> tuple[int, int] | None:
    """Walk the segments up to the start of frame; Exif may turn the picture, then only decoding tells."""
    if not start.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(start) and start[at] == 0xFF:
        marker = start[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", start[at + 5 : at + 9])
            return (width, height) if width and height else None
        elif marker == 0xE1 and start[at + 4 : at + 8] == b"Exif":
            return None
        else:
            at += 2 + int.from_bytes(start[at + 2 : at + 4], "big")
    return None


def _decoded_size(file: Path) -> tuple[int, int] | None:
    try:
        if not file.is_file() or file.stat().st_size > _MAX_PICTURE_BYTES:
            return None
        data = np.fromfile(file, np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    except (OSError, cv2.error):
        return None
    return None if image is None else (int(image.shape[1]), int(image.shape[0]))
