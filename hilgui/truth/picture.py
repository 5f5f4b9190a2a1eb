"""Label pictures: PNG files whose pixels are classes or lanes; bounded, and read when somebody asks."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import TruthBroken
from hilgui.truth.label_file import peek

_MAX_BYTES = 64 * 2**20
_MAX_PIXELS = 100_000_000
_DEFLATE = 1032  # no byte of a PNG unfolds to more
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR = 0, 2


def png_kind(file: Path) -> str:
    """Tell from the header whether a PNG is "grey" or "colour" with 8 bits, "" for anything else; does not raise."""
    depth, colour = _pixels_of(file)
    return {_GREY: "grey", _COLOUR: "colour"}.get(colour, "") if depth == 8 else ""


def is_deep_grey(file: Path) -> bool:
    """Tell from the header whether a PNG is grey with 16 bits; does not raise."""
    return _pixels_of(file) == (16, _GREY)


def _pixels_of(file: Path) -> tuple[int, int]:
    """Give bits a sample and colour type of a PNG, (0, 0) for anything else."""
    start = peek(file, 33)
    if not start.startswith(_SIGNATURE) or len(start) < 33 or start[12:16] != b"IHDR":
        return 0, 0
    return start[24], start[25]


def read_picture(file: Path) -> NDArray[np.uint8]:
    """Give the pixels of an 8-bit PNG: (height, width) grey, or (height, width, 3) RGB; raises TruthBroken."""
    if not png_kind(file):
        raise TruthBroken(f"{file} is not a grey or colour PNG with 8 bits; export the masks as such", path=file)
    image = _decoded(file)
    if image.dtype != np.uint8:
        raise TruthBroken(f"{file} is a damaged PNG; copy it again", path=file)
    if image.ndim == 3:
        image = image[:, :, 2::-1]
    return np.asarray(image, np.uint8)


def read_deep_picture(file: Path) -> NDArray[np.uint16]:
    """Give the samples (height, width) of a grey PNG with 16 bits; raises TruthBroken."""
    if not is_deep_grey(file):
        raise TruthBroken(f"{file} is not a grey PNG with 16 bits; export the depth as such", path=file)
    image = _decoded(file)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise TruthBroken(f"{file} is a damaged PNG; copy it again", path=file)
    return np.asarray(image, np.uint16)


def _decoded(file: Path) -> NDArray[Any]:
    width, height = struct.unpack(">II", peek(file, 24)[16:24])
    try:
        size = file.stat().st_size
        if width * height > _MAX_PIXELS or size > _MAX_BYTES:
            raise TruthBroken(f"{file} is larger than any mask ({width} × {height}); is it the right file?", path=file)
        if width * height > size * _DEFLATE:
            raise TruthBroken(f"{file} holds fewer bytes than {width} × {height} pixels need; copy it again", path=file)
        image = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error) as failure:
        raise TruthBroken(f"{file} cannot be read: {failure}", path=file) from failure
    if image is None:
        raise TruthBroken(f"{file} is a damaged PNG; copy it again", path=file)
    return image


def values_of(pixels: NDArray[np.uint8]) -> list[int]:
    """List the grey values that occur, rising."""
    return np.flatnonzero(np.bincount(pixels.ravel(), minlength=256)).tolist()


def png_size(file: Path) -> tuple[int, int]:
    """Give width and height from the header, 0 and 0 for no PNG; does not raise."""
    start = peek(file, 24)
    if len(start) < 24 or not start.startswith(_SIGNATURE):
        return 0, 0
    width, height = struct.unpack(">II", start[16:24])
    return (width, height) if width <= 10**6 and height <= 10**6 else (0, 0)


def picture_sum(file: Path) -> str:
    """Give the sha256 of a picture's bytes; raises TruthBroken."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise TruthBroken(f"{file} is larger than any mask; is it the right file?", path=file)
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as failure:
        raise TruthBroken(f"{file} cannot be read: {failure.strerror or failure}", path=file) from failure
