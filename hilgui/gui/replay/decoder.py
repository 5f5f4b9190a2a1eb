"""Decodes ahead on one thread, so that the screen finds its next frames ready."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hilgui.errors import HilguiError
from hilgui.gui.replay.pictures import Picture, Pictures, with_cut
from hilgui.scaling import Cut

log = logging.getLogger(__name__)

BUDGET_BYTES = 384 * 2**20
_REST_S = 0.1  # how long a jump stands before the frames around it are decoded
_STEP = 2  # frames; more is a jump


class Decoder:
    """The newest request wins; frames around it are decoded while nobody asks for another.

    `want`, `ready` and `note` are for the GUI thread and never wait for a decode.
    """

    def __init__(self, pictures: Pictures, *, name: str = "", budget_bytes: int = BUDGET_BYTES) -> None:
        self.cut: Cut | None = None  # what the screen shows of a frame; set by the GUI thread
        self._pictures = pictures
        self._budget = budget_bytes
        self._cache: dict[int, Picture] = {}
        self._bytes = 0
        self._wanted: int | None = None
        self._end = 0  # frame numbers below this exist
        self._ahead = 8
        self._behind = 0
        self._is_fresh = False  # nobody rested on this request yet
        self._note = ""
        self._failure = ""
        self._is_open = False
        self._closed = False
        self._change: Callable[[Picture], Picture] | None = None
        self._generation = 0  # of the change; what was decoded under an older one is thrown away
        self._at_end: Callable[[], None] | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name=f"replay-decoder:{name}")
        self._thread.start()

    def want(self, seq: int, *, end: int, ahead: int = 8, behind: int = 16) -> None:
        """Ask for a frame; `end` is how many exist, `ahead` how many after it are decoded next.

        Before it, `behind` frames are decoded in one go as soon as fewer than three quarters of that are left: going
        back costs a seek to the last key frame, however many frames are wanted.
        """
        with self._changed:
            is_jump = self._wanted is None or abs(seq - self._wanted) > _STEP
            self._is_fresh = is_jump or (self._is_fresh and seq == self._wanted)
            self._wanted, self._end, self._ahead, self._behind = seq, end, ahead, behind
            self._changed.notify()

    def change(self, change: Callable[[Picture], Picture] | None, at_end: Callable[[], None] | None = None) -> None:
        """Pass every frame through `change`, on this thread, from now on; what is decoded already is decoded anew.

        `at_end` is called on this thread when it ends.
        """
        with self._changed:
            self._change, self._at_end = change, at_end or self._at_end
            self._generation += 1
            self._cache.clear()
            self._bytes = 0
            self._changed.notify()

    def ready(self, seq: int) -> Picture | None:
        """Give a frame if it is decoded."""
        with self._changed:
            return self._cache.get(seq)

    @property
    def note(self) -> str:
        """Give what the operator should know about the recording, "" when all is well."""
        return self._note

    @property
    def failure(self) -> str:
        """Give the sentence that ended the thread, "" while it works."""
        return self._failure

    @property
    def is_open(self) -> bool:
        """Say whether the recording was looked at, with or without success: `note` does not change any more."""
        return self._is_open or bool(self._failure)

    def close(self, timeout_s: float | None = None) -> bool:
        """Ask the thread to end and wait for the frame it decodes, at most `timeout_s`; say whether it has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._note = self._pictures.open()
            self._is_open = True
            while (seq := self._next()) is not None:
                generation, change = self._generation, self._change
                picture = self._pictures.read(seq)
                self._keep(with_cut(picture if change is None else change(picture), self.cut), generation)
        except HilguiError as failure:
            self._failure = str(failure)
        except Exception as failure:  # the top of a thread
            log.exception("decoding failed")
            self._failure = f"decoding failed: {failure}"
        finally:
            self._pictures.close()
            if self._at_end is not None:
                self._at_end()
            with self._changed:
                self._cache.clear()

    def _next(self) -> int | None:
        with self._changed:
            while not self._closed:
                seq = self._choose()
                if seq is None:
                    self._changed.wait()
                elif self._behind and self._is_fresh and self._wanted in self._cache:
                    self._is_fresh = False  # while somebody scrubs, the next request matters more than its surroundings
                    self._changed.wait(_REST_S)
                else:
                    return seq
            return None

    def _choose(self) -> int | None:
        """Choose what to decode: the frame asked for, then those after it, then a block before it, in order."""
        wanted = self._wanted
        if wanted is None:
            return None
        room = self._room()
        block = min(self._behind, room // 3)
        if wanted not in self._cache:
            if wanted + 1 in self._cache:  # somebody walks backwards: one seek for many steps
                return self._missing(wanted - max(block, 1) + 1, wanted)
            return wanted
        ahead = self._missing(wanted + 1, min(wanted + min(self._ahead, room // 3), self._end - 1))
        if ahead is not None:
            return ahead
        low = wanted
        while low - 1 in self._cache:
            low -= 1
        if wanted - low >= block * 3 // 4:
            return None
        return self._missing(low - block, low - 1)

    def _missing(self, first: int, last: int) -> int | None:
        return next((seq for seq in range(max(first, 0), last + 1) if seq not in self._cache), None)

    def _room(self) -> int:
        """Count the frames that fit into memory."""
        if not self._cache:
            return 3
        size = max(1, self._bytes // len(self._cache))
        return max(3, self._budget // size)

    def _keep(self, picture: Picture, generation: int) -> None:
        with self._changed:
            if generation != self._generation:
                return
            self._cache[picture.seq] = picture
            self._bytes += picture.nbytes
            centre = picture.seq if self._wanted is None else self._wanted
            while self._bytes > self._budget and len(self._cache) > 1:
                farthest = max(self._cache, key=lambda seq: abs(seq - centre))
                self._bytes -= self._cache.pop(farthest).nbytes
