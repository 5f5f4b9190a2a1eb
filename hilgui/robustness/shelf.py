"""Where results are kept: one folder each below `<home>/robustness`, written whole after every step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from hilgui.durable import write_document
from hilgui.errors import CallWrong, StoreBroken
from hilgui.robustness.result import Result, from_json, to_json

DOCUMENT = "result.json"
PICTURES = "pictures"


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list of results; `problem` says why a document cannot be read."""

    folder: Path
    result: Result | None
    problem: str = ""


def results_root(home: Path) -> Path:
    """Give the folder of all results."""
    return home / "robustness"


def write_result(folder: Path, result: Result) -> Path:
    """Put a result into its folder, old or new; the document is whole at any time. Raises StoreBroken."""
    path = folder / DOCUMENT
    write_document(path, to_json(result))
    return path


def write_picture(folder: Path, name: str, content: bytes) -> str:
    """Put a picture (JPEG, PNG) beside the document; gives the path to write into it. Raises StoreBroken."""
    write_document(folder / PICTURES / name, content)
    return f"{PICTURES}/{name}"


def read_result(folder: Path) -> Result:
    """Read the result of a folder; raises StoreBroken."""
    path = folder / DOCUMENT
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as failure:
        raise StoreBroken(f"{path} cannot be read: {failure}; measure again", path=path) from failure


def picture_path(folder: Path, name: str) -> Path | None:
    """Find a picture that a document names; None where it is gone or lies outside the folder."""
    path = (folder / name).resolve()
    return path if name and path.is_file() and path.is_relative_to(folder.resolve()) else None


def list_results(root: Path, kind: str = "") -> list[Listed]:
    """List the results below a folder, of one kind or of all, newest first; a damaged one with its problem."""
    if not root.is_dir():
        return []
    found = [_listed(folder) for folder in root.iterdir() if (folder / DOCUMENT).is_file()]
    mine = [one for one in found if one.result is None or kind in ("", one.result.kind)]
    return sorted(mine, key=lambda one: "" if one.result is None else one.result.created, reverse=True)


def find_result(text: str, root: Path) -> Path:
    """Turn what was typed into the folder of a result: a path, an id, part of an id, or "last"; raises CallWrong."""
    path = Path(text).expanduser()
    if (path / DOCUMENT).is_file():
        return path
    known = [one.folder for one in list_results(root)]
    if text == "last" and known:
        return known[0]
    fitting = [folder for folder in known if text and text in folder.name]
    if len(fitting) == 1:
        return fitting[0]
    raise CallWrong(f"{text!r} fits {len(fitting)} results in {root}; `hilgui robustness --list` shows what there is")


@lru_cache(maxsize=64)
def _parsed(path: Path, _written_ns: int) -> Result:
    """Keep what was read: a page looks again while one of many results grows."""
    return from_json(path.read_bytes())


def _listed(folder: Path) -> Listed:
    try:
        return Listed(folder, read_result(folder))
    except StoreBroken as failure:
        return Listed(folder, None, str(failure))
