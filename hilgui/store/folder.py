"""Where runs live and how they are named and found."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from pathlib import Path

from hilgui.errors import CallWrong, StoreBroken

DATABASE = "run.sqlite"
PICTURES = "pictures"
LOCK = "run.lock"


def new_run_id(created: datetime, source_name: str) -> str:
    """Make a name that sorts by time and says which drive: 20260131-142233-night-3f9a."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(source_name).stem).strip("-")[:40] or "run"
    return f"{created:%Y%m%d-%H%M%S}-{stem}-{secrets.token_hex(2)}"


def is_run(folder: Path) -> bool:
    """Say whether a folder holds a run."""
    return (folder / DATABASE).is_file()


def refuse_emptied(root: Path) -> None:
    """Raise StoreBroken where a run in a folder has lost its database: passed over, it would not be missed."""
    for folder in sorted(root.iterdir()):
        if (folder / LOCK).is_file() and not is_run(folder):
            raise StoreBroken(
                f"the run {folder} has no {DATABASE}; bring it back, or move the folder away to decide without it",
                path=folder,
            )


def run_folders(root: Path) -> list[Path]:
    """List the runs in a folder and in the folders in it, as `--out` and a campaign make them; newest first.

    Raises StoreBroken for a folder that cannot be read: runs that nobody sees would be runs that nobody misses.
    """
    if not root.is_dir():
        return []
    places = _folders_in(root)
    inner = [path for place in places if not is_run(place) for path in _folders_in(place)]
    return sorted((path for path in (*places, *inner) if is_run(path)), key=lambda path: path.name, reverse=True)


def campaign(folder: Path, root: Path) -> str:
    """Name the folder of a run that lies in a folder of `root`, "" where it lies in `root` itself or elsewhere."""
    return folder.parent.name if folder.parent.parent == root else ""


def find_run(text: str, root: Path) -> Path:
    """Turn what the operator typed into a run folder: a path, an id, the beginning of an id, or "last".

    Raises CallWrong when nothing or more than one run fits.
    """
    path = Path(text).expanduser()
    for place in (path, root / path) if text else ():
        if is_run(place):
            return place.resolve()
    inside = run_folders(path) if path.is_dir() else []
    if len(inside) == 1:
        return inside[0].resolve()
    runs = run_folders(root)
    if text == "last" and runs:
        return runs[0]
    fitting = [run for run in runs if text and run.name.startswith(text)] or [run for run in runs if text in run.name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting or inside:
        names = ", ".join(_shown(run, root if fitting else path) for run in (fitting or inside)[:5])
        raise CallWrong(f"{text!r} fits {len(fitting or inside)} runs ({names}, …); type more of the name")
    raise CallWrong(f"there is no run {text!r} in {root}; `hilgui runs list` shows what there is")


def _shown(folder: Path, root: Path) -> str:
    """Name a run so that it can be typed: with its campaign where it lies in one."""
    return "/".join(part for part in (campaign(folder, root), folder.name) if part)


def _folders_in(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if path.is_dir()]
    except OSError as failure:
        raise StoreBroken(f"{root} cannot be read: {failure.strerror or failure}", path=root) from failure
