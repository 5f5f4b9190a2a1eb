"""Runs test cases on a thread of their own; the screen hears of them by a timer, never by a signal per frame."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from hilgui.errors import HilguiError
from hilgui.rigs.arming import State
from hilgui.sequencer.loading import LoadedCase
from hilgui.sequencer.operator import Desk
from hilgui.sequencer.suite import Suite
from hilgui.sequencer.tidings import Playing, RigStood
from hilgui.settings import Settings
from hilgui.stream import StopToken

log = logging.getLogger(__name__)

POLL_MS = 50
FROZEN_S = 0.5  # a screen that shows no sign of life for so long while a case has a live rig stops the case
_EVENTS = 4000
_PATIENCE_S = 70.0
_LIVE = (State.ARMED, State.HOLD)


class CaseDesk(QObject):
    """One queue of cases at a time. `happened` carries what the suite told, at most a few times a poll."""

    began = Signal()
    happened = Signal(object)  # CaseBegan, StepTaken, RunBegan, Playing (the newest only), RigStood, CaseEnded
    asked = Signal()  # the open questions changed
    ended = Signal(object)  # list[CaseResult]
    failed = Signal(str, str)  # sentence, details
    rig_changed = Signal()

    def __init__(
        self,
        settings: Settings,
        operator: str,
        parent: QObject | None = None,
        *,
        make_suite: Callable[..., Suite] = Suite,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._make_suite = make_suite
        self.operator = Desk(operator)
        self._events: deque[Any] = deque(maxlen=_EVENTS)
        self._stop: StopToken | None = None
        self._thread: threading.Thread | None = None
        self._seen_s = 0.0
        self._questions: list[tuple[str, int]] = []
        self._outcome: list[Any] = []
        self.rig: State | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def is_busy(self) -> bool:
        """Say whether cases run."""
        return self._thread is not None

    def run(self, cases: Sequence[LoadedCase]) -> bool:
        """Begin a queue; says whether it was begun: not while another runs, not without cases."""
        if self._thread is not None or not cases:
            return False
        self._stop = stop = StopToken()
        self._events.clear()
        self._outcome.clear()
        suite = self._make_suite(self._settings, self.operator, self._hear, stop)
        self._seen_s = time.monotonic()
        self._thread = threading.Thread(target=self._work, args=(suite, list(cases)), name="test cases")
        self._thread.start()
        threading.Thread(target=self._watch, args=(stop, self._thread), name="screen watch").start()
        self._timer.start()
        self.began.emit()
        return True

    def cancel(self, why: str = "stopped by the operator") -> None:
        """End the case under way as ABORTED, its rig first, its teardown included; from any thread, at once."""
        if self._stop is not None:
            self._stop.stop(why)

    def shut(self) -> None:
        """End everything and wait for it; for the end of the application."""
        self.cancel("hilgui was closed")
        self._timer.stop()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            self._thread = None

    # -- on the thread of the cases -----------------------------------------------------------------------------------

    def _hear(self, event: Any) -> None:
        if isinstance(event, Playing) and self._events and isinstance(self._events[-1], Playing):
            self._events[-1] = event  # only the newest counts
        else:
            self._events.append(event)

    def _work(self, suite: Suite, cases: Sequence[LoadedCase]) -> None:
        try:
            self._outcome.append(suite.run(cases))
        except HilguiError as failure:
            self._outcome.append((str(failure), traceback.format_exc()))
        except Exception as failure:  # the top of a thread
            log.exception("test cases failed")
            self._outcome.append((f"hilgui itself failed: {type(failure).__name__}: {failure}", traceback.format_exc()))

    def _watch(self, stop: StopToken, worker: threading.Thread) -> None:
        """Do for a case what the supervisor does for a screen of its own: who freezes cannot press STOP."""
        while worker.is_alive() and not stop.wait(POLL_MS / 1000):
            if self.rig in _LIVE and time.monotonic() - self._seen_s > FROZEN_S:
                stop.stop("the screen froze while the rig was armed")

    # -- on the GUI thread --------------------------------------------------------------------------------------------

    def _poll(self) -> None:
        self._seen_s = time.monotonic()
        worker = self._thread
        is_over = worker is not None and not worker.is_alive()
        while self._events:
            event = self._events.popleft()
            if isinstance(event, RigStood):
                self.rig = event.state
                self.rig_changed.emit()
            self.happened.emit(event)
        questions = [(question.case, question.number) for question in self.operator.open_questions()]
        if questions != self._questions:
            self._questions = questions
            self.asked.emit()
        if is_over:
            self._finish()

    def _finish(self) -> None:
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()
        self._thread = self._stop = None
        if self.rig is not None:
            self.rig = None
            self.rig_changed.emit()
        outcome = self._outcome[0] if self._outcome else []
        if isinstance(outcome, tuple):
            self.failed.emit(*outcome)
            outcome = []
        self.ended.emit(outcome)
