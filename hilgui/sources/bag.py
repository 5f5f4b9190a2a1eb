"""What a bag is: messages of named topics, each readable by its place, whatever file they lie in."""

from __future__ import annotations

import bz2
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from hilgui.errors import SourceBroken

MAX_CHUNK_BYTES = 512 * 2**20

# What third-party readers raise on bytes that are not what they claim to be.
DAMAGE = (
    AssertionError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    sqlite3.Error,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class BagTopic:
    """One topic: its message type, how messages are written ("cdr", "ros1", "json", "protobuf") and how many."""

    name: str
    type: str
    encoding: str
    messages: int
    schema: bytes = b""  # definition of the type as the bag carries it


@dataclass(frozen=True, slots=True)
class Place:
    """Where one message lies; compares by time, then by order in the file."""

    time_ns: int  # the recorder's clock, since 1970 or since start-up
    where: tuple[int, ...]


class BagFile(Protocol):
    """An opened bag. Every method raises SourceBroken."""

    kind: str  # "MCAP", "rosbag1", "rosbag2"
    files: tuple[Path, ...]  # what makes its hash
    notes: tuple[str, ...]

    @property
    def topics(self) -> dict[str, BagTopic]:
        """Give the topics by name."""
        ...

    def places(self, topic: str) -> list[Place]:
        """Give the places of a topic's messages in time order."""
        ...

    def read(self, place: Place) -> bytes:
        """Read one message."""
        ...

    def close(self) -> None:
        """Let go of the files; may be called twice."""
        ...


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn what damaged bytes cause into SourceBroken."""
    try:
        yield
    except SourceBroken:
        raise
    except DAMAGE as failure:
        reason = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
        raise SourceBroken(f"the bag {path} is damaged ({reason}); copy it again or recover it", path=path) from failure


@contextmanager
def open_to_scan(path: Path) -> Iterator[BinaryIO]:
    """Open a bag and leave it open; closed again where what follows finds damage, which is told as SourceBroken."""
    with damage_told(path):
        file = path.open("rb")
        try:
            yield file
        except BaseException:
            file.close()
            raise


def decompress(data: bytes, compression: str, size: int) -> bytes:
    """Unpack a chunk of a stated size; raises ValueError or what the library raises for anything else."""
    if size > MAX_CHUNK_BYTES:
        raise ValueError(f"a chunk of {size:,} bytes is stated, {MAX_CHUNK_BYTES:,} are allowed")
    unpacked = _unpack(data, compression, size)
    if len(unpacked) != size:
        raise ValueError(f"a chunk has {len(unpacked):,} bytes and not the {size:,} it states")
    return unpacked


def _unpack(data: bytes, compression: str, size: int) -> bytes:
    decompressor: Any
    match compression:
        case "" | "none":
            return data
        case "bz2":
            return bz2.BZ2Decompressor().decompress(data, max_length=size + 1)
        case "lz4":
            import lz4.frame  # type: ignore[import-untyped]  # it has no stubs

            decompressor = lz4.frame.LZ4FrameDecompressor()
            return bytes(decompressor.decompress(data, max_length=size + 1))
        case "zstd":
            import zstandard

            try:
                reader = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(data)
                return bytes(reader.read(size + 1))
            except zstandard.ZstdError as failure:
                raise ValueError(str(failure)) from failure
        case _:
            raise ValueError(f"the compression {compression!r} is not known")
