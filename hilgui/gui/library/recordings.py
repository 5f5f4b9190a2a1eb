"""Which recordings this bench knows: those of its runs and the demo drives; what each is, with a strip of pictures."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from hilgui.errors import HilguiError, StoreBroken
from hilgui.records import RunHeader, SourceFacts
from hilgui.resources import shipped
from hilgui.settings import Settings
from hilgui.sources import source_again, source_for
from hilgui.sources.conditions import find_conditions
from hilgui.store import RunReader, run_folders
from hilgui.truth import find_truth, read_labels

STRIP = 5  # pictures of a recording
THUMB_W, THUMB_H = 88, 50  # px of each
_VIDEOS = ("*.mp4", "*.mkv", "*.avi", "*.mov")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording; `facts` is None until somebody looked at it."""

    path: Path
    facts: SourceFacts | None = None
    truth: str = ""  # path of the labels, "" where there are none
    conditions: dict[str, str] = field(default_factory=dict)
    runs: tuple[Path, ...] = ()  # that replayed it, the newest first
    problem: str = ""

    @property
    def length_s(self) -> float:
        """Give how long it plays, 0 where nobody knows."""
        facts = self.facts
        return (facts.frames or 0) / facts.fps if facts is not None and facts.fps else 0.0


def read_recordings(settings: Settings) -> list[Recording]:
    """Collect what runs replayed and the demo drives; nothing is decoded. Belongs on an errand."""
    found: dict[Path, Recording] = {}
    for folder in run_folders(settings.runs):
        try:
            with closing(RunReader(folder)) as reader:
                header = reader.header
        except StoreBroken:  # the runs of the library say so
            continue
        if not header.source.live:
            path = Path(header.source.path)
            known = found.get(path) or _of_header(path, header)
            found[path] = replace(known, runs=(*known.runs, folder))
    demo = settings.home / "demo-drives"
    for place in (shipped("assets/demo"), demo, *(one for one in sorted(demo.glob("*")) if one.is_dir())):
        for pattern in _VIDEOS:
            for path in sorted(place.glob(pattern)):
                found.setdefault(path, Recording(path))
    return sorted(found.values(), key=lambda one: (not one.runs, one.path.name))


def look_at(one: Recording) -> tuple[Recording, NDArray[np.uint8] | None]:
    """Open a recording; give what it is and a strip of pictures (height, width, BGR), None where it cannot be read."""
    if not one.path.exists():
        return replace(one, problem="it is not there any more; `hilgui relink` finds one that was moved"), None
    try:
        source = source_for(one.path) if one.facts is None else source_again(one.facts)
        with closing(source):
            facts = source.open()
            frames = facts.frames or 0
            strip = np.zeros((THUMB_H, STRIP * THUMB_W, 3), np.uint8)
            for place in range(min(STRIP, frames)):
                frame = source.frame_at(min(int((place + 0.5) * frames / STRIP), frames - 1))
                strip[:, place * THUMB_W : (place + 1) * THUMB_W] = _thumb(frame.image)
            truth = one.truth or str(find_truth(one.path) or "")
            conditions = one.conditions or _conditions(one.path, truth)
            return replace(one, facts=facts, truth=truth, conditions=conditions), strip
    except (HilguiError, IndexError) as failure:
        return replace(one, problem=str(failure)), None


def _conditions(path: Path, truth: str) -> dict[str, str]:
    told = dict(read_labels(Path(truth)).conditions) if truth else {}
    return told | find_conditions(path)


def _thumb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fill a small picture, what is too wide or too high cut off."""
    height, width = image.shape[:2]
    ratio = max(THUMB_W / width, THUMB_H / height)
    size = (max(round(width * ratio), THUMB_W), max(round(height * ratio), THUMB_H))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    top, left = (size[1] - THUMB_H) // 2, (size[0] - THUMB_W) // 2
    return np.ascontiguousarray(small[top : top + THUMB_H, left : left + THUMB_W])


def _of_header(path: Path, header: RunHeader) -> Recording:
    truth = header.truth
    return Recording(
        path,
        header.source,
        "" if truth is None else truth.path,
        {} if truth is None else dict(truth.conditions),
    )
