"""What was explained of a finding, read with its pictures on the thread of an errand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QImage

from hilgui.explanations import Explanation, picture_of, stored
from hilgui.records import Role


@dataclass(frozen=True, slots=True, eq=False)
class Explained:
    """An explanation with what it names."""

    folder: Path
    explanation: Explanation
    images: dict[str, QImage]


def read_explained(run: Path, home: Path, finding: int, role: Role) -> Explained | None:
    """Read what was kept; None where nothing was. A picture that is gone is left out."""
    found = stored(run, home, finding, role)
    return None if found is None else _with_pictures(*found)


def _with_pictures(folder: Path, explanation: Explanation) -> Explained:
    names = [explanation.picture]
    if explanation.saliency is not None:
        names.append(explanation.saliency.picture)
    if explanation.occlusion is not None:
        names.append(explanation.occlusion.picture)
    if explanation.alikes is not None:
        names += [explanation.alikes.picture, *(one.picture for one in explanation.alikes.nearest)]
    if explanation.rescue is not None:
        names += [one.picture for one in explanation.rescue.tries if one.picture]
    images = {}
    for name in names:
        path = picture_of(folder, name)
        image = QImage() if path is None else QImage(str(path))
        if not image.isNull():
            images[name] = image
    return Explained(folder, explanation, images)
