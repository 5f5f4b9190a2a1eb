"""What the engine tells its front end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hilgui.pipeline import Progress
from hilgui.records import Outcome


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run folder exists and its header is stored."""

    folder: Path
    run_id: str
    total: int | None  # frames of the source
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run has its verdict."""

    folder: Path
    outcome: Outcome
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The bench broke, before or during a run; `folder` is the run that was cut, if it had begun."""

    sentence: str
    details: str  # traceback or what the engine wrote last, for those who look
    folder: Path | None = None
    exit_code: int = 4


Event = RunStarted | Progress | RunFinished | RunFailed
