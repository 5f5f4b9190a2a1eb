"""What a front end asks of the engine."""

from __future__ import annotations

from dataclasses import dataclass

from hilgui.pipeline import RunPlan


@dataclass(frozen=True, slots=True)
class StartRun:
    """Run this after the runs that were asked for before."""

    plan: RunPlan


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold the current run."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the current run as ABORTED, with what is acknowledged so far."""

    reason: str


@dataclass(frozen=True, slots=True)
class Close:
    """Finish and end the process."""


Command = StartRun | Pause | Resume | Stop | Close
