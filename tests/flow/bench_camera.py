"""A camera that behaves as the test says: it delivers, falls silent, is unplugged, comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hilgui.errors import SourceBroken
from hilgui.sources.camera import CameraFacts, CameraFound, Shot, Wish

WIDTH, HEIGHT = 160, 120


def picture(number: int) -> NDArray[np.uint8]:
    """Give a picture whose first pixel is the number of the frame, as the box model of the rig reads it."""
    return np.full((HEIGHT, WIDTH, 3), 40 + number % 100, np.uint8)


class ScriptedCamera:
    """Plays a script of connections; each is a list of what `read` does, one entry a period.

    An entry is a Shot to be given, "next" for the next picture, a number for a pause in seconds before the entry after
    it, "hang" for a read that waits until the test lets go, or an exception. A connection that is an exception cannot
    be opened. After the first picture of all it waits until `begins` is set. After its script a connection ends for
    good, or gives empty pictures when it `stays`.
    """

    lists: ClassVar[str] = ""

    def __init__(
        self,
        *connections: Sequence[object] | Exception,
        fps: float = 200.0,
        is_remote: bool = False,
        stamped: bool = True,
        stays: bool = False,
    ) -> None:
        self._connections = list(connections)
        self._fps = fps
        self._is_remote = is_remote
        self._stamped = stamped
        self._stays = stays
        self._script: list[object] = []
        self._due = 0.0
        self._number = 0
        self.let_go = threading.Event()
        self.begins = threading.Event()  # the run takes frames from now on
        self.opened = 0
        self.closed = 0
        self.threads: set[str] = set()

    @classmethod
    def found(cls) -> Sequence[CameraFound]:
        return ()

    def open(self, wish: Wish) -> CameraFacts:
        self.opened += 1
        self.threads.add(threading.current_thread().name)
        connection = self._connections.pop(0) if self._connections else SourceBroken("nothing is plugged in")
        if isinstance(connection, Exception):
            raise connection
        self._script = list(connection)
        self._due = time.monotonic()
        return CameraFacts("bench", "bench camera", WIDTH, HEIGHT, self._fps, self._is_remote)

    def read(self) -> Shot | None:
        self.threads.add(threading.current_thread().name)
        if self._number and not self.begins.is_set():
            self.begins.wait(240)
            self._due = time.monotonic()
        if not self._script:
            if self._stays:
                self.let_go.wait(0.02)
                return Shot(None, time.monotonic_ns(), None, "were empty")
            return None
        entry = self._script.pop(0)
        if isinstance(entry, Exception):
            raise entry
        if entry == "hang":
            self.let_go.wait(240)
            raise SourceBroken("the read was given up")
        if isinstance(entry, float):  # a pause
            self._due += entry
            entry = self._script.pop(0)
        self._due += 1 / self._fps
        time.sleep(max(self._due - time.monotonic(), 0))
        if isinstance(entry, Shot):
            return entry
        self._number += 1
        stamp = round(self._due * 1e9) if self._stamped else None
        return Shot(picture(self._number - 1), time.monotonic_ns(), stamp)

    def close(self) -> None:
        self.closed += 1
