"""Finding labels: the reader that knows a path, and the labels that lie beside a recording."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

from hilgui import plugins
from hilgui.errors import HilguiError, PluginBroken, TruthBroken
from hilgui.truth.image_size import SUFFIXES
from hilgui.truth.protocol import Labels, Sizes, TruthReader

log = logging.getLogger(__name__)

_GROUP = "hilgui.truth_readers"
_SINGLE = frozenset({".json", ".xml", ".csv", ".txt"})
_LOOKED_AT = 20
_SHOWN = 3
_CALLED_LABELS = re.compile(r"label|gt|truth|annot|mask|instances|depth", re.IGNORECASE)  # beside a folder of pictures


def read_labels(path: Path, sizes: Sizes | None = None) -> Labels:
    """Read labels in whatever format they are; raises TruthBroken, or PluginBroken for a reader that fails.

    A folder that no reader knows, with one label file in it, means that file. `sizes` tells formats in shares of the
    picture how large the pictures are; without it they look beside the labels.
    """
    if not path.exists():
        raise TruthBroken(f"there are no labels {path}; check the path", path=path)
    reader = _reader(path)
    if reader is None and path.is_dir():
        reader, path = _only_file(path)
    if reader is None:
        if path.is_file() and _reader(path.parent) is not None:
            raise TruthBroken(
                f"{path} alone holds no labels that hilgui knows, its folder does: give {path.parent}", path=path
            )
        raise TruthBroken(_unknown(path), path=path)
    try:
        if getattr(reader, "needs_sizes", False):
            return reader.read(path, sizes=sizes)  # type: ignore[call-arg]  # a SizedTruthReader
        return reader.read(path)
    except HilguiError:
        raise
    except Exception as failure:  # a plug-in call
        log.exception("reader %s failed on %s", reader.format, path)
        raise PluginBroken(
            f"the {reader.format} reader failed on {path}: {type(failure).__name__}: {failure}", path=path
        ) from failure


def find_truth(source: Path) -> Path | None:
    """Find the labels that lie beside a recording, or None.

    For `drive.mp4`: `drive.coco.json`, else `drive.json` if that is a label file. For a folder `drive/`:
    `drive.coco.json` beside it, else the one file `*.coco.json` inside it.
    """
    if source.is_dir():
        inside = sorted(source.glob("*.coco.json"))
        folder = source.resolve()
        candidates = [folder.parent / f"{folder.name}.coco.json", *(inside if len(inside) == 1 else [])]
    else:
        candidates = [source.with_suffix(".coco.json"), source.with_suffix(".json")]
    for path in candidates:
        if path.is_file() and _reader(path) is not None:
            return path
    return None


def _only_file(folder: Path) -> tuple[type[TruthReader] | None, Path]:
    """Look for the one label file of a folder; the folder itself where there is none or more than one."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SINGLE and file.is_file())
    except OSError:
        return None, folder
    found = [(reader, file) for file in files[:_LOOKED_AT] if (reader := _reader(file)) is not None]
    return found[0] if len(found) == 1 else (None, folder)


def _reader(path: Path) -> type[TruthReader] | None:
    for name, reader in plugins.working(_GROUP).items():
        if _recognises(name, reader, path):
            return reader  # type: ignore[no-any-return]
    return None


def _recognises(name: str, reader: Any, path: Path) -> bool:
    try:
        return bool(reader.recognises(path))
    except Exception:  # a plug-in call
        log.warning("reader %s failed to look at %s", name, path, exc_info=True)
        return False


def _unknown(path: Path) -> str:
    """Say that a path holds no labels, and where some lie close to it."""
    pictures = path.is_dir() and _holds_pictures(path)
    near = _labels_in(path) or (_labels_in(path.parent, _CALLED_LABELS) if pictures else [])
    what = f"{path} holds {'pictures and ' if pictures else ''}no labels that hilgui knows"
    return f"{what}; labels lie in {', '.join(near[:_SHOWN])}" if near else f"{what}; {_known()}"


def _holds_pictures(folder: Path) -> bool:
    """Say whether pictures lie in a folder or in the first folder in it."""
    inside = _listed(folder)
    first = next((entry for entry in inside if entry.is_dir()), None)
    files = [*inside[:_LOOKED_AT], *(_listed(first)[:_LOOKED_AT] if first is not None else [])]
    return any(file.suffix.lower() in SUFFIXES for file in files)


def _labels_in(folder: Path, called: re.Pattern[str] | None = None) -> list[str]:
    """List the folders and label files of a folder that a reader knows, as far as it looks; only those so called."""
    inside = [entry for entry in _listed(folder) if entry.is_dir() or entry.suffix.lower() in _SINGLE]
    inside = [entry for entry in inside if called is None or called.search(entry.name)]
    return [f"{entry} ({reader.format})" for entry in inside[:_LOOKED_AT] if (reader := _reader(entry)) is not None]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []


def _known() -> str:
    formats = ", ".join(reader.format for reader in plugins.working(_GROUP).values())
    return f"formats: {formats} (docs/labels.md shows the files of each)"
