"""Finds a recording that moved by its content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from hilgui.errors import HilguiError, SourceBroken
from hilgui.sources.fingerprint import file_sha256
from hilgui.sources.opening import source_for

Progress = Callable[[Path, int], None]  # what is looked at, how many were looked at before

_MAX_ENTRIES = 1_000_000


def find_by_hash(
    sha256: str,
    roots: Iterable[Path],
    *,
    name: str = "",
    size: int | None = None,
    progress: Progress | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Find the file or folder whose content has this hash below the roots, or None.

    Candidates of the same name come first, then those with the same suffix, then the rest; `size` (of a file, bytes)
    leaves out all others. What cannot be read is passed over. `progress` is called before each candidate is hashed;
    `is_stopped` ends the search.
    """
    suffix = Path(name).suffix.lower()
    is_folder = bool(name) and not suffix

    def rank(path: Path) -> tuple[bool, bool, bool]:
        return (path.name != name, path.is_dir() != is_folder, path.suffix.lower() != suffix)

    candidates = [path for root in roots for path in _candidates(root) if _fits(path, size)]
    for count, path in enumerate(sorted(dict.fromkeys(candidates), key=rank)):
        if is_stopped():
            return None
        if progress is not None:
            progress(path, count)
        if _hash_of(path) == sha256:
            return path if path.name == name else _innermost(path)
    return None


def _innermost(path: Path) -> Path:
    """Go down as long as a folder holds nothing but another one: that is the recording, not the folder around it."""
    while path.is_dir():
        inside = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
        if len(inside) != 1 or inside[0].is_symlink() or not inside[0].is_dir():
            break
        path = inside[0]
    return path


def _candidates(root: Path) -> Iterator[Path]:
    """Walk down without following links to folders; a root that is a file is a candidate itself."""
    if not root.exists():
        raise SourceBroken(f"there is no folder {root} to search; check the path", path=root)
    waiting, seen = [root], 0
    while waiting:
        path = waiting.pop()
        yield path
        try:
            inside = sorted(path.iterdir()) if path.is_dir() and not (path.is_symlink() and path != root) else []
        except OSError:
            continue
        seen += len(inside)
        if seen > _MAX_ENTRIES:
            raise SourceBroken(f"{root} holds more than {_MAX_ENTRIES:,} entries; name a folder below it", path=root)
        waiting += [entry for entry in inside if not entry.name.startswith(".")]


def _fits(path: Path, size: int | None) -> bool:
    try:
        return path.is_dir() or size is None or path.stat().st_size == size
    except OSError:
        return False


def _hash_of(path: Path) -> str:
    """Hash a candidate as its source would; "" where it is no recording."""
    try:
        if path.is_file():
            return file_sha256(path)
        source = source_for(path)
        try:
            return source.open().sha256
        finally:
            source.close()
    except (HilguiError, OSError):
        return ""
