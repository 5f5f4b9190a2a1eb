"""Writes the container of a bundle: a zip of stored files whose every byte follows from names and contents."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

from hilgui.durable import write_whole
from hilgui.errors import CallWrong, EvidenceBroken
from hilgui.evidence import stored_zip


def write_container(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the files in the order of their names; the same files give the same bytes. Raises EvidenceBroken."""
    entries: list[stored_zip.Entry] = []
    parts: list[bytes] = []
    offset = 0
    for name in sorted(files):
        content = files[name]
        entry = stored_zip.Entry(name, offset, len(content), zlib.crc32(content), "")
        header = stored_zip.local_header(entry)
        parts += (header, content)
        entries.append(entry)
        offset += len(header) + len(content)
    if offset > stored_zip.LARGEST or len(entries) > stored_zip.MOST_FILES:
        raise CallWrong(
            f"the bundle would have {offset:,} bytes in {len(entries)} files; take fewer clips with --cases"
        )
    parts.append(stored_zip.directory(entries, offset))
    try:
        write_whole(out, b"".join(parts))
    except OSError as failure:
        raise EvidenceBroken(f"{out} cannot be written: {failure.strerror or failure}", path=out) from failure
