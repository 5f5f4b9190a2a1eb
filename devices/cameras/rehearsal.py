"""A recorded drive that plays the camera in real time: everything live, with no cable."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from hilgui.errors import SourceBroken
from hilgui.records import Frame, Loss
from hilgui.sources import FrameSource, source_for
from hilgui.sources.camera import CameraFacts, CameraFound, Shot, Wish
from hilgui.stream import Pace, StopToken

_USUAL_FPS = 30.0


class Rehearsal:
    """Plays `rehearsal:/path/drive.mp4` once, at its own speed; a folder of images at the rate asked for.

    Like a camera it waits for nobody. Its stamps are those of the recording.
    """

    lists: ClassVar[str] = ""

    def __init__(self, address: str, now: Callable[[], float] = time.monotonic) -> None:
        self._path = Path(address.removeprefix("rehearsal:"))
        self._now = now
        self._source: FrameSource | None = None
        self._items: Iterator[Frame | Loss] = iter(())
        self._stop = StopToken()
        self._pace = Pace(1.0, self._stop, now)

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        """List nothing: any recording will do."""
        return ()

    def open(self, wish: Wish) -> CameraFacts:
        """Open the recording; raises SourceBroken."""
        self.close()
        source = source_for(self._path, (wish.fps or _USUAL_FPS) if self._path.is_dir() else None)
        facts = source.open()
        self._source = source
        self._stop = StopToken()
        self._pace = Pace(1.0, self._stop, self._now)
        self._items = source.frames(self._stop)
        width, height = facts.width, facts.height
        if not width:
            first = source.frame_at(0)
            width, height = first.ref.width, first.ref.height
        if facts.fps is None:
            raise SourceBroken(f"{self._path} has no frame rate, so it cannot play the camera", path=self._path)
        granted = (wish.width in (None, width)) and (wish.fps is None or abs(wish.fps - facts.fps) < 0.5)
        notes = () if granted else (f"a recording plays as it is: {width} x {height}, {facts.fps:.2f} frames/s",)
        return CameraFacts(f"rehearsal of {facts.name}", "rehearsal", width, height, facts.fps, notes=notes)

    def read(self) -> Shot | None:
        """Wait until the next frame is due; None after the last one."""
        item = next(self._items, None)
        if item is None:
            return None
        self._pace.wait_until_due(item.ref.time_s)
        arrival, stamp = time.monotonic_ns(), round(item.ref.time_s * 1e9)
        if isinstance(item, Loss):
            return Shot(None, arrival, stamp, item.reason)
        return Shot(item.image, arrival, stamp)

    def close(self) -> None:
        """Let go of the recording; may be called twice."""
        self._stop.stop("closed")
        if self._source is not None:
            self._source.close()
            self._source = None
