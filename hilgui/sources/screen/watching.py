"""Looks at a filmed screen for a while, without a model: is the bench set up well enough?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hilgui.records import REPEATED
from hilgui.sources.camera import Camera, Wish
from hilgui.sources.screen.glimpse import Glimpse
from hilgui.sources.screen.layout import LEVELS, ScreenLayout


class FilmingCamera(Camera, Protocol):
    """A driver of the kind `screen`; the last picture and what was made of it stay with it."""

    layout: ScreenLayout | None
    picture: NDArray[np.uint8] | None
    glimpse: Glimpse | str


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What was seen; medians over the pictures in which the screen was found."""

    pictures: int
    found: int  # pictures with the whole screen
    read: int  # pictures whose frame code was read, also of a frame that stood longer
    reasons: dict[str, int]  # why the others were not
    missed: int  # frames of the drive that were shown between those seen, and never seen whole
    levels: tuple[float, ...]  # what becomes of LEVELS
    blur_px: float  # of the recorded frame
    residual_px: float  # of the camera
    lens: float
    to_camera_ms: float  # from the screen to the arrival of the picture; NaN where nobody on this machine shows it
    picture: NDArray[np.uint8] | None = None  # the last one that was read
    glimpse: Glimpse | None = None
    number: int = -1  # of the frame in it

    def as_json(self) -> dict[str, Any]:
        """Give everything but the pictures."""
        return {
            "pictures": self.pictures,
            "found": self.found,
            "read": self.read,
            "reasons": self.reasons,
            "missed": self.missed,
            "levels": dict(zip(map(str, LEVELS), self.levels, strict=False)),
            "blur_px": _finite(self.blur_px),
            "residual_px": _finite(self.residual_px),
            "lens": _finite(self.lens),
            "to_camera_ms": _finite(self.to_camera_ms),
        }


def watch(camera: FilmingCamera, wish: Wish, pictures: int) -> Watched:
    """Read so many pictures and measure each; raises SourceBroken."""
    rows: list[tuple[float, ...]] = []
    waits: list[float] = []
    reasons: Counter[str] = Counter()
    seen = read = missed = 0
    last: tuple[NDArray[np.uint8] | None, Glimpse | None, int] = (None, None, -1)
    camera.open(wish)
    try:
        while seen < pictures and (shot := camera.read()) is not None:
            seen += 1
            glimpse = camera.glimpse
            if isinstance(glimpse, Glimpse):
                transfer = glimpse.transfer
                rows.append((glimpse.pose.residual_px, glimpse.pose.lens, transfer.blur_px, *transfer.levels))
            read += shot.shown is not None or shot.why == REPEATED
            if shot.why:
                reasons[shot.why] += 1
            if shot.shown is not None and isinstance(glimpse, Glimpse):
                missed += shot.shown.missed
                last = (camera.picture, glimpse, shot.shown.number)
                if shot.shown.shown_ns is not None:
                    waits.append((shot.arrival_ns - shot.shown.shown_ns) / 1e6)
    finally:
        camera.close()
    nan = float("nan")
    residual, lens, blur, *levels = np.nanmedian(np.array(rows), axis=0).tolist() if rows else (nan, nan, nan)
    waited = float(np.median(waits)) if waits else nan
    return Watched(seen, len(rows), read, dict(reasons), missed, tuple(levels), blur, residual, lens, waited, *last)


def _finite(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
