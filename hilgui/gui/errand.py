"""An errand: something slow that runs on its own thread while the screen stays free."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

from hilgui.errors import HilguiError

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)

_LOOK_EVERY_MS = 15


class Errand(QObject, Generic[Answer]):
    """Runs `work` on a thread, then calls `done(answer)` or `failed(sentence, details)` on the GUI thread.

    The parent keeps it alive. `forget` makes sure that no answer arrives any more; the thread ends by itself, so
    `work` must end too. `failed` gets the sentence of a HilguiError, or of anything else that went wrong.
    """

    def __init__(
        self,
        parent: QObject,
        name: str,
        work: Callable[[], Answer],
        done: Callable[[Answer], object],
        failed: Callable[[str, str], object],
    ) -> None:
        super().__init__(parent)
        self._work = work
        self._done = done
        self._failed = failed
        self._answers: list[Answer] = []
        self._failure: tuple[str, str] | None = None
        self._thread = threading.Thread(target=self._run, name=f"errand:{name}")
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()
        self._thread.start()

    def forget(self) -> None:
        """Drop the answer, whenever it comes."""
        self._timer.stop()

    @property
    def is_under_way(self) -> bool:
        """Say whether an answer is still to come."""
        return self._timer.isActive()

    def wait(self, timeout_s: float) -> None:
        """Wait for the thread; for the end of the application."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._answers.append(self._work())
        except HilguiError as failure:
            self._failure = (str(failure), traceback.format_exc())
        except Exception as failure:  # the top of a thread
            log.exception("%s failed", self._thread.name)
            self._failure = (f"hilgui itself failed: {type(failure).__name__}: {failure}", traceback.format_exc())

    def _look(self) -> None:
        if self._thread.is_alive():
            return
        self._timer.stop()
        self.deleteLater()
        if self._failure is not None:
            self._failed(*self._failure)
        else:
            self._done(self._answers[0])
