"""Watches the models of a run: a picture that never gets done, memory that never ends.

First the run options end what is under way, and the run ends ERROR. What does not listen is native code without an
operator's end: then the whole process goes, and the front end closes the run.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from typing import Protocol, Self

import psutil

from hilgui.errors import BenchBroken, InferenceHung, MemoryExhausted

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
_GRACE_S = 5.0  # between the request to end and the end of the process
_MEMORY_SHARE = 0.9  # of the machine's memory, where the operator sets no limit
_TOO_FAR = 1.15  # times the limit: no time to ask


class Watched(Protocol):
    """What is watched: a model."""

    def longest_s(self) -> float:
        """Say for how long the oldest picture has been under way."""

    def terminate(self) -> None:
        """Ask what is under way to end."""


class Watchdog:
    """Looks four times a second, from entering the block to leaving it; `failure` tells what it found."""

    def __init__(
        self,
        models: Collection[Watched],
        *,
        limit_s: float,
        limit_mb: int,
        stop: Callable[[str], None],
        give_up: Callable[[str], None],
        held_mb: Callable[[], float] | None = None,
    ) -> None:
        """`stop` ends the run in good order; `give_up` ends the process and does not come back."""
        self._models = models
        self._limit_s = limit_s
        self._limit_mb = limit_mb or int(_MEMORY_SHARE * psutil.virtual_memory().total / 1e6)
        self._stop = stop
        self._give_up = give_up
        self._held_mb = held_mb or _resident_mb
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog")
        self.failure: BenchBroken | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_what: object) -> None:
        self._over.set()
        self._thread.join()

    def look(self) -> None:
        """Look once; what is wrong is ended the first time, and the process the next time where it goes on."""
        age, held = max((model.longest_s() for model in self._models), default=0.0), self._held_mb()
        if held > self._limit_mb:
            sentence = (
                f"the engine holds {held:.0f} MB, more than {self._limit_mb} MB; a smaller model, fewer workers, or a "
                "larger memory_limit_mb"
            )
            self._end(MemoryExhausted(sentence))
            if held > _TOO_FAR * self._limit_mb:
                self._give_up(sentence)
        if age > self._limit_s:
            sentence = f"a model was not done with one picture within {self._limit_s:g} s and was ended"
            self._end(InferenceHung(sentence))
        if age > self._limit_s + _GRACE_S:
            self._give_up(f"{sentence}; it did not listen")

    def _end(self, failure: BenchBroken) -> None:
        for model in self._models:
            model.terminate()
        if self.failure is None:
            log.error("%s", failure)
            self.failure = failure
            self._stop(str(failure))

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            self.look()


def _resident_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6
