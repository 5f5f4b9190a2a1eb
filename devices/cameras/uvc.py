"""USB and other local cameras through OpenCV: V4L2 on Linux, what the system offers elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import cv2
import numpy as np

from devices.cameras import v4l
from hilgui.errors import SourceBroken
from hilgui.sources.camera import CameraFacts, CameraFound, Shot, Wish

# Seconds that OpenCV waits for a frame of V4L2; its own ten are too long to notice a camera that is gone.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")

_MISSES = 5  # reads in a row without a picture: the camera is gone
_USUAL_FPS = 30.0
_BELIEVED_FPS = (1.0, 1000.0)
_MANUAL, _AUTOMATIC = 1.0, 3.0  # V4L2's numbers for the exposure
_SAME_CLOCK_NS = 10_000_000_000

Open = Callable[[int, int], Any]


class UvcCamera:
    """Opens `uvc:0` (the number of /dev/video0), reads with one buffer, and finds its camera again by identity.

    A camera that was plugged in again may come back under another number: from the second opening on, the one with
    the same serial number or USB socket is taken. Stamps are those of the driver where they are on our clock.
    """

    lists: ClassVar[str] = "cameras at this machine (V4L2)"

    def __init__(self, address: str, opener: Open = cv2.VideoCapture, known: v4l.Folders = v4l.SYSTEM) -> None:
        self._address = address
        self._opener = opener
        self._known = known
        self._identity = ""
        self._capture: Any = None
        self._misses = 0
        self._has_our_clock = False

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        """List the video nodes of Linux with their modes."""
        return [
            CameraFound(f"camera:uvc:{node.number}", node.name, node.modes, node.note) for node in v4l.nodes(v4l.SYSTEM)
        ]

    def open(self, wish: Wish) -> CameraFacts:
        """Open the camera, ask for the wished mode and read back what it grants; raises SourceBroken."""
        self.close()
        number = self._number()
        with self._translated():
            backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
            self._capture = self._opener(number, backend)
            if not self._capture.isOpened():
                node = f"/dev/video{number}"
                raise SourceBroken(
                    f"camera {self._address} cannot be opened; is it plugged in, in use elsewhere, may you read {node}?"
                )
            self._ask(wish)
            shot = self._first()
        assert shot.image is not None
        height, width = shot.image.shape[:2]
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        low, high = _BELIEVED_FPS
        fps = rate if low <= rate <= high else wish.fps or _USUAL_FPS
        age_ns = shot.arrival_ns - shot.stamp_ns if shot.stamp_ns is not None else -1
        self._has_our_clock = 0 <= age_ns < _SAME_CLOCK_NS
        return CameraFacts(
            name=v4l.name_of(number, self._known) or f"camera {number}",
            kind="uvc camera",
            width=width,
            height=height,
            fps=fps,
            has_our_clock=self._has_our_clock,
            notes=self._refused(wish, width, height, fps, is_rate_known=low <= rate <= high),
        )

    def read(self) -> Shot:
        """Wait for the next picture; raises SourceBroken after several reads without one."""
        while True:
            shot = self._grab()
            if shot is not None:
                self._misses = 0
                return shot
            self._misses += 1
            if self._misses >= _MISSES or not self._is_plugged_in():
                raise SourceBroken(f"camera {self._address} gives no pictures; is it still plugged in?")

    def close(self) -> None:
        """Let go of the camera; may be called twice."""
        capture, self._capture, self._misses = self._capture, None, 0
        if capture is not None:
            with self._translated():
                capture.release()

    def _number(self) -> int:
        text = self._address.removeprefix("uvc:").removeprefix("/dev/video")
        if not text.isdecimal():
            raise SourceBroken(f"camera {self._address} has no number; write camera:uvc:0")
        number = int(text)
        if self._identity:
            again = v4l.find(self._identity, self._known)
            if again is None:
                raise SourceBroken(f"camera {self._address} is not plugged in")
            return again
        self._identity = v4l.identity(number, self._known)
        return number

    def _is_plugged_in(self) -> bool:
        return not self._identity or v4l.find(self._identity, self._known) is not None

    def _ask(self, wish: Wish) -> None:
        """Set the format first: it decides which sizes and rates there are."""
        if wish.pixel_format:
            self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wish.pixel_format.ljust(4)[:4]))
        for prop, value in (
            (cv2.CAP_PROP_FRAME_WIDTH, wish.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, wish.height),
            (cv2.CAP_PROP_FPS, wish.fps),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        ):
            if value is not None:
                self._capture.set(prop, value)
        if wish.exposure_ms is None:
            self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTOMATIC)
        else:
            self._capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
            self._capture.set(cv2.CAP_PROP_EXPOSURE, wish.exposure_ms * 10)  # V4L2 counts 100 µs

    def _refused(self, wish: Wish, width: int, height: int, fps: float, *, is_rate_known: bool) -> tuple[str, ...]:
        notes = []
        if (wish.width, wish.height) not in ((None, None), (width, height)):
            notes.append(f"the camera gives {width} x {height}, not {wish.width} x {wish.height}")
        if not is_rate_known:
            notes.append(f"the camera does not say its rate; {fps:g} frames/s are assumed")
        elif wish.fps is not None and abs(wish.fps - fps) > 0.5:
            notes.append(f"the camera gives {fps:g} frames/s, not {wish.fps:g}")
        if wish.exposure_ms is not None and abs(self._capture.get(cv2.CAP_PROP_EXPOSURE) - wish.exposure_ms * 10) > 1:
            notes.append("the camera does not take an exposure time")
        return tuple(notes)

    def _first(self) -> Shot:
        for _ in range(_MISSES):
            shot = self._grab()
            if shot is not None and shot.image is not None:
                return shot
        raise SourceBroken(f"camera {self._address} opens but gives no pictures; is another program using it?")

    def _grab(self) -> Shot | None:
        """Take the newest picture; None where none came in time."""
        with self._translated():
            if not self._capture.grab():
                return None
            arrival = time.monotonic_ns()
            stamp_ms = float(self._capture.get(cv2.CAP_PROP_POS_MSEC))
            is_there, image = self._capture.retrieve()
        stamp = round(stamp_ms * 1e6) if stamp_ms > 0 else None
        if not is_there or image is None or not getattr(image, "size", 0):
            return Shot(None, arrival, stamp, "could not be decoded")
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        return Shot(np.asarray(image), arrival, stamp)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (cv2.error, OSError, ValueError) as failure:
            lines = str(failure).strip().splitlines() or [type(failure).__name__]
            raise SourceBroken(f"camera {self._address} failed: {lines[0][:200]}; plug it in again") from failure
