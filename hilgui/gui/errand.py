"""An errand: something slow that runs on its own thread while the screen stays free."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer
from shiboken6 import isValid

from hilgui.errors import HilguiError

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

_LOOK_EVERY_MS = 15


class Errand(Generic[Answer]):
    """Runs `work` on a thread, then calls `done(answer)` or `failed(sentence, details)` on the GUI thread.

    Nothing is called once the parent is gone or after `forget`; the thread ends by itself, so `work` must end too.
    `failed` gets the sentence of a HilguiError, or of anything else that went wrong. A plain object that may be kept
    and asked for as long as one likes: only its timer belongs to Qt.
    """

    def __init__(
        self,
        parent: QObject,
        name: str,
        work: Callable[[], Answer],
        done: Callable[[Answer], object],
        failed: Callable[[str, str], object],
    ) -> None:
        self._work = work
        self._done = done
        self._failed = failed
        self._answers: list[Answer] = []
        self._failure: tuple[str, str] | None = None
        self._thread = threading.Thread(target=self._run, name=f"errand:{name}")
        self._timer: QTimer | None = QTimer(parent)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(lambda: self._look())  # a lambda keeps the errand alive, a bound method does not
        self._timer.start()
        self._thread.start()

    @property
    def is_under_way(self) -> bool:
        """Say whether an answer is still to come."""
        return self._timer is not None

    @property
    def answer(self) -> Answer | None:
        """Give the answer, handed on or not, once there is one: for whoever has to close what was opened."""
        return self._answers[0] if self._answers else None

    def forget(self) -> None:
        """Drop the answer, whenever it comes; may be called at any time."""
        timer, self._timer = self._timer, None
        if timer is not None and isValid(timer):
            timer.stop()
            timer.deleteLater()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the thread, for the end of the application; says whether it has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._answers.append(self._work())
        except HilguiError as failure:
            self._failure = (str(failure), traceback.format_exc())
        except Exception as failure:  # the top of a thread
            log.exception("%s failed", self._thread.name)
            self._failure = (f"hilgui itself failed: {type(failure).__name__}: {failure}", traceback.format_exc())

    def _look(self) -> None:
        if self._thread.is_alive() or self._timer is None:
            return
        self.forget()
        if self._failure is not None:
            self._failed(*self._failure)
        else:
            self._done(self._answers[0])


def let_go(timeout_s: float, *errands: Errand[Any] | None) -> bool:
    """Drop the answers of those that are under way and wait for their threads; says whether all have ended."""
    given = [errand for errand in errands if errand is not None]
    for errand in given:
        errand.forget()
    ended = [errand.wait(timeout_s) for errand in given]
    return all(ended)
