"""Opens a video container and nothing else: the demuxer is pinned to what the first bytes say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av
import av.container

from hilgui.errors import SourceBroken

# PyAV is silent by default and must stay so: with a log level set, FFmpeg's decoder threads wait for the GIL to log
# while `close` holds it and waits for them.

HEAD_BYTES = 377
MAX_PIXELS = 135_000_000  # more than any camera; a picture takes three bytes a pixel


def container_format(head: bytes) -> str | None:
    """Name the FFmpeg demuxer for a container by its first bytes; None where it is no video we know.

    A playlist that names other files never gets as far as FFmpeg's own probing.
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov,mp4,m4a,3gp,3g2,mj2"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "matroska,webm"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] == b"G":
        return "mpegts"
    return None


def read_head(path: Path) -> bytes:
    """Read the first bytes; empty where the file cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def open_container(path: Path) -> av.container.InputContainer:
    """Open a video file; raises SourceBroken."""
    kind = container_format(read_head(path))
    if kind is None:
        raise SourceBroken(
            f"{path} is not a video that hilgui knows (MP4, MOV, MKV, WebM, AVI, TS); is it the right file?", path=path
        )
    _refuse_cut_off(path, kind)
    with translated(path):
        container = av.open(str(path), format=kind.split(",")[0], metadata_errors="replace")
    if not container.streams.video:
        container.close()
        raise SourceBroken(f"{path} holds no picture track; choose a recording with video", path=path)
    stream = container.streams.video[0]
    if not has_decoder(stream):
        container.close()
        raise SourceBroken(
            f"the pictures of {path} are coded in a way that is not known here; convert it to H.264", path=path
        )
    try:
        refuse_huge(stream.codec_context.width, stream.codec_context.height, path)
    except SourceBroken:
        container.close()
        raise
    stream.thread_type = "AUTO"
    return container


def has_decoder(stream: Any) -> bool:
    """Say whether PyAV knows the codec; its stubs say that a stream always has a decoder, a damaged one has not."""
    return stream.codec_context is not None


def refuse_huge(width: int, height: int, path: Path) -> None:
    """Refuse pictures that no camera makes, before memory is spent on them; raises SourceBroken."""
    if width * height > MAX_PIXELS:
        raise SourceBroken(
            f"{path} says that its pictures are {width} × {height}; up to {MAX_PIXELS // 10**6} megapixels can be read",
            path=path,
        )


def _refuse_cut_off(path: Path, kind: str) -> None:
    """Compare the size that a container states with that of the file; raises SourceBroken where bytes are missing."""
    try:
        with path.open("rb") as file:
            stated = _STATED_SIZE.get(kind, _unknown_size)(file)
        size = path.stat().st_size
    except OSError:
        return
    if stated is not None and stated > size:
        raise SourceBroken(
            f"the recording {path} was cut off: {stated:,} bytes are stated, {size:,} are there; copy it again",
            path=path,
        )


def _unknown_size(file: BinaryIO) -> int | None:
    return None


def _riff_size(file: BinaryIO) -> int | None:
    """Read the size of the first RIFF chunk; a recorder that died leaves 0 there."""
    stated = int.from_bytes(file.read(8)[4:], "little")
    return stated + 8 if stated else None


def _segment_size(file: BinaryIO) -> int | None:
    """Read the sizes of the EBML header and of the segment; None where it was written without knowing its end."""
    place = 0
    for _ in range(3):
        file.seek(place)
        head = file.read(16)
        if len(head) < 6:
            return None
        width = _vint_width(head[4])
        size = int.from_bytes(head[4 : 4 + width], "big") & ((1 << (7 * width)) - 1)
        if head[:4] == b"\x18S\x80g":
            return None if size == (1 << (7 * width)) - 1 else place + 4 + width + size
        place += 4 + width + size
    return None


def _vint_width(first: int) -> int:
    return 9 - first.bit_length() if first else 8


def _boxes_end(file: BinaryIO) -> int | None:
    """Follow the top-level boxes of an MP4 to where the last one should end."""
    place, size = 0, file.seek(0, 2)
    for _ in range(100_000):
        if place >= size:
            return place
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or length < 8:
            return None  # up to the end of the file, or no box at all
        place += length
    return None


_STATED_SIZE: dict[str, Callable[[BinaryIO], int | None]] = {
    "avi": _riff_size,
    "matroska,webm": _segment_size,
    "mov,mp4,m4a,3gp,3g2,mj2": _boxes_end,
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what PyAV raises into SourceBroken."""
    try:
        yield
    except (av.FFmpegError, OSError, ValueError, MemoryError) as failure:
        reason = getattr(failure, "strerror", None) or failure
        raise SourceBroken(
            f"the recording {path} cannot be read: {reason}; is it complete? Copy it again", path=path
        ) from failure
