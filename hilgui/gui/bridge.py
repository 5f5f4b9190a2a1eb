"""The only place where the screen meets the engine."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from hilgui.errors import CallWrong, HilguiError

if TYPE_CHECKING:
    from hilgui.engine import Event, Shown
    from hilgui.pipeline import Progress, RunPlan
    from hilgui.scaling import Cut

log = logging.getLogger(__name__)

_DISPLAY_MS = 33  # thirty pictures a second: more cost the run, and nobody reads them
_HURRIED_MS = 100  # a run that is faster than its drive jumps from picture to picture anyway
_UNSEEN_MS = 500  # nobody looks: one is prepared now and then, for whoever comes back
_EARLY = 0.9  # of the time between two looks a frame is prepared after, so that each look finds one
_PROGRESS_EVERY_S = 0.2
STOPPED_BY_OPERATOR = "stopped by the operator"


class EngineLike(Protocol):
    """What the bridge asks of an engine; tests bring their own."""

    def run(self, plan: RunPlan) -> None:
        """Ask for a run; raises HilguiError or OSError when the engine cannot start."""
        ...

    def pause(self) -> None:
        """Hold the current run."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...

    def stop(self, reason: str = ...) -> None:
        """End the current run."""
        ...

    def poll(self) -> list[Event]:
        """Give what has arrived, bounded, without waiting."""
        ...

    def newest(self) -> Shown | None:
        """Give the newest frame since the last call."""
        ...

    def look_at(self, cut: Cut | None, period_s: float) -> None:
        """Say which part of the frames is in sight, None for the whole, and how often one is wanted."""
        ...

    def close(self) -> None:
        """End the engine."""
        ...


class Bridge(QObject):
    """Owns the engine; pulls from it at display rate while a run is under way.

    Signals are for rare things. `frame_shown` is emitted by the display timer on the GUI thread with the newest frame
    only, so it can never queue up: whoever is slow sees fewer frames.
    """

    run_asked = Signal(object)  # RunPlan: the engine prepares
    run_started = Signal(object)  # RunStarted
    progress = Signal(object)  # Progress, at most five a second
    run_finished = Signal(object)  # RunFinished
    run_failed = Signal(object)  # RunFailed
    held = Signal(bool)  # paused or going on
    frame_shown = Signal(object)  # Shown

    def __init__(
        self,
        make_engine: Callable[[], EngineLike],
        parent: QObject | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._make_engine = make_engine
        self._engine: EngineLike | None = None
        self._now = now
        self._is_busy = False
        self._is_held = False
        self._folder: Path | None = None
        self._cut: Cut | None = None  # that somebody looks at
        self._period_ms = _DISPLAY_MS
        self._waiting: Progress | None = None
        self._told_s = float("-inf")
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._pull)

    @property
    def is_busy(self) -> bool:
        """Say whether a run was asked for and has not ended."""
        return self._is_busy

    @property
    def is_held(self) -> bool:
        """Say whether the run is paused."""
        return self._is_held

    @property
    def folder(self) -> Path | None:
        """Give the folder of the run under way, once it exists."""
        return self._folder

    def run(self, plan: RunPlan) -> None:
        """Ask for a run; what goes wrong arrives as `run_failed`."""
        self._is_busy, self._is_held, self._folder = True, False, None
        self._waiting = None
        self.run_asked.emit(plan)
        try:
            if self._engine is None:
                self._engine = self._make_engine()
            self._engine.run(plan)
        except (HilguiError, OSError) as failure:
            self._fail(f"the engine does not start: {failure}", traceback.format_exc())
            return
        self._period_ms = _HURRIED_MS if _is_hurried(plan) else _DISPLAY_MS
        self._timer.start(self._period_ms)
        self.look_at(self._cut)

    def look_at(self, cut: Cut | None) -> None:
        """Let the engine prepare this part of its frames for the screen; None where nobody looks."""
        self._cut = cut
        if self._engine is not None:
            self._engine.look_at(cut, (_UNSEEN_MS if cut is None else self._period_ms * _EARLY) / 1000)

    def pause(self) -> None:
        """Hold the run."""
        self._hold(True)

    def resume(self) -> None:
        """Go on."""
        self._hold(False)

    def stop(self) -> None:
        """End the run as ABORTED; it keeps what was stored."""
        if self._engine is not None and self._is_busy:
            try:
                self._engine.stop(STOPPED_BY_OPERATOR)
            except HilguiError:  # it died in between: its end is on the way as an event
                log.warning("the engine was gone when the run was stopped", exc_info=True)

    def close(self) -> None:
        """End the engine; may be called twice."""
        self._timer.stop()
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._is_busy = False

    def _hold(self, is_held: bool) -> None:
        if self._engine is None or not self._is_busy or is_held == self._is_held:
            return
        try:
            (self._engine.pause if is_held else self._engine.resume)()
        except HilguiError:
            log.warning("the engine was gone when the run was paused", exc_info=True)
            return
        self._is_held = is_held
        self.held.emit(is_held)

    def _pull(self) -> None:
        if self._engine is None:
            return
        for event in self._engine.poll():
            self._take(event)
        self._tell_progress(is_last=False)
        shown = self._engine.newest() if self._engine is not None else None
        if shown is not None:
            self.frame_shown.emit(shown)
        if not self._is_busy:
            self._timer.stop()

    def _take(self, event: Event) -> None:
        from hilgui.engine import RunFailed, RunFinished, RunStarted

        match event:
            case RunStarted():
                self._folder = event.folder
                self.run_started.emit(event)
            case RunFinished():
                self._tell_progress(is_last=True)
                self._is_busy, self._is_held = False, False
                self.run_finished.emit(event)
            case RunFailed():
                self._tell_progress(is_last=True)
                self._is_busy, self._is_held = False, False
                self.run_failed.emit(event)
            case _:
                self._waiting = event

    def _tell_progress(self, *, is_last: bool) -> None:
        if self._waiting is None or not (is_last or self._now() - self._told_s >= _PROGRESS_EVERY_S):
            return
        self._told_s = self._now()
        progress, self._waiting = self._waiting, None
        self.progress.emit(progress)

    def _fail(self, sentence: str, details: str) -> None:
        from hilgui.engine import RunFailed

        self._is_busy = False
        self.run_failed.emit(RunFailed(sentence, details))


def _is_hurried(plan: RunPlan) -> bool:
    """Say whether a recording is replayed faster than it was taken."""
    from hilgui.pipeline import speed_factor
    from hilgui.sources.camera import is_camera

    try:
        factor = speed_factor(plan.speed)
    except CallWrong:  # the engine says what is wrong with it
        return False
    return not is_camera(plan.source) and (factor is None or factor > 1)


def spawn_engine() -> EngineLike:
    """Make the real engine with its shared screen; loading it takes a moment, so only when a run is asked for."""
    from hilgui.engine import Engine

    return Engine(with_screen=True)
