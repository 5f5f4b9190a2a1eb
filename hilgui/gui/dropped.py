"""What a path is that somebody dropped on the window or named on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hilgui.gui.typed_path import is_folder, is_there

_IMAGES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm"})
_VIDEOS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mpg", ".mpeg"})
_LOOK_AT = 2000  # entries of a folder that are looked at before giving up


@dataclass(frozen=True, slots=True)
class Dropped:
    """The parts of one drop; `strange` are paths that mean nothing here."""

    runs: tuple[Path, ...] = ()
    recordings: tuple[Path, ...] = ()
    models: tuple[Path, ...] = ()
    truths: tuple[Path, ...] = ()
    bundles: tuple[Path, ...] = ()
    strange: tuple[Path, ...] = ()


def sort_paths(paths: Iterable[Path]) -> Dropped:
    """Sort paths by what they are; cheap looks only, the content is judged when it is opened."""
    parts: dict[str, list[Path]] = {
        "runs": [],
        "recordings": [],
        "models": [],
        "truths": [],
        "bundles": [],
        "strange": [],
    }
    for path in paths:
        whole = path.parent if path.suffix == ".sqlite" else path  # the database of a run stands for its folder
        parts[_part(whole)].append(whole)
    return Dropped(**{name: tuple(found) for name, found in parts.items()})


def _part(path: Path) -> str:
    if is_folder(path):
        return _folder_part(path)
    suffix = path.suffix.lower()
    if not is_there(path):
        return "strange"
    if suffix == ".onnx":
        return "models"
    if suffix == ".zip":
        return "bundles"
    if suffix in {".json", ".txt"}:
        return "truths"
    if suffix in _VIDEOS:
        return "recordings"
    return "strange"


def _folder_part(folder: Path) -> str:
    from hilgui.store import is_run

    if is_run(folder):
        return "runs"
    has_texts = False
    for number, entry in enumerate(folder.iterdir()):
        suffix = entry.suffix.lower()
        if suffix in _IMAGES:
            return "recordings"
        has_texts = has_texts or suffix == ".txt"
        if number > _LOOK_AT:
            break
    return "truths" if has_texts else "strange"
