"""A screen that shows a drive and the camera that films it, both simulated: screen in the loop without a bench."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from devices.sim.screen_camera import ScreenCamera, Seam, View
from hilgui.errors import SourceBroken
from hilgui.records import Fate, Frame, Loss
from hilgui.sources import FrameSource, source_for
from hilgui.sources.camera import CameraFacts, CameraFound, Shot, Wish
from hilgui.sources.screen import Composer, ScreenLayout, drive_number
from hilgui.sources.screen.frame_code import make_code
from hilgui.stream import Pace, StopToken

USUAL = View(yaw_deg=8, pitch_deg=4, roll_deg=1, fill=0.88, lens=-0.01, blur_px=0.7, noise=2, gain=0.95, ambient=5)

_USUAL_FPS = 30.0

# From the number of the frame: the seams of the pictures that the camera takes of it; None is a picture without.
Exposures = Callable[[int], Sequence[Seam | None]]


class RehearsedScreen:
    """Shows every frame of a drive and takes its pictures, at the drive's rate or at the one asked for.

    The pictures are those that a camera would take; nothing of where the screen lies in them is handed on.
    """

    lists: ClassVar[str] = ""

    def __init__(
        self, drive: Path, layout: ScreenLayout, view: View = USUAL, exposures: Exposures = lambda _: (None,)
    ) -> None:
        self._drive = drive
        self._composer = Composer(layout)
        self._camera = ScreenCamera(layout, view)
        self._view = view
        self._exposures = exposures
        self._source: FrameSource | None = None
        self._shots: Iterator[Shot] = iter(())
        self._stop = StopToken()
        self._next = 0  # a camera that is opened again finds the drive where it has got to

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        """List nothing: any recording will do."""
        return ()

    def open(self, wish: Wish) -> CameraFacts:
        """Open the recording; raises SourceBroken."""
        self.close()
        self._source = source_for(self._drive, (wish.fps or _USUAL_FPS) if self._drive.is_dir() else None)
        facts = self._source.open()
        if facts.fps is None:
            raise SourceBroken(f"{self._drive} has no frame rate, so no screen can show it", path=self._drive)
        self._stop = StopToken()
        fps = wish.fps or facts.fps
        self._shots = self._filmed(drive_number(facts.sha256), Pace(fps / facts.fps, self._stop))
        notes = (f"screen and camera are simulated: {facts.name} is shown at {fps:g} frames/s",)
        return CameraFacts("simulated camera", "simulation", self._view.width, self._view.height, fps, notes=notes)

    def read(self) -> Shot | None:
        """Wait until the next picture is due; None after the last one."""
        return next(self._shots, None)

    def close(self) -> None:
        """Let go of the recording; may be called twice."""
        self._stop.stop("closed")
        if self._source is not None:
            self._source.close()
            self._source = None

    def _filmed(self, drive: int, pace: Pace) -> Iterator[Shot]:
        assert self._source is not None
        before: NDArray[np.uint8] | None = None
        for item in self._frames(self._source):
            self._next = item.ref.seq + 1
            pace.wait_until_due(item.ref.time_s)
            if isinstance(item, Loss):
                continue  # nothing is shown for a frame that cannot be decoded: the camera never sees it
            canvas = self._shown(item, drive)
            for seam in self._exposures(item.ref.seq):
                yield Shot(self._camera.film(canvas, before, seam), time.monotonic_ns())
            before = canvas

    def _frames(self, source: FrameSource) -> Iterator[Frame | Loss]:
        """Go on where the drive has got to; to play what is over once more would take longer than anybody waits."""
        if not self._next:
            yield from source.frames(self._stop)
            return
        for ref in source.refs()[self._next :]:
            if self._stop.is_set:
                return
            try:
                yield source.frame_at(ref.seq)
            except SourceBroken as failure:
                yield Loss(ref, Fate.DROPPED, str(failure))

    def _shown(self, frame: Frame, drive: int) -> NDArray[np.uint8]:
        return self._composer.compose(frame.image, make_code(drive, frame.ref.seq, time.monotonic_ns()))
