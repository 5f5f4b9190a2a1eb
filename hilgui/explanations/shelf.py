"""Where explanations are kept: beside the run, so that they travel with it; in the home where it is read-only."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import cv2

from hilgui.durable import write_document, write_whole
from hilgui.errors import StoreBroken
from hilgui.explanations.document import Explanation, from_json, to_json
from hilgui.explanations.target import Image
from hilgui.records import Role

log = logging.getLogger(__name__)

FOLDER = "explanations"


def document_name(finding: int, role: Role) -> str:
    """Name the document of a finding; its pictures begin alike."""
    return f"{finding:04d}-{role.value}.json"


def places(run: Path, home: Path) -> tuple[Path, Path]:
    """Give where explanations of a run may lie: beside it, and in the home."""
    return run / FOLDER, home / FOLDER / run.name


def folder_for(run: Path, home: Path) -> Path:
    """Give the folder to write to; it is made. Raises StoreBroken where neither can be written."""
    beside, at_home = places(run, home)
    try:
        beside.mkdir(exist_ok=True)
        if os.access(beside, os.W_OK):
            return beside
    except OSError:
        log.info("%s is read-only; its explanations are kept in the home", run)
    try:
        at_home.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise StoreBroken(f"{at_home} cannot be made: {failure}; is the disk full?", path=at_home) from failure
    return at_home


def stored(run: Path, home: Path, finding: int, role: Role) -> tuple[Path, Explanation] | None:
    """Give folder and content of what was explained before, the newer one; None where nothing was, or it is damaged."""
    found = []
    for folder in places(run, home):
        path = folder / document_name(finding, role)
        try:
            found.append((folder, from_json(path.read_bytes())))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as failure:
            log.warning("the explanation %s is left out: %s", path, failure)
    return max(found, key=lambda pair: pair[1].created, default=None)


def write(folder: Path, explanation: Explanation) -> Path:
    """Write a document whole, after its pictures; raises StoreBroken."""
    path = folder / document_name(explanation.finding, explanation.role)
    write_document(path, to_json(explanation))
    return path


def write_picture(folder: Path, name: str, image: Image) -> str:
    """Write a picture as PNG and give its name; raises StoreBroken."""
    _, png = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 4])
    try:
        write_whole(folder / name, png.tobytes())
    except OSError as failure:
        raise StoreBroken(f"{folder / name} cannot be written: {failure}; is the disk full?", path=folder) from failure
    return name


def picture_of(folder: Path, name: str) -> Path | None:
    """Give the path of a picture; None for one that is missing, or that names a place outside the folder."""
    path = folder / name
    return path if name and Path(name).name == name and path.is_file() else None
