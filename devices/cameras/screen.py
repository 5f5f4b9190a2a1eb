"""A camera that films a screen on which a recorded drive is shown: which frame it sees, straight again."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from devices.sim.screen_rehearsal import RehearsedScreen
from hilgui.errors import SourceBroken
from hilgui.records import MIXED, REPEATED, FrameRef, SourceFacts
from hilgui.sources import source_for
from hilgui.sources.camera import (
    PREFIX,
    Camera,
    CameraFacts,
    CameraFound,
    Shot,
    Shown,
    Wish,
    make_camera,
    shown_drive,
)
from hilgui.sources.screen import (
    LEVELS,
    Glimpse,
    ScreenFinder,
    ScreenLayout,
    Sight,
    drive_number,
    lay_out,
    look_at,
    rectify,
)
from hilgui.sources.screen.frame_code import NUMBERS, shown_at_ns

UNREADABLE = "show a frame code that cannot be read: out of focus, too dark, or covered"
OTHER_DRIVE = "show another drive than the one that was named"

_USUAL_SCREEN = (1920, 1080)
_USUAL_FPS = 30.0
_REMEMBERED = 10_000  # pictures over which the medians are taken
_BELIEVED_NS = 10_000_000_000  # an older stamp is that of a film, or of another machine's clock

EyeMaker = Callable[[Path, ScreenLayout], Camera]


class FilmedScreen:
    """Reads `screen:EYE`, where EYE is any other camera; `#drive=` names the recording that the screen shows.

    `screen:rehearsal:DRIVE` without a drive simulates screen and camera; with one it plays a film of the screen.
    A picture without the whole screen, of two frames, or of a frame that was handed on already is a loss with its
    reason. Frames come in the geometry of the recording, with its numbers and names.
    """

    lists: ClassVar[str] = ""

    def __init__(self, address: str, make_eye: EyeMaker | None = None) -> None:
        self._address = address
        self._make_eye = make_eye
        self._eye: Camera | None = None  # the same one is opened again after a loss
        self.layout: ScreenLayout | None = None  # with the next two what `hilgui screen check` looks at
        self.picture: NDArray[np.uint8] | None = None  # as the eye gave it
        self.glimpse: Glimpse | str = ""
        self._finder: ScreenFinder | None = None
        self._facts: SourceFacts | None = None  # of the recording: read once, a long one takes longer than a camera
        self._refs: list[FrameRef] = []
        self._drive = 0
        self._last: int | None = None
        self._first = 0
        self._is_first = True  # no picture was read since the eye was opened
        self._counts: Counter[str] = Counter()
        self._clean = 0
        self._seen: deque[tuple[float, ...]] = deque(
            maxlen=_REMEMBERED
        )  # of each clean picture: residual, blur, unevenness, levels

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        """List nothing: the eye is listed under its own kind."""
        return ()

    def open(self, wish: Wish) -> CameraFacts:
        """Look into the recording, then open the eye; raises SourceBroken."""
        self.close()
        drive = self._named(wish)
        self._facts = facts = self._facts or self._looked_into(drive, wish)
        width, height = wish.screen or _USUAL_SCREEN
        self.layout = lay_out(width, height, facts.width, facts.height)
        self._finder = ScreenFinder(self.layout)
        self._drive = drive_number(facts.sha256)
        self._is_first = True
        self._eye = self._eye or self._eye_for(drive, self.layout, wish)
        seen = self._eye.open(replace(wish, drive=None, screen=None))
        return CameraFacts(
            name=f"{facts.name} on a screen",
            kind=f"screen filmed by {seen.kind}",
            width=facts.width,
            height=facts.height,
            fps=seen.fps,
            is_remote=seen.is_remote,
            has_our_clock=seen.has_our_clock,
            notes=seen.notes,
        )

    def read(self) -> Shot | None:
        """Wait for the next picture of the eye and understand it."""
        assert self._eye is not None and self.layout is not None and self._finder is not None
        shot = self._eye.read()
        if shot is None or shot.image is None:
            return shot
        glimpse = look_at(shot.image, self.layout, self._finder)
        self.picture, self.glimpse = shot.image, glimpse
        shown = glimpse if isinstance(glimpse, str) else self._shown(glimpse, shot.arrival_ns)
        if isinstance(shown, str):
            self._counts[shown] += 1
            return replace(shot, image=None, why=shown)
        assert isinstance(glimpse, Glimpse)
        self._note(glimpse)
        return replace(shot, image=rectify(shot.image, self.layout, glimpse.pose), shown=shown)

    def account(self) -> tuple[str, ...]:
        """Say in sentences how the camera sees the screen."""
        if not self._seen:
            return ()
        residual, blur, unevenness, *levels = np.nanmedian(np.array(self._seen), axis=0).tolist()
        seen = ", ".join(f"{level} as {value:.0f}" for level, value in zip(LEVELS, levels, strict=True))
        gain = (levels[-1] - levels[0]) / (LEVELS[-1] - LEVELS[0])
        others = "".join(f", {count} {why}" for why, count in sorted(self._counts.items()))
        return (
            f"screen: {self._clean} pictures read, frames {self._first} to {self._last}{others}",
            f"screen: grey {seen}; contrast {100 * gain:.0f} % of what was shown, uneven by {unevenness:.1f}",
            f"screen: blur {blur:.2f} px of the recorded frame, markers fit to {residual:.2f} px of the camera",
        )

    def close(self) -> None:
        """Let go of the eye; may be called twice."""
        if self._eye is not None:
            self._eye.close()

    def _looked_into(self, drive: Path, wish: Wish) -> SourceFacts:
        source = source_for(drive, (wish.fps or _USUAL_FPS) if drive.is_dir() else None)
        try:
            facts, self._refs = source.open(), source.refs()
        finally:
            source.close()
        if not facts.width:
            raise SourceBroken(f"the frames of {drive} differ in size, so no screen can show them in one place")
        return facts

    def _named(self, wish: Wish) -> Path:
        named = f"#drive={wish.drive}" if wish.drive is not None else ""
        drive = shown_drive(Path(f"{PREFIX}{self._address}{named}"))
        if drive is None:
            raise SourceBroken(
                f"camera {self._address} films a screen, and nobody says what it shows; add #drive=/path/drive.mp4"
            )
        return drive

    def _eye_for(self, drive: Path, layout: ScreenLayout, wish: Wish) -> Camera:
        address = self._address.partition(":")[2]
        if self._make_eye is not None:
            return self._make_eye(drive, layout)
        if address.startswith("rehearsal:") and wish.drive is None:
            return RehearsedScreen(drive, layout)
        return make_camera(address)

    def _shown(self, glimpse: Glimpse, arrival_ns: int) -> Shown | str:
        if glimpse.code is None:
            return MIXED if glimpse.sight is Sight.MIXED else UNREADABLE
        if glimpse.code.drive != self._drive:
            return OTHER_DRIVE
        ahead = 1
        number = glimpse.code.number
        if self._last is not None:
            ahead = (number - self._last) % NUMBERS
            if not 0 < ahead < NUMBERS // 2:
                return REPEATED
            number = self._last + ahead
        if number >= len(self._refs):
            return OTHER_DRIVE
        if self._last is None:
            self._first = number
        self._last = number
        at_ns = shown_at_ns(glimpse.code, arrival_ns)
        # What the camera finds when it opens its eye may have stood there for long.
        is_known = not self._is_first and arrival_ns - at_ns < _BELIEVED_NS
        self._is_first = False
        return Shown(number, self._refs[number].key, at_ns if is_known else None, ahead - 1)

    def _note(self, glimpse: Glimpse) -> None:
        transfer = glimpse.transfer
        self._clean += 1
        self._seen.append((glimpse.pose.residual_px, transfer.blur_px, transfer.unevenness, *transfer.levels))
