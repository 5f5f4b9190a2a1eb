"""The container of a bundle: a zip of stored files whose every byte follows from names and contents.

What is compressed, out of order, out of place or merely different in an unused field is refused, so no flipped bit
goes unseen, and there is nothing to unpack that could grow. This module becomes a part of the script in every bundle.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LARGEST = 0xF0000000  # bytes; beyond, a zip needs another form
MOST_FILES = 60_000
_LARGEST_DOCUMENT = 512 << 20
_CHUNK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){0,5}")
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DAY = 0x21  # 1980-01-01
_LARGEST_FILE = LARGEST + (1 << 27)  # the directory included
_FIXED = _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, _DAY, 0, 0, 0, 0, 0)[:14]  # how every file of a bundle begins
_FIRST = (b"cases/", b"checkpoints.jsonl")  # the first file of a bundle is one of these
_MARKS = (b"checkpoints.jsonl", b"decisions/decision.json", b"events.jsonl", b"manifest.dsse.json")


@dataclass(frozen=True)
class Entry:
    """One file of the container."""

    name: str
    offset: int  # of its header
    size: int
    crc: int
    sha256: str


def local_header(entry: Entry) -> bytes:
    """Give the bytes before a file's content."""
    name = entry.name.encode()
    sizes = (entry.crc, entry.size, entry.size, len(name), 0)
    return _LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, _DAY, *sizes) + name


def directory(entries: list[Entry], offset: int) -> bytes:
    """Give the bytes after the last file's content."""
    parts = []
    for entry in entries:
        name = entry.name.encode()
        sizes = (entry.crc, entry.size, entry.size, len(name), 0, 0, 0, 0, 0o644 << 16, entry.offset)
        parts.append(_CENTRAL.pack(b"PK\1\2", 0x0314, 20, 0, 0, 0, _DAY, *sizes) + name)
    listed = b"".join(parts)
    count = len(entries)
    return listed + _END.pack(b"PK\5\6", 0, 0, count, count, len(listed), offset, 0)


class Damaged(Exception):
    """A container that cannot be read on; the sentence names the place."""


class NoBundle(Damaged):
    """A file in which nothing is left of a bundle, or never was."""


class Container:
    """An open bundle. Raises Damaged where a byte is not as hilgui would have written it, OSError where unreadable.

    Raises NoBundle for a file that is something else: cut off or flipped, a bundle still shows its own headers.
    """

    def __init__(self, path: Path) -> None:
        self._size = path.stat().st_size
        self._file: BinaryIO = path.open("rb")
        try:
            is_too_large = self._size > _LARGEST_FILE
            if not (self._begins_as_one() or (not is_too_large and self._has_marks())):
                raise NoBundle(_what(self._file, self._size))
            if is_too_large:
                raise Damaged(f"{path.name} has {self._size:,} bytes; no bundle is that large")
            self.entries = {entry.name: entry for entry in self._walk()}
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def read(self, name: str) -> bytes:
        """Give the content of a file; raises Damaged where it is missing or no document."""
        entry = self.entries.get(name)
        if entry is None:
            raise Damaged(f"{name} is missing")
        if entry.size > _LARGEST_DOCUMENT:
            raise Damaged(f"{name} has {entry.size:,} bytes, more than any document of a bundle")
        self._file.seek(entry.offset + len(local_header(entry)))
        return self._file.read(entry.size)

    def _begins_as_one(self) -> bool:
        """Say whether the file begins with the header of a bundle's first file, or is cut off within it."""
        self._file.seek(0)
        head = self._file.read(_LOCAL.size + max(map(len, _FIRST)))
        fixed, name = head[: len(_FIXED)], head[_LOCAL.size :]
        return bool(head) and fixed == _FIXED[: len(fixed)] and any(one.startswith(name[: len(one)]) for one in _FIRST)

    def _has_marks(self) -> bool:
        """Say whether a header of a zip, anywhere in the file, names a document that only bundles have."""
        self._file.seek(0)
        before = b""
        while chunk := self._file.read(_CHUNK):
            window = before + chunk
            for mark in _MARKS:
                at = window.find(mark)
                while at >= 0:
                    if _magic(window, at - _LOCAL.size) == b"PK\3\4" or _magic(window, at - _CENTRAL.size) == b"PK\1\2":
                        return True
                    at = window.find(mark, at + 1)
            before = window[-_CENTRAL.size - max(map(len, _MARKS)) :]
        return False

    def _walk(self) -> list[Entry]:
        entries: list[Entry] = []
        offset, before = 0, ""
        while True:
            self._file.seek(offset)
            head = self._file.read(_LOCAL.size)
            if head[:4] != b"PK\3\4":
                break
            entry = self._entry(head, offset, before)
            entries.append(entry)
            before = entry.name
            offset += len(local_header(entry)) + entry.size
            if len(entries) > MOST_FILES:
                raise Damaged(f"more than {MOST_FILES:,} files; no bundle has that many")
        expected = directory(entries, offset)
        self._file.seek(offset)
        found = self._file.read(len(expected) + 1)
        if not entries:
            raise Damaged("byte 0: the bundle does not begin with a file of a zip any more")
        if found != expected:
            place = next((k for k, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), -1)
            place = min(len(found), len(expected)) if place < 0 else place
            after = f"after {entries[-1].name}"
            if head[:2] != b"PK" or len(found) < len(expected):
                raise Damaged(f"byte {offset + place:,}: the bundle is cut off or damaged {after}")
            raise Damaged(
                f"byte {offset + place:,}: the directory of the zip was changed, or something was added {after}"
            )
        return entries

    def _entry(self, head: bytes, offset: int, before: str) -> Entry:
        if len(head) < _LOCAL.size:
            raise Damaged(f"byte {offset:,}: the bundle is cut off after {before or 'its first bytes'}")
        _, _, flags, method, _, _, crc, packed, size, name_length, extra = _LOCAL.unpack(head)
        raw = self._file.read(name_length)
        name = raw.decode("ascii", "replace")
        shown = "".join(letter if letter.isprintable() else "?" for letter in name[:80])
        if not _NAME.fullmatch(name):
            raise Damaged(
                f"byte {offset:,}: {shown!r} is no name of a file in a bundle; nothing of it is written anywhere"
            )
        if method or flags or extra or packed != size:
            raise Damaged(
                f"{shown} is compressed or carries something extra; bundles of hilgui hold plain stored files"
            )
        if name <= before:
            raise Damaged(f"{shown} comes twice or out of order")
        start = offset + _LOCAL.size + name_length
        if start + size > self._size:
            raise Damaged(f"{shown} declares {size:,} bytes, the bundle ends before; it is cut off")
        digest, found, left = hashlib.sha256(), 0, size
        while left:
            chunk = self._file.read(min(left, _CHUNK))
            if not chunk:
                raise Damaged(f"{shown} is cut off")
            digest.update(chunk)
            found = zlib.crc32(chunk, found)
            left -= len(chunk)
        entry = Entry(name, offset, size, found, digest.hexdigest())
        if crc != found:
            raise Damaged(f"{shown} was changed: its checksum in the zip does not fit")
        if head + raw != local_header(entry):
            raise Damaged(f"byte {offset:,}: the header of {shown} was changed")
        return entry


def _magic(window: bytes, at: int) -> bytes:
    return window[at : at + 4] if at >= 0 else b""


def _what(file: BinaryIO, size: int) -> str:
    """Say what a file is that is no bundle."""
    file.seek(0)
    head = file.read(4096)
    if not size:
        return "the file is empty"
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        return "it is a zip of something else: none of the documents of a bundle is in it"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as failure:
        if failure.start < len(head) - 4:  # else a letter that was cut in two
            return "it is no zip, and nothing in it comes from a bundle"
    return "it is a text, and nothing in it comes from a bundle"
