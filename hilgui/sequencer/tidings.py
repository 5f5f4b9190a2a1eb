"""What taking the steps of a case tells: events for a screen, ways in which it ends early, notes of what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hilgui.records import Outcome
from hilgui.rigs.arming import State

Told = Callable[[Any], None]


class Stopped(Exception):
    """The operator pressed STOP, or said no where the rig was to be armed."""


class RedStep(Exception):
    """A step whose outcome is a red result: a wait that was said to fail the case, a no of the operator."""


class Unanswered(Exception):
    """Nobody was there to answer."""


@dataclass(frozen=True, slots=True)
class StepTaken:
    """A step begins; `depth` counts the steps that it is within."""

    case: str
    text: str
    depth: int


@dataclass(frozen=True, slots=True)
class Playing:
    """How far a replay is."""

    case: str
    evaluated: int
    frames: int | None
    fps: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class RunBegan:
    """A replay has its run folder: a screen may follow it."""

    case: str
    folder: Path


@dataclass(frozen=True, slots=True)
class RigStood:
    """The rig of the case has another arming state, or has blocked another attempt to actuate."""

    case: str
    state: State
    reason: str
    blocked: Mapping[str, int] = field(default_factory=dict)  # attempts by reason since the rig was opened


@dataclass(slots=True)
class Notes:
    """What came of the steps."""

    captured: dict[str, float] = field(default_factory=dict)
    runs: list[Path] = field(default_factory=list)
    outcomes: list[tuple[Outcome, tuple[str, ...]]] = field(default_factory=list)  # of the runs
    refused: int = 0  # commands that the rig had to refuse, and did
    has_fault: bool = False
