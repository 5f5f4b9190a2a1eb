"""Named threads that fail together."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from hilgui.stream.channel import Closed
from hilgui.stream.stop import StopToken

log = logging.getLogger(__name__)


class Crew:
    """The threads of one run: the first failure stops the others and is kept.

    A worker that meets a closed channel has simply finished.
    """

    def __init__(self, stop: StopToken) -> None:
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    @property
    def failure(self) -> BaseException | None:
        """Give the first exception that ended a worker."""
        return self._failure

    def start(self, name: str, work: Callable[[], None]) -> None:
        """Run `work` on its own thread."""

        def guarded() -> None:
            try:
                work()
            except Closed:
                log.debug("%s ends: its channel is closed", name)
            except BaseException as failure:  # the top of a thread: keep the first cause
                log.debug("%s failed", name, exc_info=True)
                with self._lock:
                    self._failure = self._failure or failure
                self._stop.stop(f"{name} failed")

        thread = threading.Thread(target=guarded, name=name)
        self._threads.append(thread)
        thread.start()

    def join(self) -> None:
        """Wait until every worker has ended."""
        for thread in self._threads:
            thread.join()
