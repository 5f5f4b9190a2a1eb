"""Paths as people type them: half of a name, a name that is too long, a stray blank; asking about them never raises."""

from __future__ import annotations

from pathlib import Path


def typed_path(text: str) -> Path:
    """Turn what was typed into a path; "~" is the home folder where there is one."""
    path = Path(text.strip())
    try:
        return path.expanduser()
    except RuntimeError:  # "~nobody"
        return path


def is_there(path: Path) -> bool:
    """Say whether a path exists; one that cannot exist (too long, a zero byte) does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Say whether a path is a file, under the same promise."""
    return is_there(path) and path.is_file()


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder, under the same promise."""
    return is_there(path) and path.is_dir()
