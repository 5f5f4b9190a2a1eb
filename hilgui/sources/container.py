"""Opens a video container and nothing else: the demuxer is pinned to what the first bytes say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.container

from hilgui.errors import SourceBroken

# PyAV is silent by default and must stay so: with a log level set, FFmpeg's decoder threads wait for the GIL to log
# while `close` holds it and waits for them.

HEAD_BYTES = 377


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
    with translated(path):
        container = av.open(str(path), format=kind.split(",")[0])
    if not container.streams.video:
        container.close()
        raise SourceBroken(f"{path} holds no picture track; choose a recording with video", path=path)
    container.streams.video[0].thread_type = "AUTO"
    return container


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
