"""Content hashes of files and folders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Hash a file without loading it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(paths: Iterable[Path]) -> str:
    """Hash the names and contents of files, in the order given."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.name}\0{file_sha256(path)}\n".encode())
    return whole.hexdigest()
