"""Which folder of a data set holds the pictures: KITTI, MOT, CamVid, OTB and plain folders, by documented rules."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass, replace
from pathlib import Path

from hilgui.errors import SourceBroken

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff"})

# Tried in this order; the first that holds images is taken.
SUBFOLDERS = (
    *(
        "image_02/data",
        "image_02",
        "image_03/data",
        "image_03",
        "image_00/data",
        "image_00",
        "image_01/data",
        "image_01",
    ),
    *("image_2", "training/image_2", "testing/image_2"),
    *("img1", "img", "images", "image", "rgb", "frames", "data"),
)

_KITTI_RAW = re.compile(r"\d{4}_\d\d_\d\d_drive_\d{4}")
_KITTI_HZ = 10.0
_MAX_INI_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the pictures lie and what their data set says about time."""

    images: Path
    fps: float | None = None  # stated by the data set
    stated_frames: int | None = None
    notes: tuple[str, ...] = ()


def has_images(folder: Path) -> bool:
    """Say whether a folder itself holds an image."""
    try:
        return any(entry.suffix.lower() in IMAGES and entry.is_file() for entry in folder.iterdir())
    except OSError:
        return False


def find_layout(folder: Path) -> Layout | None:
    """Find the pictures of a folder; None where it holds none. Raises SourceBroken for several drives in one folder."""
    sequence = folder if (folder / "seqinfo.ini").is_file() else folder.parent
    stated = _read_seqinfo(sequence / "seqinfo.ini")
    if stated and sequence == folder and has_images(folder / stated.images.name):
        return Layout(folder / stated.images.name, stated.fps, stated.stated_frames)
    if has_images(folder):
        fits = stated is not None and stated.images.name == folder.name
        return Layout(folder, stated.fps if stated and fits else _kitti_rate(folder))
    found = [name for name in SUBFOLDERS if has_images(folder / name)]
    if found:
        others = [name for name in found[1:] if not name.startswith(found[0])]
        notes = (f"pictures come from {found[0]}; {', '.join(others)} was left out",) if others else ()
        return Layout(folder / found[0], _kitti_rate(folder / found[0]), notes=notes)
    return _only_subfolder(folder)


def _only_subfolder(folder: Path) -> Layout | None:
    """Take a drive that lies alone in its folder; several are listed."""
    for parent in (folder, *(folder / name for name in SUBFOLDERS)):
        try:
            inside = sorted(entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith("."))
        except OSError:
            continue
        found = [entry for entry in inside if has_images(entry) or (entry / "seqinfo.ini").is_file()]
        if len(found) == len(inside) == 1:
            layout = find_layout(found[0])
            where = f"pictures come from {found[0].relative_to(folder)}"
            return None if layout is None else replace(layout, notes=(where, *layout.notes))
        if len(found) > 1:
            listed = ", ".join(str(entry.relative_to(folder)) for entry in found[:8])
            raise SourceBroken(
                f"{folder} holds {len(found)} folders of images: name one of them ({listed})", path=folder
            )
    return None


def _kitti_rate(images: Path) -> float | None:
    near = [images.resolve(), *images.resolve().parents][:4]
    return _KITTI_HZ if any(_KITTI_RAW.search(folder.name) for folder in near) else None


def _read_seqinfo(path: Path) -> Layout | None:
    """Read MOT's `seqinfo.ini`; one that makes no sense is as none."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_INI_BYTES:
            return None
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_string(path.read_text("utf-8", "replace"))
        about = parser["Sequence"]
        fps, frames = about.getfloat("frameRate", fallback=0.0), about.getint("seqLength", fallback=0)
        return Layout(Path(Path(about.get("imDir", "img1")).name), fps if 0 < fps < 10_000 else None, frames or None)
    except (OSError, configparser.Error, KeyError, ValueError):
        return None
