"""Shows a drive: which canvas is due now. The window asks before every refresh."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.records import Frame, SourceFacts
from hilgui.sources.protocol import FrameSource
from hilgui.sources.screen.composer import Composer
from hilgui.sources.screen.frame_code import drive_number, make_code
from hilgui.sources.screen.layout import lay_out
from hilgui.stream import StopToken


class Showing:
    """Composes every frame of a source in order, on the thread that asks; `close` may be called twice.

    No frame is left out: where the screen is late, what follows is late too, and a camera sees all of it. The first
    frame stands for `lead_s`, so that the camera can find the screen.
    """

    def __init__(
        self,
        source: FrameSource,
        width: int,
        height: int,
        *,
        speed: float = 1.0,
        lead_s: float = 0.0,
        is_endless: bool = False,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._source = source
        self._size = (width, height)
        self._speed = speed
        self._lead_ns = round(lead_s * 1e9)
        self._is_endless = is_endless
        self._now_ns = now_ns
        self._stop = StopToken()
        self._frames: Iterator[Frame] = iter(())
        self._ahead: Frame | None = None
        self._due_ns = 0
        self._drive = 0
        self.shown = 0  # canvases that were handed out
        self.number: int | None = None  # of the frame that stands on the screen
        self.is_over = False

    def open(self) -> SourceFacts:
        """Open the recording; raises SourceBroken, CallWrong for a screen that is too small."""
        facts = self._source.open()
        if facts.fps is None or not facts.width:
            raise SourceBroken(f"{facts.path} has no frame rate or frames of different sizes, so no screen can show it")
        self._composer = Composer(lay_out(*self._size, facts.width, facts.height))
        self._drive = drive_number(facts.sha256)
        self._frames = self._laps()
        self._ahead = next(self._frames, None)
        self._due_ns = self._now_ns()
        return facts

    def canvas(self) -> NDArray[np.uint8] | None:
        """Give the canvas (height, width, 3) BGR of a frame that is due; None while the one before still stands."""
        now = self._now_ns()
        frame = self._ahead
        if frame is None:
            self.is_over = self.is_over or now >= self._due_ns
            return None
        if now < self._due_ns:
            return None
        self._ahead = next(self._frames, None)
        stays_ns = self._stays_ns(frame) + (0 if self.shown else self._lead_ns)
        # From the time at which it was due, so that periods add up; from now, where that is long past.
        self._due_ns = max(self._due_ns + stays_ns, now + stays_ns // 2)
        self.shown += 1
        self.number = frame.ref.seq
        return self._composer.compose(frame.image, make_code(self._drive, frame.ref.seq, self._now_ns()))

    def close(self) -> None:
        """Let go of the recording."""
        self._stop.stop("closed")
        self._source.close()

    def _stays_ns(self, frame: Frame) -> int:
        following = self._ahead
        step_s = 0.0 if following is None else following.ref.time_s - frame.ref.time_s
        return round(1e9 * (step_s if step_s > 0 else 1 / 30) / self._speed)

    def _laps(self) -> Iterator[Frame]:
        while True:
            yield from (item for item in self._source.frames(self._stop) if isinstance(item, Frame))
            if not self._is_endless or self._stop.is_set:
                return
